"""Statements about the chunks that garbage collection is about to remove."""

from __future__ import annotations

from uuid import UUID

from stacksync.db.database import Database


class DoomedChunkTable:
    """The ``doomed_chunk`` table."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def claim(self, workspace_id: UUID, name: str) -> bool:
        """Take a chunk off the list, for it is needed; whether it was on it.

        Waits for a collection that holds the row: when this returns, that one
        has removed the object or has spared it.
        """
        rows = await self._database.query(
            "claim chunk",
            "DELETE FROM doomed_chunk WHERE workspace_id = %s AND name = %s RETURNING 1",
            [workspace_id, name],
            repeatable=True,
        )
        return bool(rows)
