"""A workspace whose chunks have still to be copied, and jobs that do so."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest_twisted
from attrs import define

from stacksync.db.chunk_copies import ChunkCopyTable
from stacksync.engine.jobs.copy import CopyJobs
from stacksync.model import Job, JobKind
from stacksync.streams import BytesStream
from tests.db.builders import World
from tests.engine.jobs.yard import Yard
from tests.storage.memory import MemoryStore


@define
class Move:
    """A workspace whose chunks are still where its items were."""

    yard: Yard
    store: MemoryStore
    copies: CopyJobs
    container: str
    source: str

    async def add(self, count: int, source: str | None = None, *, there: bool = True) -> list[str]:
        """Chunks that are to be copied; ``there``: and that the source has."""
        place = source or self.source
        await self.store.create_container(place)
        names = [f"chunk {number:05}" for number in range(count)]
        for name in names:
            if there:
                await self.store.put(place, name, BytesStream(name.encode()))
            self.list(name, place)
        return names

    def list(self, name: str, source: str) -> None:
        self.yard.psql.rows(
            "INSERT INTO chunk_copy VALUES (%s, %s, %s)", self.container, name, source
        )

    @property
    def listed(self) -> int:
        count: int = self.yard.psql.value("SELECT count(*) FROM chunk_copy")
        return count

    async def copy(self) -> tuple[Job, ...]:
        """Have one job try to copy; what is left of it."""
        await self.yard.add(f"content:{self.container}", container=self.container)
        return await self.yard.jobs(self.copies, [JobKind.COPY]).run_until_idle()


@pytest_twisted.async_yield_fixture
async def move(yard: Yard) -> AsyncIterator[Move]:
    user = await World(yard.database).user()
    container = str(
        yard.psql.value("SELECT container FROM workspace WHERE id = %s", user.workspace_id)
    )
    store = MemoryStore()
    copies = CopyJobs(ChunkCopyTable(yard.database), store, 4, yard.metrics)
    yield Move(yard, store, copies, container, "before")
