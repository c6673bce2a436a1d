"""A few coroutines that run at the same time, and fail and are given up together."""

from __future__ import annotations

from collections.abc import Coroutine
from typing import Any

from twisted.internet.defer import Deferred
from twisted.python.failure import Failure


class Tasks:
    """Runs at most so many coroutines at a time.

    Ask for :meth:`room` before each :meth:`start`.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._running: set[Deferred[Any]] = set()
        self._failure: Failure | None = None
        self._waiter: Deferred[None] | None = None

    async def room(self) -> None:
        """Wait until one more may run.

        :raises Exception: what one of them has failed with.
        """
        while self._failure is None and len(self._running) >= self._most:
            await self._change()
        self._check()

    def start(self, coroutine: Coroutine[Deferred[Any], Any, Any]) -> None:
        running = Deferred.fromCoroutine(coroutine)
        self._running.add(running)
        running.addBoth(self._ended, running)

    async def finish(self) -> None:
        """Wait until all are through.

        :raises Exception: what one of them has failed with.
        """
        while self._failure is None and self._running:
            await self._change()
        self._check()

    async def give_up(self) -> None:
        """End all that run, and return when they have ended."""
        for running in tuple(self._running):
            running.cancel()
        while self._running:
            await self._change()
        self._failure = None

    def _check(self) -> None:
        if self._failure is not None:
            self._failure.raiseException()

    def _change(self) -> Deferred[None]:
        self._waiter = Deferred()
        return self._waiter

    def _ended(self, outcome: object, running: Deferred[Any]) -> None:
        self._running.discard(running)
        if isinstance(outcome, Failure) and self._failure is None:
            self._failure = outcome
        waiter, self._waiter = self._waiter, None
        if waiter is not None and not waiter.called:
            waiter.callback(None)
