"""Removes the chunk objects of a workspace that nothing refers to and nobody is about to.

Safe beside uploads and commits, and however often it is interrupted: what is
referred to is never removed, and what was stored or asked for within the grace
time neither (``docs/operations.rst``, *Why nothing is lost*).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from attrs import define, field, frozen
from twisted.internet.defer import Deferred, DeferredList

from stacksync.db.garbage import GarbageTable
from stacksync.db.item_pages import Place
from stacksync.db.known_workspaces import KnownWorkspace
from stacksync.db.retention import Limits
from stacksync.engine.upkeep import Progress
from stacksync.errors import ContainerNotFound
from stacksync.interfaces import IBlobStore

LISTED = 10_000
"""Objects that are listed at a time; a store may have to look at all names for each list."""

REMOVED = 50
"""The most objects that are removed while a workspace's commits wait."""

AT_ONCE = 4
"""How many objects are asked for or removed at the same time."""

LOCKED = 0.2
"""Seconds after which no further object is removed before commits have had their turn."""


@frozen
class Swept:
    """How many objects went, or would go, and how many bytes they took in the store."""

    chunks: int = 0
    bytes: int = 0

    def __bool__(self) -> bool:
        return bool(self.chunks)


@define
class ChunkSweep:
    """Looks through one container after the other.

    :param seconds: a clock that never goes back.
    :param cutoff: what was stored or refreshed since then stays.
    :param dry_run: count only.
    """

    _table: GarbageTable
    _store: IBlobStore
    _seconds: Callable[[], float]
    _progress: Progress
    _cutoff: datetime
    _dry_run: bool = False
    so_far: Swept = field(factory=Swept, init=False)
    """What has gone from the workspace that is being swept, or was last."""

    async def sweep(self, workspace: KnownWorkspace, pruned: Limits) -> Swept:
        """Remove the garbage of a workspace.

        :param pruned: in a dry run, count as if this had been applied.
        :raises Unavailable: the database or the store is away; what is
            removed is removed.
        """
        self.so_far = Swept()
        latest = await self._table.begin(workspace.id)
        if latest is None or not await self._list(workspace):
            return Swept()
        await self._spare(workspace, latest, pruned if self._dry_run else None)
        if self._dry_run:
            self.so_far = await self._count()
        else:
            await self._remove(workspace, latest)
        return self.so_far

    async def _list(self, workspace: KnownWorkspace) -> int:
        """Note the old objects; how many there are."""
        after = ""
        seen = old = 0
        while True:
            try:
                page = await self._store.list(workspace.container, after, LISTED)
            except ContainerNotFound:
                return old
            seen += len(page)
            aged = [each for each in page if each.modified_at < self._cutoff]
            if aged:
                await self._table.add(aged)
            old += len(aged)
            self._progress(f"{workspace.owner_email}: {seen} chunks listed, {old} of them old")
            if len(page) < LISTED:
                return old
            after = page[-1].name

    async def _spare(self, workspace: KnownWorkspace, latest: int, pruned: Limits | None) -> None:
        await self._table.spare_uploads(workspace.id, pruned.now if pruned is not None else None)
        await self._table.spare_copied(workspace.id)
        place: Place | None = Place()
        while place is not None:
            self._progress(
                f"{workspace.owner_email}: looking for references, up to revision"
                f" {max(place.revision, 0)} of {latest}"
            )
            place = await self._table.spare_page(workspace.id, latest, place, pruned)

    async def _count(self) -> Swept:
        chunks = size = 0
        after = ""
        while old := await self._table.old(after, LISTED):
            chunks += len(old)
            size += sum(each for _, each in old)
            after = old[-1][0]
        return Swept(chunks, size)

    async def _remove(self, workspace: KnownWorkspace, since: int) -> None:
        await self._table.reprieve(workspace.id)
        after = ""
        while True:
            reached = await self._table.spare_changed(workspace.id, since)
            if reached is None:
                return
            since = reached
            names = [name for name, _ in await self._table.old(after, REMOVED)]
            if not names:
                return
            await self._table.doom(workspace.id, names)
            while names:
                done = await self._table.remove(
                    workspace.id, names, since, lambda left: self._delete(workspace, left)
                )
                after = max(after, *done, key=str.encode) if done else after
                names = [name for name in names if name not in set(done)]
            self._progress(f"{workspace.owner_email}: {self.so_far.chunks} chunks removed")

    async def _delete(self, workspace: KnownWorkspace, names: Sequence[str]) -> Sequence[str]:
        """Delete those that are still old, while commits may wait; which were looked at."""
        end = self._seconds() + LOCKED
        left = list(reversed(names))
        done: list[str] = []

        async def work() -> None:
            while left:
                name = left.pop()
                await self._delete_one(workspace.container, name)
                done.append(name)
                if self._seconds() >= end:
                    return

        # Not one may be on its way when the locks are gone: whoever waits for
        # them takes what is there then for something that stays.
        workers = [Deferred.fromCoroutine(work()) for _ in range(min(AT_ONCE, len(names)))]
        outcomes: list[tuple[bool, Any]] = await DeferredList(workers, consumeErrors=True)
        for succeeded, outcome in outcomes:
            if not succeeded:
                outcome.raiseException()
        return done

    async def _delete_one(self, container: str, name: str) -> None:
        try:
            info = await self._store.head(container, name)
        except ContainerNotFound:
            return
        if info is None or info.modified_at >= self._cutoff:
            return
        if await self._store.delete(container, name):
            self.so_far = Swept(self.so_far.chunks + 1, self.so_far.bytes + info.size)
