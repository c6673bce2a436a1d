"""The work that requests leave behind: claimed, done, tried again, and shown to the operator.

A job is written in the transaction that needs it (:class:`stacksync.db.jobs.JobTable`), and done
by any instance afterwards, at least once.  What each kind does is in a module of its own here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol
from uuid import UUID

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall
from twisted.logger import Logger

from stacksync.db.jobs import JobFigures, JobTable
from stacksync.engine.jobs.claims import LEASE
from stacksync.engine.jobs.handler import JobHandler, Tell
from stacksync.engine.jobs.running import RunningJobs
from stacksync.errors import JobNotFound, Unavailable
from stacksync.metrics import Metrics
from stacksync.model import Job, JobKind, JobState

__all__ = ["JobHandler", "JobSettings", "Jobs", "Tell"]

log = Logger()

TIDIED = 600.0
"""Seconds between two looks for what is done for long, and for what nobody here can do."""

UNKNOWN = "this kind of job is known to another version of StackSync only"


class JobSettings(Protocol):
    """What there is to know; ``stacksync.config`` has it."""

    @property
    def at_once(self) -> int: ...
    @property
    def copies_at_once(self) -> int: ...
    @property
    def poll(self) -> float: ...
    @property
    def longest_delay(self) -> float: ...
    @property
    def keep_done(self) -> float: ...


class Jobs:
    """Does jobs in the background, and tells the operator how they stand.

    :param handlers: what does each kind.
    :param lease: seconds after which the jobs of an instance that was killed are anybody's.
    """

    def __init__(
        self,
        reactor: Any,
        table: JobTable,
        handlers: Mapping[JobKind, JobHandler],
        settings: JobSettings,
        metrics: Metrics,
        lease: float = LEASE,
    ) -> None:
        self._reactor = reactor
        self._table = table
        self._kinds = tuple(handlers)
        self._settings = settings
        self._running = RunningJobs(
            reactor, table, handlers, settings.longest_delay, metrics, lease
        )
        self._is_started = False
        self._looking: Deferred[None] | None = None
        self._look_again = False
        self._timer: IDelayedCall | None = None
        self._tidied = reactor.seconds() - TIDIED

    def start(self) -> None:
        """Begin to do what there is to do, and to look for more."""
        self._is_started = True
        self._running.claims.start()
        self.wake()

    async def stop(self) -> None:
        """Take nothing more, and let others go on with what is not done; may be called twice."""
        was_started, self._is_started = self._is_started, False
        if self._timer is not None and self._timer.active():
            self._timer.cancel()
        if not was_started and not len(self._running):
            return
        if self._looking is not None:
            # What is being claimed would otherwise be held by nobody until the claim runs out.
            await self._looking
        await self._running.give_up()

    def wake(self) -> None:
        """Look for jobs now: a transaction that has left some is committed."""
        if not self._is_started:
            return
        if self._looking is not None:
            self._look_again = True
            return
        self._looking = Deferred()
        Deferred.fromCoroutine(self._look()).addBoth(self._looked, self._looking)

    async def run_until_idle(self, kinds: Sequence[JobKind] | None = None) -> tuple[Job, ...]:
        """Do, once each, all jobs that can be done now; for commands, which have no background.

        :param kinds: of these kinds; else of all but notifications, which only a service
            with its front-ends can give.
        :returns: those that failed, each with its problem.
        :raises Unavailable: the database is away.
        """
        wanted = kinds or [kind for kind in self._kinds if kind is not JobKind.NOTIFY]
        failed: list[int] = []
        self._running.claims.start()
        try:
            while jobs := await self._running.claims.take(wanted, self._settings.at_once, failed):
                under_way = [(job.id, self._running.begin(job)) for job in jobs]
                failed += [job_id for job_id, end in under_way if await end is not None]
        finally:
            if not self._is_started:
                await self._running.give_up()
        found = [await self._table.by_id(job_id) for job_id in failed]
        return tuple(job for job in found if job is not None and job.state is not JobState.DONE)

    async def list(self, *, done: bool = False) -> tuple[Job, ...]:
        """Jobs by id: those that are not done yet, or all that are kept."""
        return await self._table.list(done=done)

    async def show(self, job_id: int) -> Job:
        """One job.

        :raises JobNotFound: no such job, or it was done long ago.
        """
        job = await self._table.by_id(job_id)
        if job is None:
            raise JobNotFound(job_id)
        return job

    async def retry(self, job_id: int | None = None) -> Sequence[int]:
        """Let a job, or all that have failed, be tried without further waiting; which those are.

        :raises JobNotFound: no such job that is not done.
        """
        found = await self._table.retry(job_id)
        if job_id is not None and not found:
            raise JobNotFound(job_id)
        self.wake()
        return found

    async def is_unfinished(self, account_id: UUID) -> bool:
        """Whether a container of an account is still to be made, or opened to its members."""
        return await self._table.concerns(account_id)

    async def figures(self) -> tuple[JobFigures, ...]:
        """How the jobs of all instances stand, by kind."""
        return await self._table.figures()

    async def _look(self) -> None:
        try:
            await self._begin_what_can_be_done()
            if self._reactor.seconds() - self._tidied >= TIDIED:
                self._tidied = self._reactor.seconds()
                await self._table.forget(self._settings.keep_done)
                await self._table.note_unknown(self._kinds, UNKNOWN)
        except Unavailable as error:
            log.debug("jobs: {problem}", problem=str(error))
        except Exception:
            log.failure("jobs: could not look for them")

    async def _begin_what_can_be_done(self) -> None:
        while self._is_started:
            self._look_again = False
            room = self._settings.at_once - len(self._running)
            if room > 0:
                for job in await self._running.claims.take(self._kinds, room):
                    if self._is_started:
                        self._running.begin(job).addCallback(self._ended)
            if not self._look_again:
                return

    def _looked(self, _: object, looking: Deferred[None]) -> None:
        self._looking = None
        looking.callback(None)
        if self._look_again:
            self._look_again = False
            self.wake()
        else:
            self._look_in(self._settings.poll)

    def _ended(self, delay: float | None) -> None:
        # There is room for another one, and there may be one that has waited for this.
        self.wake()
        if delay is not None:
            self._look_in(delay)

    def _look_in(self, seconds: float) -> None:
        """Look after so many seconds at the latest."""
        if not self._is_started:
            return
        if self._timer is not None and self._timer.active():
            if self._timer.getTime() <= self._reactor.seconds() + seconds:
                return
            self._timer.cancel()
        self._timer = self._reactor.callLater(seconds, self.wake)
