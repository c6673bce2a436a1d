"""Statements about workspaces and memberships."""

from __future__ import annotations

from uuid import UUID

from stacksync.db import accounts
from stacksync.db.connection import Row
from stacksync.db.database import Database, Transaction
from stacksync.model import Role, Workspace

OWNER = ", ".join(f"o.{column}" for column in accounts.COLUMNS.split(", "))

COLUMNS = (
    "w.id, m.mount_name, (SELECT p.id FROM item p"
    " WHERE p.id = m.mount_parent_id AND p.status <> 'DELETED'),"
    " m.role, w.container, w.is_shared, w.is_encrypted, w.latest_revision, w.oldest_revision,"
    f" w.root_item_id, w.has_mounts, {OWNER}"
)
"""Of ``workspace w``, the ``membership m`` of who asks, and the owner's ``account o``.

What is mounted in a folder that is not live is in the root.
"""

SELECT = f"""
    SELECT {COLUMNS}
    FROM membership m
    JOIN workspace w ON w.id = m.workspace_id
    JOIN account o ON o.id = w.owner_id
"""

DEFAULT = f"""
    {SELECT} WHERE m.account_id = %s AND w.owner_id = m.account_id AND NOT w.is_shared
    ORDER BY w.created_at, w.id LIMIT 1
"""


def workspace(row: Row) -> Workspace:
    """A workspace from the columns :data:`COLUMNS`."""
    identity, name, parent, role, container, shared, encrypted, latest, oldest, *others = row
    root_item_id, has_mounts, *owner = others
    return Workspace(
        id=identity,
        name=name,
        parent_item_id=parent,
        role=Role(role),
        owner=accounts.account(tuple(owner)),
        container=container,
        is_shared=shared,
        is_encrypted=encrypted,
        latest_revision=latest,
        oldest_revision=oldest,
        root_item_id=root_item_id,
        has_mounts=has_mounts,
    )


async def seen_by(
    transaction: Transaction, account_id: UUID, workspace_id: UUID
) -> Workspace | None:
    """The workspace as one of its members sees it within a transaction."""
    rows = await transaction.query(
        f"{SELECT} WHERE m.account_id = %s AND m.workspace_id = %s", [account_id, workspace_id]
    )
    return workspace(rows[0]) if rows else None


async def default_within(transaction: Transaction, account_id: UUID) -> Workspace | None:
    """What :meth:`WorkspaceTable.default_of` tells, within a transaction."""
    rows = await transaction.query(DEFAULT, [account_id])
    return workspace(rows[0]) if rows else None


class WorkspaceTable:
    """The ``workspace`` and ``membership`` tables."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def of_account(self, account_id: UUID) -> tuple[Workspace, ...]:
        rows = await self._database.query(
            "list workspaces",
            f"{SELECT} WHERE m.account_id = %s ORDER BY w.created_at, w.id",
            [account_id],
            repeatable=True,
        )
        return tuple(map(workspace, rows))

    async def of_member(self, account_id: UUID, workspace_id: UUID) -> Workspace | None:
        rows = await self._database.query(
            "read workspace",
            f"{SELECT} WHERE m.account_id = %s AND m.workspace_id = %s",
            [account_id, workspace_id],
            repeatable=True,
        )
        return workspace(rows[0]) if rows else None

    async def default_of(self, account_id: UUID) -> Workspace | None:
        """Where an account's own files are: the oldest workspace it owns and does not share."""
        rows = await self._database.query(
            "read default workspace",
            DEFAULT,
            [account_id],
            repeatable=True,
        )
        return workspace(rows[0]) if rows else None

    async def remount(
        self, account_id: UUID, workspace_id: UUID, name: str | None, parent_item_id: int | None
    ) -> Workspace | None:
        """Change where a member has mounted a workspace.

        :param name: ``None`` keeps it.
        :param parent_item_id: ``None`` keeps it, 0 is the root; else a live
            folder of another workspace of this member.
        :returns: ``None`` if there is no such membership or folder.
        """

        async def work(transaction: Transaction) -> Workspace | None:
            updated = await transaction.query(
                """
                UPDATE membership m SET
                    mount_name = coalesce(%(name)s, mount_name),
                    mount_parent_id = CASE WHEN %(parent)s::bigint IS NULL THEN mount_parent_id
                        ELSE nullif(%(parent)s, 0) END
                WHERE account_id = %(account)s AND workspace_id = %(workspace)s
                    AND (coalesce(%(parent)s, 0) = 0 OR EXISTS (
                        SELECT FROM item i
                        JOIN membership o ON o.workspace_id = i.workspace_id
                            AND o.account_id = %(account)s
                        WHERE i.id = %(parent)s AND i.is_folder AND i.status <> 'DELETED'
                            AND i.workspace_id <> m.workspace_id))
                RETURNING 1
                """,
                {
                    "name": name,
                    "parent": parent_item_id,
                    "account": account_id,
                    "workspace": workspace_id,
                },
            )
            if not updated:
                return None
            return await seen_by(transaction, account_id, workspace_id)

        return await self._database.transaction("update workspace", work, repeatable=True)

    async def committed_between(self, oldest: float, newest: float) -> list[tuple[UUID, int]]:
        """Workspaces whose last commit is between so many seconds old, with their revision."""
        rows = await self._database.query(
            "list recent commits",
            """
            SELECT id, latest_revision FROM workspace
            WHERE committed_at BETWEEN now() - %s * interval '1 second'
                AND now() - %s * interval '1 second'
            """,
            [oldest, newest],
            repeatable=True,
        )
        return [(row[0], row[1]) for row in rows]
