"""Statements about who takes part in shared workspaces, and about these as a whole.

Those that change something run in a transaction that has locked the workspace
(:mod:`.locks`).
"""

from __future__ import annotations

from uuid import UUID

from attrs import frozen

from stacksync.db.database import Database, Transaction
from stacksync.model import Member, Role

MEMBERS = """
    SELECT a.id, a.name, a.email, m.role, m.joined_at
    FROM membership m JOIN account a ON a.id = m.account_id
    WHERE m.workspace_id = %s ORDER BY m.role <> 'owner', m.joined_at, lower(a.email)
"""


@frozen
class NewWorkspace:
    """The workspace of a folder that is shared from now on."""

    id: UUID
    owner_id: UUID
    root_item_id: int
    is_encrypted: bool

    @property
    def container(self) -> str:
        return str(self.id)


def member(row: tuple[object, ...]) -> Member:
    identity, name, email, role, joined_at = row
    return Member(identity, name, email, Role(role), joined_at)  # type: ignore[arg-type]


class MemberTable:
    """The ``membership`` table, by workspace."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def of_workspace(self, workspace_id: UUID) -> tuple[Member, ...]:
        """The members, the owner first, then in the order in which they came."""
        rows = await self._database.query("list members", MEMBERS, [workspace_id], repeatable=True)
        return tuple(map(member, rows))

    async def within(self, transaction: Transaction, workspace_id: UUID) -> tuple[Member, ...]:
        """The same, as the transaction sees them."""
        return tuple(map(member, await transaction.query(MEMBERS, [workspace_id])))

    async def add_workspace(self, transaction: Transaction, new: NewWorkspace) -> None:
        """Make the workspace of a shared folder, of which nobody is a member yet."""
        await transaction.query(
            """
            INSERT INTO workspace (id, owner_id, container, is_shared, is_encrypted, root_item_id)
            VALUES (%s, %s, %s, true, %s, %s)
            """,
            [new.id, new.owner_id, new.container, new.is_encrypted, new.root_item_id],
        )

    async def remove_workspace(self, transaction: Transaction, workspace_id: UUID) -> None:
        """Remove a workspace that has no items any more, with its memberships.

        What its container has yet to get stays on record as long as the container:
        downloads that have begun find the rest by that.
        """
        await transaction.query("DELETE FROM workspace WHERE id = %s", [workspace_id])

    async def add(
        self,
        transaction: Transaction,
        workspace_id: UUID,
        account_id: UUID,
        role: Role,
        mount_name: str,
        mount_parent_id: int | None,
    ) -> None:
        await transaction.query(
            """
            INSERT INTO membership (account_id, workspace_id, role, mount_name, mount_parent_id)
            VALUES (%s, %s, %s, %s, %s)
            """,
            [account_id, workspace_id, role.value, mount_name, mount_parent_id],
        )

    async def set_role(
        self, transaction: Transaction, workspace_id: UUID, account_id: UUID, role: Role
    ) -> None:
        await transaction.query(
            "UPDATE membership SET role = %s WHERE workspace_id = %s AND account_id = %s",
            [role.value, workspace_id, account_id],
        )

    async def remove(self, transaction: Transaction, workspace_id: UUID, account_id: UUID) -> None:
        await transaction.query(
            "DELETE FROM membership WHERE workspace_id = %s AND account_id = %s",
            [workspace_id, account_id],
        )
