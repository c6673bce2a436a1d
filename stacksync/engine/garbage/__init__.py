"""Garbage collection: forgets the past beyond what is kept, then removes what it consisted of.

Only the operator runs it, one at a time; it may be ended at any moment, and
the next one finishes what it has begun.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from attrs import define, evolve, field, frozen
from twisted.internet.task import deferLater

from stacksync.db.garbage import GarbageTable
from stacksync.db.known_workspaces import KnownWorkspace, known_containers, known_workspaces
from stacksync.db.retention import Limits, RetentionTable
from stacksync.db.session import Session, alone
from stacksync.engine.garbage.chunk_sweep import ChunkSweep, Swept
from stacksync.engine.garbage.retention import REPEATED, Forgotten, Retention, RetentionSettings
from stacksync.engine.upkeep import Progress, nobody_watches
from stacksync.interfaces import IBlobStore

GRACE = timedelta(days=7)
"""How long a chunk stays at least after it was stored or asked for, unless told otherwise."""

SAFE_GRACE = timedelta(hours=1)
"""With less, an upload or a commit of a device may come too late for the chunks that it needs."""


CONTAINERS_AT_ONCE = 1000


@frozen
class Collected:
    """What went from a workspace, or in a dry run would go."""

    workspace: KnownWorkspace
    forgotten: Forgotten = field(factory=Forgotten)
    swept: Swept = field(factory=Swept)

    def __bool__(self) -> bool:
        return bool(self.forgotten or self.swept)


@define
class GarbageCollection:
    """One collection over all workspaces.

    :param dsn: of :class:`~stacksync.db.database.Database`.
    :param grace: chunks that were stored or asked for within this time stay.
    :param settle: seconds for which a request may go on with a version that it
        has read before that was forgotten: so long after forgetting, nothing is removed.
    :param clock: the time as the store tells it.
    :ivar collected: what has gone so far, by workspace; right at any moment.
    :ivar unknown_containers: what the store holds for no workspace; it is left alone.
    """

    _reactor: Any
    _dsn: str
    _store: IBlobStore
    _settings: RetentionSettings
    _grace: timedelta = GRACE
    _settle: float = 60.0
    _dry_run: bool = False
    _progress: Progress = nobody_watches
    _clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    _repeated: timedelta = REPEATED
    collected: dict[UUID, Collected] = field(factory=dict, init=False)
    unknown_containers: list[str] = field(factory=list, init=False)

    async def run(self) -> None:
        """Collect.

        :raises Conflict: another collection or repair is under way.
        :raises Unavailable: the database or the store is away.
        """
        cutoff = self._clock() - self._grace
        async with alone(self._reactor, self._dsn) as session:
            limits = await self._forget(session)
            if self.collected and not self._dry_run:
                await self._wait()
            await self._sweep(session, limits, cutoff)
            await self._look_for_strangers(session)

    async def _forget(self, session: Session) -> Limits:
        retention = Retention(
            RetentionTable(session), self._settings, self._progress, self._repeated
        )
        limits = await retention.limits()
        async for workspace in known_workspaces(session):
            try:
                await retention.apply(workspace, limits, dry_run=self._dry_run)
            finally:
                self._note(Collected(workspace, retention.so_far))
        return limits

    async def _sweep(self, session: Session, limits: Limits, cutoff: datetime) -> None:
        sweep = ChunkSweep(
            GarbageTable(session),
            self._store,
            self._reactor.seconds,
            self._progress,
            cutoff,
            self._dry_run,
        )
        async for workspace in known_workspaces(session):
            known = self.collected.get(workspace.id, Collected(workspace))
            try:
                await sweep.sweep(workspace, limits)
            finally:
                self._note(evolve(known, swept=sweep.so_far))

    async def _look_for_strangers(self, session: Session) -> None:
        """Containers of no workspace: an operator's, or of a database that was restored."""
        after = ""
        while names := await self._store.containers(after, CONTAINERS_AT_ONCE):
            known = await known_containers(session, names)
            self.unknown_containers.extend(name for name in names if name not in known)
            after = names[-1]

    def _note(self, collected: Collected) -> None:
        if collected:
            self.collected[collected.workspace.id] = collected

    async def _wait(self) -> None:
        seconds = min(self._settle, self._grace.total_seconds())
        if seconds > 0:
            self._progress(f"waiting {seconds:g} s for requests that know what was forgotten")
            await deferLater(self._reactor, seconds)
