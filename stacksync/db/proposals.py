"""Statements about share proposals.

One is addressed by e-mail, and is that of whoever has the e-mail now.  A
pending one whose time is over counts as expired.
"""

from __future__ import annotations

from uuid import UUID, uuid4

from attrs import frozen

from stacksync.db.connection import Row
from stacksync.db.database import Database, Transaction
from stacksync.model import Proposal, ProposalState, Role

SELECT = """
    SELECT p.id, p.item_id, p.workspace_id, p.workspace_id::text,
        coalesce(m.mount_name, i.name), p.owner_id, o.name, o.email, p.email, p.role,
        p.is_encrypted,
        CASE WHEN p.state = 'pending' AND p.expires_at <= now() THEN 'expired' ELSE p.state END,
        p.created_at, p.expires_at
    FROM share_proposal p
    JOIN account o ON o.id = p.owner_id
    JOIN item i ON i.id = p.item_id
    LEFT JOIN membership m ON m.workspace_id = p.workspace_id AND m.account_id = p.owner_id
"""
"""The folder is called as its owner calls it; its container is called like its workspace."""

ADDRESSED = "JOIN account a ON lower(a.email) = lower(p.email)"
"""The account ``a`` that has the e-mail now."""

PENDING = "p.state = 'pending' AND p.expires_at > now()"


@frozen
class NewProposal:
    """What is asked of somebody."""

    item_id: int
    workspace_id: UUID
    owner_id: UUID
    email: str
    role: Role
    is_encrypted: bool
    expire: float


def proposal(row: Row) -> Proposal:
    """A proposal from what :data:`SELECT` tells."""
    *told, role, encrypted, state, created_at, expires_at = row
    identity, item_id, workspace_id, container, folder_name, *owner, email = told
    owner_id, owner_name, owner_email = owner
    return Proposal(
        id=identity,
        item_id=item_id,
        workspace_id=workspace_id,
        container=container,
        folder_name=folder_name,
        owner_id=owner_id,
        owner_name=owner_name,
        owner_email=owner_email,
        email=email,
        role=Role(role),
        is_encrypted=encrypted,
        state=ProposalState(state),
        created_at=created_at,
        expires_at=expires_at,
    )


class ProposalTable:
    """The ``share_proposal`` table."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def find(self, proposal_id: UUID, *, addressee: UUID | None = None) -> Proposal | None:
        """A proposal, whatever has become of it.

        :param addressee: only if its e-mail is this account's.
        """
        addressed = f"{ADDRESSED} AND a.id = %(account)s" if addressee is not None else ""
        rows = await self._database.query(
            "read proposal",
            f"{SELECT} {addressed} WHERE p.id = %(proposal)s",
            {"proposal": proposal_id, "account": addressee},
            repeatable=True,
        )
        return proposal(rows[0]) if rows else None

    async def locked(self, transaction: Transaction, proposal_id: UUID) -> Proposal | None:
        """A proposal that nobody else changes meanwhile."""
        await transaction.query(
            "SELECT FROM share_proposal WHERE id = %s FOR UPDATE", [proposal_id]
        )
        rows = await transaction.query(f"{SELECT} WHERE p.id = %s", [proposal_id])
        return proposal(rows[0]) if rows else None

    async def addressed_to(self, account_id: UUID) -> tuple[Proposal, ...]:
        """What waits for an account's answer, oldest first."""
        rows = await self._database.query(
            "list proposals",
            f"""
            {SELECT} {ADDRESSED}
            WHERE a.id = %s AND {PENDING} AND i.status <> 'DELETED'
            ORDER BY p.created_at, p.id
            """,
            [account_id],
            repeatable=True,
        )
        return tuple(map(proposal, rows))

    async def place_of(self, item_id: int) -> tuple[UUID, ...]:
        """The workspace that a folder is in now; nothing, if there is no such folder."""
        rows = await self._database.query(
            "find folder", "SELECT workspace_id FROM item WHERE id = %s", [item_id], repeatable=True
        )
        return tuple(row[0] for row in rows)

    async def of_item(self, item_id: int) -> tuple[Proposal, ...]:
        """What a folder's addressees have not answered yet, oldest first."""
        rows = await self._database.query(
            "list folder's proposals",
            f"{SELECT} WHERE p.item_id = %s AND {PENDING} ORDER BY p.created_at, p.id",
            [item_id],
            repeatable=True,
        )
        return tuple(map(proposal, rows))

    async def pending(self, transaction: Transaction, item_id: int) -> tuple[Proposal, ...]:
        """The same within a transaction, locked by it, with those that have expired."""
        await transaction.query(
            "SELECT FROM share_proposal WHERE item_id = %s AND state = 'pending'"
            " ORDER BY id FOR UPDATE",
            [item_id],
        )
        rows = await transaction.query(
            f"{SELECT} WHERE p.item_id = %s AND p.state = 'pending' ORDER BY p.created_at, p.id",
            [item_id],
        )
        return tuple(map(proposal, rows))

    async def put(self, transaction: Transaction, new: NewProposal) -> UUID:
        """Ask somebody, or, where that was done and is not answered, ask so instead."""
        rows = await transaction.query(
            """
            INSERT INTO share_proposal AS p
                (item_id, workspace_id, owner_id, email, role, is_encrypted, expires_at,
                created_at)
            VALUES (%s, %s, %s, %s, %s, %s, now() + %s * interval '1 second', clock_timestamp())
            ON CONFLICT (item_id, lower(email)) WHERE state = 'pending' DO UPDATE SET
                workspace_id = excluded.workspace_id, owner_id = excluded.owner_id,
                role = excluded.role, is_encrypted = excluded.is_encrypted,
                expires_at = excluded.expires_at
            RETURNING p.id
            """,
            [
                *(new.item_id, new.workspace_id, new.owner_id, new.email, new.role.value),
                *(new.is_encrypted, new.expire),
            ],
        )
        identity: UUID = rows[0][0]
        return identity

    async def answer(
        self, transaction: Transaction, proposal_id: UUID, state: ProposalState
    ) -> None:
        """Say what has become of a pending one."""
        await transaction.query(
            "UPDATE share_proposal SET state = %s, answered_at = now() WHERE id = %s",
            [state.value, proposal_id],
        )

    async def allocate_anew(self, transaction: Transaction, item_id: int) -> None:
        """The folder is private again: when it is shared, that is another workspace."""
        await transaction.query(
            "UPDATE share_proposal SET workspace_id = %s WHERE item_id = %s AND state = 'pending'",
            [uuid4(), item_id],
        )
