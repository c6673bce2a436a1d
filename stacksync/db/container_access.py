"""Statements about who may reach a workspace's container in the object store.

The memberships say it; that the store says the same is the engine's work.
"""

from __future__ import annotations

from uuid import UUID

from stacksync.db.database import Database
from stacksync.model import ContainerAccess

ACCESS = """
    SELECT w.container, o.quota_limit,
        coalesce(array_agg(a.identity_id) FILTER (WHERE a.identity_id IS NOT NULL), '{}'),
        coalesce(array_agg(a.identity_id)
            FILTER (WHERE a.identity_id IS NOT NULL AND m.role IN ('owner', 'editor')), '{}')
    FROM workspace w JOIN account o ON o.id = w.owner_id
    LEFT JOIN membership m ON m.workspace_id = w.id LEFT JOIN account a ON a.id = m.account_id
    WHERE w.id = %s GROUP BY w.id, o.id
"""


class ContainerAccessTable:
    """Reads what the access list of a container has to be."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def of(self, workspace_id: UUID) -> tuple[str, ContainerAccess] | None:
        """A workspace's container and who may do what in it; ``None``: it is gone.

        Members without a user in the identity service are on no list.
        """
        rows = await self._database.query(
            "read container access", ACCESS, [workspace_id], repeatable=True
        )
        if not rows:
            return None
        container, quota, readers, writers = rows[0]
        return container, ContainerAccess(frozenset(readers), frozenset(writers), quota)
