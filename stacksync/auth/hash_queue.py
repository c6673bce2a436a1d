"""The threads that password hashes are computed in, and who waits for them.

A hash costs tens of milliseconds and tens of megabytes by design, so there are
few threads, and bounded queues before them.  Whoever can send requests can
make hashes be computed: strangers therefore have a lane of their own, which
can fill up without anybody else having to wait, and leave one thread free
where there are two or more.  Within a lane everybody gets a turn, however much
a single one wants.  What is computed is not known here.
"""

from __future__ import annotations

from collections.abc import Callable
from threading import Thread
from typing import TYPE_CHECKING, Any, TypeVar

from attrs import define, field
from twisted.internet.threads import deferToThreadPool
from twisted.python.failure import Failure
from twisted.python.threadpool import ThreadPool

from stacksync.auth.turns import Lane, TakingTurns, Turn, Waiting
from stacksync.errors import TooManyRequests, Unavailable

if TYPE_CHECKING:
    from twisted.internet.interfaces import IReactorThreads

QUEUE_MAX = 64

Answer = TypeVar("Answer")


class HashThread(Thread):
    """A thread that does not keep the process alive: a hash may be lost with it."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, daemon=True, **options)


@define(eq=False)
class HashQueue:
    """Computes in threads, in the order of the lanes.

    The pool starts with the first work; :meth:`stop` ends it, for good.

    :param threads: how many compute at the same time.
    :param queue_max: how many may wait or be computed in each lane.
    """

    _reactor: IReactorThreads
    _threads: int
    _queue_max: int = QUEUE_MAX
    _pool: ThreadPool | None = field(init=False, default=None)
    _lanes: dict[Lane, TakingTurns] = field(init=False)
    _running: dict[Lane, int] = field(init=False)
    _stopped: bool = field(init=False, default=False)

    def __attrs_post_init__(self) -> None:
        self._lanes = {lane: TakingTurns() for lane in Lane}
        self._running = dict.fromkeys(Lane, 0)

    async def run(self, turn: Turn, work: Callable[[], Answer]) -> Answer:
        """What the work returns or raises.

        Who gives up waiting leaves the work to be done all the same.

        :raises TooManyRequests: too many wait in this lane already; those go first of
            whom there are most.
        :raises Unavailable: the queue was stopped.
        """
        if self._stopped:
            raise stopping()
        waiting = Waiting(work)
        lane = self._lanes[turn.lane]
        lane.add(turn.who, waiting)
        if self.busy(turn.lane) > self._queue_max:
            lane.drop_one().answer.errback(too_many())
        self._go_on()
        found: Answer = await waiting.answer
        return found

    def busy(self, lane: Lane) -> int:
        """How many of a lane wait or are being computed."""
        return len(self._lanes[lane]) + self._running[lane]

    async def stop(self) -> None:
        """End the threads, when the work under way in each is done; the rest is not done."""
        self._stopped = True
        for lane in self._lanes.values():
            while lane:
                lane.next().answer.errback(stopping())
        pool, self._pool = self._pool, None
        if pool is not None:
            # Joining threads blocks, so a thread of the reactor's own pool does it.
            await deferToThreadPool(self._reactor, self._reactor.getThreadPool(), pool.stop)

    def _go_on(self) -> None:
        while sum(self._running.values()) < self._threads:
            lane = self._next()
            if lane is None:
                return
            self._begin(lane, self._lanes[lane].next())

    def _next(self) -> Lane | None:
        for lane in Lane:
            if self._lanes[lane] and (lane is Lane.KNOWN or self._may_be_others()):
                return lane
        return None

    def _may_be_others(self) -> bool:
        others = self._running[Lane.STRANGER] + self._running[Lane.SPARE]
        return others < max(1, self._threads - 1)

    def _begin(self, lane: Lane, waiting: Waiting) -> None:
        if self._pool is None:
            self._pool = ThreadPool(0, self._threads, name="passwords")
            self._pool.threadFactory = HashThread
            self._pool.start()
        self._running[lane] += 1
        self._pool.callInThreadWithCallback(
            lambda succeeded, outcome: self._reactor.callFromThread(
                self._done, lane, waiting, outcome
            ),
            waiting.work,
        )

    def _done(self, lane: Lane, waiting: Waiting, outcome: Any) -> None:
        # Only here is the thread free again, even where the caller has given up long ago.
        self._running[lane] -= 1
        if not self._stopped:
            self._go_on()
        if isinstance(outcome, Failure):
            waiting.answer.errback(outcome)
        else:
            waiting.answer.callback(outcome)


def too_many() -> TooManyRequests:
    return TooManyRequests("too many passwords are being checked", retry_after=1.0)


def stopping() -> Unavailable:
    return Unavailable("passwords", "the server is stopping")
