"""Does claimed jobs, and writes down what became of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from twisted.internet.defer import CancelledError, Deferred
from twisted.logger import Logger
from twisted.python.failure import Failure

from stacksync.db.jobs import JobTable
from stacksync.engine.jobs.claims import LEASE, Claims
from stacksync.engine.jobs.delays import delay_after
from stacksync.engine.jobs.handler import JobHandler
from stacksync.errors import StackSyncError, Unavailable
from stacksync.metrics import Metrics
from stacksync.model import Job, JobKind

log = Logger()

PROBLEM_LENGTH = 500


class RunningJobs:
    """The jobs that this instance does now.

    :param longest_delay: seconds that a job which keeps failing waits at most.
    :ivar claims: what is claimed.
    """

    def __init__(
        self,
        reactor: Any,
        table: JobTable,
        handlers: Mapping[JobKind, JobHandler],
        longest_delay: float,
        metrics: Metrics,
        lease: float = LEASE,
    ) -> None:
        self._table = table
        self._handlers = handlers
        self._longest_delay = longest_delay
        self._metrics = metrics
        self._running: dict[int, Deferred[float | None]] = {}
        self._change: Deferred[None] | None = None
        self.claims = Claims(reactor, table, self._cancel, lease)

    def __len__(self) -> int:
        return len(self._running)

    def begin(self, job: Job) -> Deferred[float | None]:
        """Do a job; gives the seconds to its next try, or ``None``: it is done, or not ours.

        It never fails.
        """
        told: Deferred[float | None] = Deferred()
        running = Deferred.fromCoroutine(self._do(job))
        self._running[job.id] = running

        def ended(outcome: float | Failure | None) -> None:
            self._running.pop(job.id, None)
            self.claims.drop(job.id)
            told.callback(None if isinstance(outcome, Failure) else outcome)
            change, self._change = self._change, None
            if change is not None:
                change.callback(None)

        running.addBoth(ended)
        return told

    async def give_up(self) -> None:
        """End all jobs, and let others go on with them."""
        for job_id in tuple(self._running):
            self._cancel(job_id)
        while self._running:
            self._change = Deferred()
            await self._change
        self.claims.stop()
        try:
            await self.claims.release()
        except Unavailable as error:
            log.debug("jobs: not released: {problem}", problem=str(error))

    def _cancel(self, job_id: int) -> None:
        running = self._running.get(job_id)
        if running is not None:
            running.cancel()

    async def _do(self, job: Job) -> float | None:
        progress = job.progress

        async def tell(done: int, total: int) -> None:
            nonlocal progress
            progress = max(progress, done)
            await self._table.tell(self.claims.name, job.id, done, total)

        try:
            await self._handlers[job.kind].run(job, tell)
            await self._table.finish(self.claims.name, job.id)
        except CancelledError:
            log.debug("jobs: job {id} was given up", id=job.id)
            return None
        except Exception as error:
            return await self._failed(job, error, moved=progress > job.progress)
        self._metrics.jobs_done.labels(job.kind).inc()
        return None

    async def _failed(self, job: Job, error: Exception, *, moved: bool) -> float | None:
        # Who got further has not failed in vain: the next try comes soon.
        attempts = 1 if moved else job.attempts + 1
        delay = delay_after(attempts, self._longest_delay)
        if isinstance(error, StackSyncError):
            problem = first_line(str(error))
            log.info(
                "job {id} ({kind}): {problem}; again in {delay:.1f} s",
                id=job.id,
                kind=str(job.kind),
                problem=problem,
                delay=delay,
            )
        else:
            problem = f"{type(error).__name__}, a fault of the service: see its log"
            log.failure("job {id} ({kind}) failed", id=job.id, kind=str(job.kind))
        self._metrics.jobs_failed.labels(job.kind).inc()
        try:
            await self._table.fail(self.claims.name, job.id, attempts, problem, delay)
        except CancelledError:
            return None
        except Unavailable as away:
            # The claim runs out, and then the job is tried again.
            log.debug("job {id}: {problem}", id=job.id, problem=str(away))
        except Exception:
            log.failure("job {id}: its failure could not be noted", id=job.id)
        return delay


def first_line(text: str) -> str:
    return (text.strip().splitlines() or [""])[0][:PROBLEM_LENGTH]
