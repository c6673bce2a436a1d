"""Brings the chunks of items that have moved into the container of their new workspace.

Until a chunk is there, readers take it from where it was
(:mod:`stacksync.engine.content.fallback`), and garbage collection spares it there.
"""

from __future__ import annotations

from collections.abc import Sequence

from attrs import define, field, frozen
from twisted.internet.defer import CancelledError
from twisted.logger import Logger

from stacksync.db.chunk_copies import ChunkCopyTable, PendingChunk
from stacksync.engine.content.tasks import Tasks
from stacksync.engine.jobs.handler import Tell
from stacksync.errors import (
    ChunkNotFound,
    ContainerNotFound,
    QuotaExceeded,
    StackSyncError,
    Unavailable,
)
from stacksync.interfaces import IBlobStore
from stacksync.metrics import Metrics
from stacksync.model import Job

log = Logger()

PAGE = 100
"""Chunks after which it is written down that they are there."""

MOST_FAILURES = 10
"""So many failures without a success in between: the store is away."""


@frozen
class CopyJobs:
    """Does jobs of the kind ``copy``.

    :param at_once: how many chunks a job copies at the same time.
    """

    _table: ChunkCopyTable
    _store: IBlobStore
    _at_once: int
    _metrics: Metrics

    async def run(self, job: Job, tell: Tell) -> None:
        """See :class:`~stacksync.engine.jobs.handler.JobHandler`.

        Goes on where it was interrupted.

        :raises Unavailable: some chunks could not be copied; or there is no room for them
            in the container, until its quota is raised.
        """
        container = job.arguments["container"]
        is_kept = job.arguments.get("is_kept", False)
        if not is_kept and await self._table.workspace_with(container) is None:
            # Its items have moved on, and what they need is listed for where they are now.
            # Downloads that have begun before find the rest by what is listed here.
            return
        left = await self._table.count(container)
        if not left:
            return
        await self._store.create_container(container)
        done = job.progress
        total = done + left
        await tell(done, total)
        copying = Copying(container, self._table, self._store, self._at_once, self._metrics)
        after = ""
        while page := await self._table.pending(container, after, PAGE):
            done += await copying.copy(page)
            # What has come since the count was taken.
            total = max(total, done)
            await tell(done, total)
            copying.check()
            after = page[-1].name
        if copying.failed:
            raise copying.problem(total)


@define
class Copying:
    """The copies of one job.

    :ivar failed: how many chunks could not be copied.
    """

    _container: str
    _table: ChunkCopyTable
    _store: IBlobStore
    _at_once: int
    _metrics: Metrics
    failed: int = field(default=0, init=False)
    _in_a_row: int = field(default=0, init=False)
    _last: StackSyncError | None = field(default=None, init=False)

    async def copy(self, page: Sequence[PendingChunk]) -> int:
        """Bring a page of chunks in; how many need no copying any more."""
        done: list[PendingChunk] = []
        tasks = Tasks(self._at_once)
        try:
            for chunk in page:
                await tasks.room()
                if self._is_hopeless:
                    break
                tasks.start(self._copy(chunk, done))
            await tasks.finish()
        except BaseException:
            await tasks.give_up()
            raise
        await self._table.done(self._container, done)
        return len(done)

    def check(self) -> None:
        """:raises Unavailable: there is no point in going on."""
        if self._is_hopeless and self._last is not None:
            raise self._last

    def problem(self, total: int) -> Unavailable:
        assert self._last is not None
        told = self._last.problem if isinstance(self._last, Unavailable) else str(self._last)
        return Unavailable(
            "storage", f"{self.failed} of {total} chunks could not be copied: {told}"
        )

    @property
    def _is_hopeless(self) -> bool:
        return self._in_a_row >= MOST_FAILURES

    async def _copy(self, chunk: PendingChunk, done: list[PendingChunk]) -> None:
        try:
            await self._bring(chunk)
        except CancelledError:
            raise
        except Unavailable as error:
            self._fails(error)
            self._in_a_row += 1
        except QuotaExceeded as error:
            # A smaller one may have room.
            self._fails(error)
        else:
            self._in_a_row = 0
            done.append(chunk)

    def _fails(self, error: StackSyncError) -> None:
        self.failed += 1
        self._last = error

    async def _bring(self, chunk: PendingChunk) -> None:
        # Refreshed, not only looked for: what garbage collection holds for old must not go
        # when its row in chunk_copy is gone.
        try:
            if await self._store.refresh(self._container, chunk.name) is not None:
                return
        except ContainerNotFound:
            raise self._went_away() from None
        for source in chunk.sources:
            try:
                await self._store.copy(source, chunk.name, self._container)
            except ChunkNotFound:
                # A replica may lag behind; who is asked for the newest asks all of them.
                if await self._store.head(source, chunk.name) is not None:
                    raise Unavailable(
                        "storage", f"chunk {chunk.name} of {source} is not everywhere yet"
                    ) from None
                continue
            except ContainerNotFound as error:
                if error.identity == self._container:
                    raise self._went_away() from None
                continue
            self._metrics.chunks_copied.inc()
            return
        self._metrics.chunks_missed.inc()
        log.error(
            "chunk {name} is lost: neither container {container} nor {sources} has it",
            name=chunk.name,
            container=self._container,
            sources=", ".join(chunk.sources),
        )

    def _went_away(self) -> Unavailable:
        return Unavailable("storage", f"container {self._container} was removed meanwhile")
