"""A place to leave jobs at and have them done: by handlers that write down what they did."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from attrs import define, evolve, field
from twisted.internet import reactor
from twisted.internet.defer import Deferred

from stacksync.config import Config
from stacksync.db.database import Database, Transaction
from stacksync.db.jobs import JobTable
from stacksync.engine.jobs import JobHandler, Jobs, Tell
from stacksync.errors import Unavailable
from stacksync.metrics import Metrics
from stacksync.model import Job, JobKind, JobState
from tests.db.observation import Psql, until

SETTINGS = evolve(Config().jobs, poll=0.05, longest_delay=0.1)

Work = Callable[[Job, Tell], Awaitable[None]]


@define(eq=False)
class Recorder:
    """Writes down which jobs began and ended; a test may say what happens in between.

    :ivar running: the jobs under way, and ``most`` of them that there were at the same time.
    :ivar clashes: queues of which two jobs were under way at the same time.
    """

    work: Work | None = None
    began: list[int] = field(factory=list)
    done: list[int] = field(factory=list)
    cancelled: list[int] = field(factory=list)
    running: list[Job] = field(factory=list)
    clashes: list[str] = field(factory=list)
    most: int = 0

    async def run(self, job: Job, tell: Tell) -> None:
        self.clashes += [each.queue for each in self.running if each.queue == job.queue]
        self.began.append(job.id)
        self.running.append(job)
        self.most = max(self.most, len(self.running))
        try:
            if self.work is not None:
                await self.work(job, tell)
            self.done.append(job.id)
        except Unavailable:
            raise
        except BaseException:
            self.cancelled.append(job.id)
            raise
        finally:
            self.running.remove(job)


@define(eq=False)
class Stalled:
    """Work that goes on only when the test says so."""

    waiting: list[Deferred[None]] = field(factory=list)

    async def __call__(self, job: Job, tell: Tell) -> None:
        waiter: Deferred[None] = Deferred()
        self.waiting.append(waiter)
        await waiter

    def go_on(self) -> None:
        waiting, self.waiting = self.waiting, []
        for waiter in waiting:
            waiter.callback(None)


@define(eq=False)
class Yard:
    """One database with jobs, and instances that do them."""

    database: Database
    psql: Psql
    table: JobTable = field(init=False)
    metrics: Metrics = field(factory=Metrics)
    instances: list[Jobs] = field(factory=list)

    def __attrs_post_init__(self) -> None:
        self.table = JobTable(self.database)

    def jobs(
        self,
        handler: JobHandler,
        kinds: Sequence[JobKind] = tuple(JobKind),
        *,
        clock: Any = reactor,
        database: Database | None = None,
        lease: float = 30.0,
        **settings: Any,
    ) -> Jobs:
        """An instance, not started, whose every kind of job is this handler's."""
        made = Jobs(
            clock,
            JobTable(database or self.database),
            dict.fromkeys(kinds, handler),
            evolve(SETTINGS, **settings),
            self.metrics,
            lease,
        )
        self.instances.append(made)
        return made

    async def add(
        self,
        queue: str = "queue",
        kind: JobKind = JobKind.COPY,
        *,
        after: int | None = None,
        delay: float = 0.0,
        **arguments: Any,
    ) -> int:
        async def work(transaction: Transaction) -> int:
            return await self.table.add(
                transaction, kind, queue, arguments, after_id=after, delay=delay
            )

        return await self.database.transaction("add job", work)

    async def job(self, job_id: int) -> Job:
        job = await self.table.by_id(job_id)
        assert job is not None
        return job

    def state(self, job_id: int) -> JobState:
        """At this moment, seen from outside."""
        done, running = self.psql.rows(
            "SELECT finished_at IS NOT NULL, coalesce(claimed_until > now(), false) FROM job"
            " WHERE id = %s",
            job_id,
        )[0]
        return JobState.DONE if done else JobState.RUNNING if running else JobState.WAITING

    async def all_done(self, seconds: float = 30.0) -> None:
        await until(
            lambda: not self.psql.value("SELECT count(*) FROM job WHERE finished_at IS NULL"),
            seconds,
        )

    async def stop(self) -> None:
        for instance in self.instances:
            await instance.stop()
