"""A fixed number of connections, kept alive.

A connection that breaks is replaced in the background, with jittered
back-off.  Who needs one waits in line for a bounded time.  No SQL here.
"""

from __future__ import annotations

import random
from collections import deque
from typing import Any

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.error import AlreadyCalled, AlreadyCancelled
from twisted.internet.interfaces import IDelayedCall
from twisted.logger import Logger

from stacksync.db.connection import Connection, first_line
from stacksync.errors import Overloaded, Unavailable

log = Logger()

FIRST_DELAY = 0.1
LONGEST_DELAY = 5.0


def backoff(attempt: int) -> float:
    """Seconds to wait before try number ``attempt`` (from 1): doubling, jittered."""
    delay: float = min(LONGEST_DELAY, FIRST_DELAY * 2 ** min(attempt - 1, 10))
    return delay * random.uniform(0.5, 1.0)


class Pool:
    """Connections to one database.

    :param dsn: a libpq connection string (see :func:`connection.session_dsn`).
    :param size: how many connections to hold.
    """

    def __init__(self, reactor: Any, dsn: str, size: int) -> None:
        self._reactor = reactor
        self._dsn = dsn
        self._size = size
        self._idle: deque[Connection] = deque()
        self._busy: set[Connection] = set()
        self._waiting: deque[Deferred[Connection]] = deque()
        self._retries: set[IDelayedCall] = set()
        self._connecting: set[Deferred[None]] = set()
        self._running = False
        self.outage: str | None = "not connected yet"
        """Why there is no connection now, or ``None``."""

    def start(self) -> None:
        """Begin to connect; returns at once."""
        self._running = True
        for _ in range(self._size):
            self._connect(1)

    def stop(self) -> None:
        """Close everything; whoever waits gets :class:`Unavailable`."""
        self._running = False
        self.outage = "shutting down"
        for retry in self._retries:
            retry.cancel()
        self._retries.clear()
        for attempt in tuple(self._connecting):
            attempt.cancel()
        for connection in (*self._idle, *self._busy):
            connection.on_lost = None
            connection.close()
        self._idle.clear()
        self._busy.clear()
        while self._waiting:
            self._waiting.popleft().errback(Unavailable("database", self.outage))

    def acquire(self, wait: float) -> Deferred[Connection]:
        """A connection for the caller alone, to be given back with :meth:`release`.

        :param wait: seconds to wait for one at the most.
        :raises Unavailable: none came free in time.
        """
        waiter: Deferred[Connection] = Deferred(self._forget)
        if self._idle:
            connection = self._idle.pop()
            self._busy.add(connection)
            waiter.callback(connection)
        elif not self._running:
            waiter.errback(Unavailable("database", self.outage or "shutting down"))
        else:
            self._waiting.append(waiter)
            timer = self._reactor.callLater(wait, self._give_up, waiter, wait)
            waiter.addBoth(self._stop_timer, timer)
        return waiter

    def release(self, connection: Connection) -> None:
        """Give back a connection; a broken one is replaced."""
        if connection not in self._busy:
            return
        self._busy.discard(connection)
        if connection.is_broken:
            self._replace(connection, "the connection was lost")
        elif not self._running:
            connection.close()
        else:
            self._hand_out(connection)

    def _hand_out(self, connection: Connection) -> None:
        if self._waiting:
            self._busy.add(connection)
            self._waiting.popleft().callback(connection)
        else:
            self._idle.append(connection)

    def _forget(self, waiter: Deferred[Connection]) -> None:
        if waiter in self._waiting:
            self._waiting.remove(waiter)

    def _give_up(self, waiter: Deferred[Connection], waited: float) -> None:
        self._forget(waiter)
        if self.outage is not None:
            error = Unavailable("database", f"{self.outage} (waited {waited:g} s)")
        else:
            problem = f"all {self._size} connections were busy for {waited:g} s"
            error = Overloaded("database", problem)
        waiter.errback(error)

    @staticmethod
    def _stop_timer(result: Any, timer: IDelayedCall) -> Any:
        try:
            timer.cancel()
        except (AlreadyCalled, AlreadyCancelled):
            pass
        return result

    def _connect(self, attempt: int) -> None:
        connecting = Deferred.fromCoroutine(self._open(attempt))
        self._connecting.add(connecting)
        connecting.addErrback(lambda failure: failure.trap(CancelledError) and None)
        connecting.addBoth(lambda _: self._connecting.discard(connecting))

    async def _open(self, attempt: int) -> None:
        connection = Connection(self._reactor)
        try:
            await connection.open(self._dsn, self._reactor)
        except Unavailable as error:
            self._retry(attempt, error.problem)
            return
        if not self._running:
            connection.close()
            return
        if self.outage is not None:
            log.info("database: connected")
            self.outage = None
        connection.on_lost = self._lost
        self._hand_out(connection)

    def _retry(self, attempt: int, problem: str) -> None:
        if not self._running:
            return
        if not self._idle and not self._busy:
            if problem != self.outage:
                log.warn("database: {problem}; trying again", problem=problem)
            self.outage = problem

        def try_again() -> None:
            self._retries.discard(retry)
            self._connect(attempt + 1)

        retry: IDelayedCall = self._reactor.callLater(backoff(attempt), try_again)
        self._retries.add(retry)

    def _lost(self, connection: Connection, error: BaseException) -> None:
        # A busy one is replaced when it is given back.
        if connection in self._idle:
            self._idle.remove(connection)
            self._replace(connection, first_line(error))

    def _replace(self, connection: Connection, problem: str) -> None:
        connection.on_lost = None
        connection.close()
        self._retry(1, problem)
