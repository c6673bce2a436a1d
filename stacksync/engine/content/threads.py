"""The threads that cut, hash and compress, so that the reactor does not.

What runs in them takes some milliseconds, waits for nothing and touches
nothing of the reactor's.
"""

from __future__ import annotations

from collections.abc import Callable
from threading import Thread
from typing import Any, ParamSpec, TypeVar

from attrs import define, field
from twisted.internet.defer import Deferred
from twisted.python.failure import Failure
from twisted.python.threadpool import ThreadPool

from stacksync.errors import Unavailable

Arguments = ParamSpec("Arguments")
Answer = TypeVar("Answer")


class ContentThread(Thread):
    """A thread that does not keep the process alive: nothing that it does must be finished."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, daemon=True, **options)


@define(eq=False)
class ContentThreads:
    """A pool that begins with the first piece of work; :meth:`stop` ends it, for good.

    :param most: how many threads it may have.
    """

    _reactor: Any
    _most: int
    _pool: ThreadPool | None = field(init=False, default=None)
    _stopped: bool = field(init=False, default=False)

    async def run(
        self,
        work: Callable[Arguments, Answer],
        *arguments: Arguments.args,
        **options: Arguments.kwargs,
    ) -> Answer:
        """What the work returns or raises.  To cancel this leaves the work to its end.

        :raises Unavailable: the pool has been stopped.
        """
        if self._stopped:
            raise Unavailable("content", "the server is stopping")
        if self._pool is None:
            self._pool = ThreadPool(0, self._most, name="content")
            self._pool.threadFactory = ContentThread
            self._pool.start()
        answer: Deferred[Answer] = Deferred()
        self._pool.callInThreadWithCallback(
            lambda succeeded, outcome: self._reactor.callFromThread(settle, answer, outcome),
            work,
            *arguments,
            **options,
        )
        return await answer

    def stop(self) -> None:
        """Take nothing new; the threads end when they are through with what they have."""
        self._stopped = True
        pool, self._pool = self._pool, None
        if pool is not None:
            # Joining threads blocks, so a thread of the reactor's own pool does it.
            self._reactor.callInThread(pool.stop)


def settle(answer: Deferred[Answer], outcome: Answer | Failure) -> None:
    if isinstance(outcome, Failure):
        answer.errback(outcome)
    else:
        answer.callback(outcome)
