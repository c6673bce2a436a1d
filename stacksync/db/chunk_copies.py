"""Statements about chunks that have still to be brought into a container.

A row names a container that may have the chunk.  Who moves items from one
workspace to another makes the rows, in the same transaction
(``functions/move_subtree.sql``); the one that has brought a chunk in removes
its rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from attrs import frozen

from stacksync.db.database import Database

PENDING = """
    SELECT name, array_agg(source ORDER BY source) FROM chunk_copy
    WHERE container = %s AND name > %s GROUP BY name ORDER BY name LIMIT %s
"""

DONE = """
    DELETE FROM chunk_copy c USING unnest(%s::text[], %s::text[]) d (name, source)
    WHERE c.container = %s AND c.name = d.name AND c.source = d.source
"""


OWED = """
    SELECT count(*) FROM chunk_copy c WHERE source = %s
        AND (EXISTS (SELECT FROM workspace w WHERE w.container = c.container)
            OR EXISTS (SELECT FROM job j WHERE j.queue = 'content:' || c.container
                AND j.finished_at IS NULL AND j.arguments ? 'is_kept'))
"""


@frozen
class PendingChunk:
    """A chunk to be brought in, and the containers that may have it."""

    name: str
    sources: Sequence[str]


class ChunkCopyTable:
    """The ``chunk_copy`` table."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def sources(self, container: str, name: str) -> Sequence[str]:
        """The containers that may have a chunk which this one has yet to get."""
        rows = await self._database.query(
            "find chunk",
            "SELECT source FROM chunk_copy WHERE container = %s AND name = %s ORDER BY source",
            [container, name],
            repeatable=True,
        )
        return [row[0] for row in rows]

    async def count(self, container: str) -> int:
        """How many chunks a container has yet to get."""
        rows = await self._database.query(
            "count chunks to copy",
            "SELECT count(DISTINCT name) FROM chunk_copy WHERE container = %s",
            [container],
            repeatable=True,
        )
        number: int = rows[0][0]
        return number

    async def owed(self, source: str) -> int:
        """How many chunks other containers have yet to get from this one.

        Those that count are the ones of workspaces, and those that are kept for an account
        that is gone.
        """
        rows = await self._database.query(
            "count chunks to hand on", OWED, [source], repeatable=True
        )
        number: int = rows[0][0]
        return number

    async def pending(self, container: str, after: str, most: int) -> list[PendingChunk]:
        """The next chunks that a container has yet to get, in an order of the database's own."""
        rows = await self._database.query(
            "list chunks to copy", PENDING, [container, after, most], repeatable=True
        )
        return [PendingChunk(*row) for row in rows]

    async def done(self, container: str, chunks: Sequence[PendingChunk]) -> None:
        """Forget what a container has got; sources that were added meanwhile stay."""
        pairs = [(chunk.name, source) for chunk in chunks for source in chunk.sources]
        names, sources = [name for name, _ in pairs], [source for _, source in pairs]
        await self._database.query(
            "forget chunks to copy", DONE, [names, sources, container], repeatable=True
        )

    async def forget(self, container: str) -> None:
        """Forget all that a container was to get."""
        await self._database.query(
            "forget a container's copies",
            "DELETE FROM chunk_copy WHERE container = %s",
            [container],
            repeatable=True,
        )

    async def workspace_with(self, container: str) -> UUID | None:
        """The workspace that has a container."""
        rows = await self._database.query(
            "find workspace of container",
            "SELECT id FROM workspace WHERE container = %s",
            [container],
            repeatable=True,
        )
        return rows[0][0] if rows else None
