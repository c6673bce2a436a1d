"""Statements and transactions on the pool: labels, retries, time limits, hooks.

The only way in which the rest of ``db/`` reaches PostgreSQL.
"""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable
from typing import Any, Protocol, TypeVar

from psycopg2.sql import Composed
from twisted.internet.defer import Deferred
from twisted.internet.defer import TimeoutError as DeferredTimeout
from twisted.internet.error import ConnectionDone
from twisted.internet.task import deferLater
from twisted.logger import Logger
from twisted.python.failure import Failure
from zope.interface import implementer

from stacksync.db.connection import (
    SERIALIZATION_FAILURES,
    Arguments,
    Connection,
    ConnectionGone,
    Cursor,
    Row,
    domain_error,
    fetched,
    session_dsn,
    uncancelled,
)
from stacksync.db.pool import Pool, backoff
from stacksync.errors import Overloaded, Unavailable
from stacksync.interfaces import IHealthCheck

log = Logger()

T = TypeVar("T")

TRIES = 6
"""How often a statement or transaction runs that serialization failures or deadlocks end."""

SLOW = 1.0
"""Seconds after which a statement or transaction is worth a line in the log."""

CHECK_TIMEOUT = 2.0


class DatabaseSettings(Protocol):
    """What :class:`Database` needs to know; ``stacksync.config`` has it."""

    @property
    def url(self) -> str: ...
    @property
    def pool_size(self) -> int: ...
    @property
    def statement_timeout(self) -> float: ...
    @property
    def wait_timeout(self) -> float: ...


class Transaction:
    """The open transaction that a piece of work runs in."""

    def __init__(self, cursor: Cursor, hooks: list[Callable[[], None]]) -> None:
        self._cursor = cursor
        self._hooks = hooks

    async def query(self, sql: str, arguments: Arguments = ()) -> list[Row]:
        """Run one statement; its rows, if it has any."""
        return fetched(await self._cursor.execute(sql, arguments))

    def after_commit(self, hook: Callable[[], None]) -> None:
        """Call the hook once the transaction is committed, and not if it never is."""
        self._hooks.append(hook)


@implementer(IHealthCheck)
class Database:
    """PostgreSQL, as the rest of ``db/`` sees it."""

    part = "database"

    def __init__(self, reactor: Any, settings: DatabaseSettings) -> None:
        self._reactor = reactor
        self._wait = settings.wait_timeout
        self._limit = settings.statement_timeout
        self.dsn = session_dsn(settings.url, settings.statement_timeout)
        self._pool = Pool(reactor, self.dsn, settings.pool_size)

    def start(self) -> None:
        """Begin to connect; statements wait until it is done."""
        self._pool.start()

    def stop(self) -> None:
        """Close all connections."""
        self._pool.stop()

    async def check(self) -> None:
        """See :meth:`stacksync.interfaces.IHealthCheck.check`."""
        if self._pool.outage is not None:
            raise Unavailable("database", self._pool.outage)
        running = Deferred.fromCoroutine(self.query("health check", "SELECT 1"))
        try:
            await running.addTimeout(CHECK_TIMEOUT, self._reactor)
        except DeferredTimeout:
            raise Unavailable("database", f"no answer in {CHECK_TIMEOUT:g} s") from None

    async def query(
        self,
        label: str,
        sql: str | Composed,
        arguments: Arguments = (),
        *,
        repeatable: bool = False,
    ) -> list[Row]:
        """Run one statement as a transaction of its own, in one round trip.

        :param label: what to call it in the log.
        :param repeatable: running it twice does no harm, so a lost connection
            is met by another try instead of an error.
        :raises Unavailable: no connection in time, or it broke, or the
            statement took too long.
        """
        return await self._run(label, lambda c: c.rows(sql, arguments), repeatable)

    async def transaction(
        self, label: str, work: Callable[[Transaction], Awaitable[T]], *, repeatable: bool = False
    ) -> T:
        """Run a piece of work in one transaction; it must bear to be run again.

        Committed when the work returns, rolled back when it raises.
        """

        async def attempt(connection: Connection) -> T:
            hooks: list[Callable[[], None]] = []
            result = await connection.transaction(lambda cursor: work(Transaction(cursor, hooks)))
            for hook in hooks:
                try:
                    hook()
                except Exception:
                    # What is committed stands, whatever becomes of its hooks.
                    log.failure("database: {label}: after the commit", label=label)
            return result

        return await self._run(label, lambda c: Deferred.fromCoroutine(attempt(c)), repeatable)

    async def _run(
        self, label: str, attempt: Callable[[Connection], Deferred[T]], repeatable: bool
    ) -> T:
        tries = 0
        while True:
            tries += 1
            try:
                return await self._once(label, attempt)
            except SERIALIZATION_FAILURES:
                if tries >= TRIES:
                    raise Overloaded("database", f"{label}: too much contention") from None
                await deferLater(self._reactor, random.uniform(0, 0.005 * 2**tries))
            except ConnectionGone:
                if not repeatable or tries >= TRIES:
                    raise
                await deferLater(self._reactor, backoff(tries))

    async def _once(self, label: str, attempt: Callable[[Connection], Deferred[T]]) -> T:
        connection = await self._pool.acquire(self._wait)
        started = self._reactor.seconds()
        # The server ends a statement at the limit; a server that does not even
        # answer, or work that waits for something else, is given twice that.
        patience = 2 * self._limit + 1
        expired = False

        def expire() -> None:
            nonlocal expired
            expired = True
            connection.lose(ConnectionDone("no answer"))
            running.cancel()

        def settle(result: T | Failure) -> T | Failure:
            if timer.active():
                timer.cancel()
            took = self._reactor.seconds() - started
            if took > SLOW:
                log.warn("database: {label} took {took:.2f} s", label=label, took=took)
            if expired:
                problem = f"{label}: no answer in {patience:g} s"
                result = Failure(ConnectionGone("database", problem))
            elif isinstance(result, Failure):
                result = Failure(domain_error(failed_with(result), connection))
                if isinstance(result.value, ConnectionGone):
                    connection.close()
            self._pool.release(connection)
            return result

        running = attempt(connection)
        timer = self._reactor.callLater(patience, expire)
        # A caller who gives up leaves the statement to its end: only then may
        # somebody else have the connection.
        return await uncancelled(running.addBoth(settle))


def failed_with(failure: Failure) -> BaseException:
    assert failure.value is not None
    return failure.value
