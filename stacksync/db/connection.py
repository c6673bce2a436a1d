"""One connection to PostgreSQL, and what its failures mean.

Works round habits of txpostgres: an idle connection that the server closes
raises into the reactor, a cancelled query raises out of ``cancel()``, a
statement that the server ends looks cancelled, a socket that libpq has closed
is watched on, and an ``async def`` interaction is not awaited before COMMIT.
No pooling and no retries here.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, TypeVar

import psycopg2
import psycopg2.errors
import psycopg2.extensions
import psycopg2.extras
from psycopg2.sql import Composed
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.defer import TimeoutError as DeferredTimeout
from twisted.internet.error import ConnectionDone, ConnectionLost
from twisted.internet.interfaces import IReactorTime
from twisted.python.failure import Failure
from txpostgres import txpostgres

from stacksync.errors import Overloaded, Unavailable

psycopg2.extras.register_uuid()

Row = tuple[Any, ...]
Arguments = Sequence[Any] | Mapping[str, Any]
T = TypeVar("T")

CONNECT_TIMEOUT = 10.0
"""Seconds; libpq's own connect_timeout does not apply to asynchronous connections."""

# jit and custom plans: every statement of ours is keyed, so planning again
# costs more than it can gain (a commit took a third longer with custom plans).
SESSION_OPTIONS = "-c jit=off -c plan_cache_mode=force_generic_plan -c timezone=UTC"

PEER_TIMEOUTS: Mapping[str, int] = {
    "keepalives_idle": 30,
    "keepalives_interval": 10,
    "keepalives_count": 3,
    "tcp_user_timeout": 60_000,
}
"""Without them a peer that is gone without a word is found out after two hours or more."""

AWAY = (
    psycopg2.errors.AdminShutdown,
    psycopg2.errors.CrashShutdown,
    psycopg2.errors.CannotConnectNow,
    psycopg2.errors.TooManyConnections,
    psycopg2.InterfaceError,
    ConnectionDone,
    ConnectionLost,
)
SERIALIZATION_FAILURES = (
    psycopg2.errors.SerializationFailure,
    psycopg2.errors.DeadlockDetected,
)


class ConnectionGone(Unavailable):
    """The connection broke: what ran on it may or may not have been committed."""


def session_dsn(url: str, statement_timeout: float) -> str:
    """The libpq connection string of our sessions.

    :param url: a libpq URL or keyword string.
    :param statement_timeout: seconds after which the server ends a statement.
    """
    given = psycopg2.extensions.parse_dsn(url)
    options = f"{SESSION_OPTIONS} -c statement_timeout={int(statement_timeout * 1000)}"
    ours: dict[str, str | int] = {
        "options": f"{options} {given.get('options', '')}".strip(),
        "client_encoding": "UTF8",
        "fallback_application_name": "stacksync",
    }
    ours.update((name, value) for name, value in PEER_TIMEOUTS.items() if name not in given)
    return str(psycopg2.extensions.make_dsn(url, **ours))


def domain_error(error: BaseException, connection: Connection) -> BaseException:
    """What a failure of the driver means to those above, or the failure itself."""
    if isinstance(error, psycopg2.errors.QueryCanceled):
        return Overloaded("database", "the statement took too long and was ended")
    broken = isinstance(error, psycopg2.OperationalError) and connection.is_broken
    if broken or isinstance(error, AWAY):
        return ConnectionGone("database", first_line(error))
    return error


def first_line(error: BaseException) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]


class Cursor(txpostgres.Cursor):
    """A cursor that tells a statement which the server has ended as just that."""

    def _handleCancellation(self, failure: Failure) -> Failure:  # noqa: N802
        return failure


class Connection(txpostgres.Connection):
    """A connection that reports its loss once, whether idle or busy."""

    cursorFactory = Cursor  # noqa: N815

    on_lost: Callable[[Connection, BaseException], None] | None = None

    @property
    def is_broken(self) -> bool:
        driver = self._connection
        # libpq may have closed the socket before psycopg2 has noticed.
        return driver is None or bool(driver.closed) or driver.fileno() < 0

    async def open(self, dsn: str, reactor: IReactorTime) -> None:
        """Connect within :data:`CONNECT_TIMEOUT`.

        :raises ConnectionGone: nobody there, not let in, or too slow.
        """
        try:
            await uncancelled(self.connect(dsn)).addTimeout(CONNECT_TIMEOUT, reactor)
        except CancelledError:
            self.close()
            raise
        except Exception as error:
            self.close()
            timed_out = isinstance(error, DeferredTimeout)
            problem = f"no answer in {CONNECT_TIMEOUT:g} s" if timed_out else first_line(error)
            raise ConnectionGone("database", f"cannot connect: {problem}") from error

    def doRead(self) -> None:
        try:
            super().doRead()
        except (psycopg2.Error, ValueError) as error:
            # ValueError: a socket that libpq has closed cannot be watched.
            self.lose(error if isinstance(error, psycopg2.Error) else ConnectionLost())

    def cursorFinished(self, cursor: Cursor) -> None:  # noqa: N802
        try:
            super().cursorFinished(cursor)
        except (psycopg2.Error, ValueError):
            # Not at once: the statement's rows have still to be fetched.
            self.reactor.callLater(0, self.lose, ConnectionLost())

    def connectionLost(self, reason: Failure) -> None:
        super().connectionLost(reason)
        if self.on_lost is not None:
            self.lose(reason.value or ConnectionLost())

    def close(self) -> None:
        if self._connection is not None:
            super().close()

    def lose(self, error: BaseException) -> None:
        """Close, and tell :attr:`on_lost` why, if nobody has yet."""
        on_lost, self.on_lost = self.on_lost, None
        self.close()
        if on_lost is not None:
            on_lost(self, error)

    def rows(self, sql: str | Composed, arguments: Arguments) -> Deferred[list[Row]]:
        """Run one statement in a transaction of its own; its rows, if it has any.

        Not to be cancelled: psycopg2's cancel() blocks.
        """
        running: Deferred[list[Row]] = self.lock.run(self._rows, sql, arguments)
        return running

    def _rows(self, sql: str | Composed, arguments: Arguments) -> Deferred[list[Row]]:
        executing: Deferred[Any] = self.cursor().execute(sql, arguments)
        return executing.addCallback(fetched)

    async def transaction(self, work: Callable[[Cursor], Awaitable[T]]) -> T:
        """Do a piece of work between BEGIN and COMMIT; what it raises rolls it back.

        Not to be cancelled, like :meth:`rows`.
        """
        cursor = self.cursor()
        await cursor.execute("BEGIN")
        try:
            result = await work(cursor)
            await cursor.execute("COMMIT")
        except Exception:
            await self._roll_back(cursor)
            raise
        if cursor.statusmessage != "COMMIT":
            problem = "the work went on after a failed statement"
            raise psycopg2.errors.InFailedSqlTransaction(problem)
        return result

    async def _roll_back(self, cursor: Cursor) -> None:
        try:
            await cursor.execute("ROLLBACK")
        except Exception:
            # Nobody may have a connection with a transaction open on it.
            self.close()


def uncancelled(running: Deferred[T]) -> Deferred[T]:
    """A Deferred with the same result, the cancelling of which leaves ``running`` alone."""
    outer: Deferred[T] = Deferred()

    def pass_on(result: T | Failure) -> None:
        if not outer.called:
            outer.callback(result)

    running.addBoth(pass_on)
    return outer


def fetched(cursor: Any) -> list[Row]:
    """The rows of a statement that has some, else none."""
    return cursor.fetchall() if cursor.description is not None else []
