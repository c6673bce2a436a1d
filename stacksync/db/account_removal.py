"""Statements that remove an account with all that it has.

They run in a transaction that has locked the workspaces concerned (:mod:`.locks`).
"""

from __future__ import annotations

from uuid import UUID

from stacksync.db.database import Transaction
from stacksync.db.workspaces import SELECT, workspace
from stacksync.model import Workspace


class AccountRemovalTable:
    """The rows of one account, wherever they are."""

    async def concerned(self, transaction: Transaction, account_id: UUID) -> tuple[UUID, ...]:
        """The workspaces of which the account is a member, and the private ones of their owners.

        Those are where a folder goes whose last guest leaves.
        """
        rows = await transaction.query(
            """
            SELECT m.workspace_id FROM membership m WHERE m.account_id = %(account)s
            UNION
            SELECT p.id FROM membership m JOIN workspace w ON w.id = m.workspace_id
                JOIN workspace p ON p.owner_id = w.owner_id AND NOT p.is_shared
                WHERE m.account_id = %(account)s
            """,
            {"account": account_id},
        )
        return tuple(row[0] for row in rows)

    async def identity(
        self, transaction: Transaction, account_id: UUID
    ) -> tuple[str | None, bool] | None:
        """The user in the identity service, and whether we made it; ``None``: no such account."""
        rows = await transaction.query(
            "SELECT identity_id, identity_is_ours FROM account WHERE id = %s", [account_id]
        )
        return (rows[0][0], rows[0][1]) if rows else None

    async def shared(self, transaction: Transaction, account_id: UUID) -> tuple[Workspace, ...]:
        """The shared folders that the account takes part in, its own and others'."""
        rows = await transaction.query(
            f"{SELECT} WHERE m.account_id = %s AND w.root_item_id IS NOT NULL ORDER BY w.id",
            [account_id],
        )
        return tuple(map(workspace, rows))

    async def remove_workspaces(
        self, transaction: Transaction, account_id: UUID
    ) -> tuple[tuple[UUID, str], ...]:
        """Remove the account's own workspaces with their items; their ids and containers."""
        own = "(SELECT id FROM workspace WHERE owner_id = %(account)s)"
        arguments = {"account": account_id}
        await transaction.query(
            f"""
            DELETE FROM item_version v USING item i
            WHERE i.workspace_id IN {own} AND v.item_id = i.id
            """,
            arguments,
        )
        await transaction.query(f"DELETE FROM item WHERE workspace_id IN {own}", arguments)
        rows = await transaction.query(
            "DELETE FROM workspace WHERE owner_id = %(account)s RETURNING id, container", arguments
        )
        return tuple((row[0], row[1]) for row in rows)

    async def forget_copies(self, transaction: Transaction, account_id: UUID) -> None:
        """Forget what the containers of the account's own workspaces were to get."""
        await transaction.query(
            "DELETE FROM chunk_copy c USING workspace w"
            " WHERE w.owner_id = %s AND c.container = w.container",
            [account_id],
        )

    async def remove(self, transaction: Transaction, account_id: UUID) -> None:
        """Remove the account with its devices, memberships and proposals."""
        await transaction.query("DELETE FROM account WHERE id = %s", [account_id])
