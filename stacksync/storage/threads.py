"""The threads in which the disk is waited for, so that the reactor never does.

A thread that waits for a disk can't be interrupted: who waits for the thread
is let go after a while, and the thread's result is of no use then.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from threading import Thread
from typing import Any, Generic, TypeVar

from attrs import define, field
from twisted.internet.defer import Deferred
from twisted.internet.defer import TimeoutError as DeferredTimeout
from twisted.internet.threads import deferToThreadPool
from twisted.logger import Logger
from twisted.python.failure import Failure
from twisted.python.threadpool import ThreadPool

from stacksync.errors import Unavailable
from stacksync.storage.held import GivenUp, Held

log = Logger()

PART = "storage"
STOP_SECONDS = 10.0
"""How long :meth:`DiskThreads.stop` waits for the disk before it leaves threads to their fate."""

Result = TypeVar("Result")


@define(eq=False)
class _Step(Generic[Result]):
    """Work for a thread, and who waits for it."""

    work: Callable[[], Result]
    answer: Deferred[Result] = field(factory=Deferred)

    def run(self) -> Result:
        # Still in the queue and nobody waits any more: a disk that has just
        # come back has better things to do.
        if self.answer.called:
            raise GivenUp
        return self.work()


class DiskThreads:
    """A few threads of our own, and the patience with them.

    :param reactor: an ``IReactorThreads`` and ``IReactorTime``.
    :param size: how many threads there may be; each is started when it is needed.
    :param timeout: seconds that one step may take, its wait for a thread included.
    """

    def __init__(self, reactor: Any, size: int, timeout: float) -> None:
        self._reactor = reactor
        self._timeout = timeout
        self._pool = ThreadPool(0, size, name=PART)
        # A process can end although the disk does not answer.
        self._pool.threadFactory = partial(Thread, daemon=True)  # type: ignore[assignment]
        self._runs = False
        self._under_way = 0
        self._when_idle: Deferred[None] | None = None

    def start(self) -> None:
        self._pool.start()
        self._runs = True

    async def stop(self) -> None:
        """Take no more work, and end the threads once they have done theirs."""
        if not self._runs:
            return
        self._runs = False
        if self._under_way:
            self._when_idle = Deferred()
            self._when_idle.addTimeout(STOP_SECONDS, self._reactor)
            try:
                await self._when_idle
            except DeferredTimeout:
                log.error("{count} threads still wait for the disk", count=self._under_way)
                return
        # Joining threads blocks, so a thread of the reactor's own pool does it.
        await deferToThreadPool(self._reactor, self._reactor.getThreadPool(), self._pool.stop)

    async def run(self, work: Callable[[], Result]) -> Result:
        """Do something in a thread.

        :raises Unavailable: it took too long, or :meth:`stop` was called.
        """
        if not self._runs:
            raise Unavailable(PART, "the store is not running")
        step = _Step(work)
        self._begin(step)
        step.answer.addTimeout(self._timeout, self._reactor)
        try:
            return await step.answer
        except DeferredTimeout:
            raise Unavailable(PART, f"the disk took longer than {self._timeout:g} s") from None

    def let_go(self, held: Held) -> None:
        """Drop a file; nobody waits for that."""
        if not held.drop():
            return
        if self._runs:
            self.begin(held.release)
        else:
            held.release()

    def begin(self, work: Callable[[], object]) -> None:
        """Do something in a thread that nobody waits for."""
        step = _Step(work)
        step.answer.addErrback(lambda failure: log.failure("storage: cleaning up failed", failure))
        self._begin(step)

    def _begin(self, step: _Step[Any]) -> None:
        self._under_way += 1
        self._pool.callInThreadWithCallback(
            lambda succeeded, outcome: self._reactor.callFromThread(
                self._done, step, succeeded, outcome
            ),
            step.run,
        )

    def _done(self, step: _Step[Any], succeeded: bool, outcome: Any) -> None:
        self._under_way -= 1
        if not step.answer.called:
            if succeeded:
                step.answer.callback(outcome)
            else:
                step.answer.errback(outcome)
        elif not succeeded and not _expected(outcome):
            log.failure("storage: the disk failed after nobody waited for it any more", outcome)
        if self._when_idle is not None and not self._under_way:
            idle, self._when_idle = self._when_idle, None
            if not idle.called:
                idle.callback(None)


def _expected(failure: Failure) -> bool:
    return failure.check(GivenUp, OSError, Unavailable) is not None
