"""One connection to PostgreSQL, and what its failures mean.

Works round two habits of txpostgres: an idle connection that the server closes
raises into the reactor, and a cancelled query raises out of ``cancel()``.  No
pooling and no retries here.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import psycopg2
import psycopg2.errors
import psycopg2.extensions
import psycopg2.extras
from twisted.internet.defer import Deferred
from twisted.internet.error import ConnectionDone, ConnectionLost
from twisted.internet.interfaces import IReactorTime
from twisted.python.failure import Failure
from txpostgres import txpostgres

from stacksync.errors import Overloaded, Unavailable

psycopg2.extras.register_uuid()

Row = tuple[Any, ...]
T = TypeVar("T")

CONNECT_TIMEOUT = 10.0
"""Seconds; libpq's own connect_timeout does not apply to asynchronous connections."""

# jit and custom plans: every statement of ours is keyed, so planning again
# costs more than it can gain (a commit took a third longer with custom plans).
SESSION_OPTIONS = "-c jit=off -c plan_cache_mode=force_generic_plan -c timezone=UTC"

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
    given = psycopg2.extensions.parse_dsn(url).get("options", "")
    options = f"{SESSION_OPTIONS} -c statement_timeout={int(statement_timeout * 1000)} {given}"
    return str(
        psycopg2.extensions.make_dsn(
            url,
            options=options.strip(),
            client_encoding="UTF8",
            fallback_application_name="stacksync",
        )
    )


def domain_error(error: BaseException, connection: Connection) -> BaseException:
    """What a failure of the driver means to those above, or the failure itself."""
    if isinstance(error, psycopg2.errors.QueryCanceled):
        return Overloaded("database", "the statement took too long and was ended")
    if isinstance(error, txpostgres.RollbackFailed):
        return ConnectionGone("database", "a transaction could not be rolled back")
    broken = isinstance(error, psycopg2.OperationalError) and connection.is_broken
    if broken or isinstance(error, AWAY):
        return ConnectionGone("database", first_line(error))
    return error


def first_line(error: BaseException) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]


class Connection(txpostgres.Connection):  # type: ignore[misc]
    """A connection that reports its loss once, whether idle or busy."""

    on_lost: Callable[[Connection, BaseException], None] | None = None

    @property
    def is_broken(self) -> bool:
        return self._connection is None or bool(self._connection.closed)

    async def open(self, dsn: str, reactor: IReactorTime) -> None:
        """Connect within :data:`CONNECT_TIMEOUT`.

        :raises ConnectionGone: nobody there, not let in, or too slow.
        """
        try:
            await uncancelled(self.connect(dsn)).addTimeout(CONNECT_TIMEOUT, reactor)
        except Exception as error:
            self.close()
            problem = first_line(error)
            raise ConnectionGone("database", f"cannot connect: {problem}") from error

    def doRead(self) -> None:
        try:
            super().doRead()
        except psycopg2.Error as error:
            self.lose(error)

    def close(self) -> None:
        if self._connection is not None:
            super().close()

    def lose(self, error: BaseException) -> None:
        """Close, and tell :attr:`on_lost` why, if nobody has yet."""
        self.close()
        on_lost, self.on_lost = self.on_lost, None
        if on_lost is not None:
            on_lost(self, error)

    def rows(self, sql: str, arguments: Sequence[Any]) -> Deferred[list[Row]]:
        """Run one statement in a transaction of its own; its rows, if it has any.

        Not to be cancelled: psycopg2's cancel() blocks.
        """
        running: Deferred[list[Row]] = self.lock.run(self._rows, sql, arguments)
        return running

    def _rows(self, sql: str, arguments: Sequence[Any]) -> Deferred[list[Row]]:
        executing: Deferred[Any] = self.cursor().execute(sql, arguments)
        return executing.addCallback(fetched)


def uncancelled(running: Deferred[T]) -> Deferred[T]:
    """A Deferred with the same result, the cancelling of which leaves ``running`` alone."""
    outer: Deferred[T] = Deferred()

    def pass_on(result: T | Failure) -> None:
        if not outer.called:
            outer.callback(result)  # type: ignore[arg-type]

    running.addBoth(pass_on)
    return outer


def fetched(cursor: Any) -> list[Row]:
    """The rows of a statement that has some, else none."""
    return cursor.fetchall() if cursor.description is not None else []
