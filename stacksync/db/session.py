"""A connection of one's own, for long work: its temporary tables, its lock, its patience.

The pool is for requests, which are short and many.  What looks through all
that the database holds goes through here, one statement at a time.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any, TypeVar

from psycopg2.sql import Composed
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.task import deferLater

from stacksync.db.connection import (
    Arguments,
    Connection,
    ConnectionGone,
    Row,
    domain_error,
    first_line,
    uncancelled,
)
from stacksync.db.database import Transaction
from stacksync.errors import Conflict, Unavailable

UPKEEP = 7_226_473_012
"""Key of the advisory lock that lets only one program remove or repair things at a time."""

ACCOUNTS = 7_226_473_014
"""Key of the advisory lock that lets only one program make or remove users elsewhere at a time."""

LOOKED = 0.1
"""Seconds between two looks whether a lock is free."""

# Every statement is about a page of one workspace or account.  To read what
# there is of all of them may look cheaper to the planner, and is for one page,
# but not for each.
SETTINGS = """
    SELECT set_config('statement_timeout', '1h', false),
        set_config('enable_seqscan', 'off', false), set_config('enable_mergejoin', 'off', false)
"""

T = TypeVar("T")


class Session:
    """One connection to the database."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._lost: BaseException | None = None
        connection.on_lost = self._on_lost

    async def query(self, sql: str | Composed, arguments: Arguments = ()) -> list[Row]:
        """Run one statement as a transaction of its own; its rows, if it has any.

        To cancel this leaves the statement to its end.

        :raises Unavailable: the connection broke, or the statement took too long.
        """
        return await self._run(uncancelled(self._usable().rows(sql, arguments)))

    async def transaction(self, work: Callable[[Transaction], Awaitable[T]]) -> T:
        """Run a piece of work in one transaction.

        To cancel this is to hear of it when the transaction is over: what the
        work does besides must not go on after its locks are gone.

        :raises Unavailable: the connection broke, or a statement took too long.
        """
        connection = self._usable()
        running = Deferred.fromCoroutine(
            connection.transaction(lambda cursor: work(Transaction(cursor, [])))
        )
        return await self._run(to_its_end(running))

    async def lock(self, key: int) -> bool:
        """Take an advisory lock until the session is closed; whether it was free."""
        rows = await self.query("SELECT pg_try_advisory_lock(%s)", [key])
        return bool(rows[0][0])

    async def unlock(self, key: int) -> None:
        """Give back a lock at once: the server notices only after a while that we are gone."""
        await self.query("SELECT pg_advisory_unlock(%s)", [key])

    def close(self) -> None:
        self._connection.on_lost = None
        self._connection.close()

    async def _run(self, running: Awaitable[T]) -> T:
        try:
            return await running
        except CancelledError:
            raise
        except Exception as error:
            raise domain_error(error, self._connection) from error

    def _usable(self) -> Connection:
        if self._lost is not None:
            raise ConnectionGone("database", first_line(self._lost))
        return self._connection

    def _on_lost(self, _: Connection, error: BaseException) -> None:
        self._lost = error


@asynccontextmanager
async def opened(reactor: Any, dsn: str) -> AsyncIterator[Session]:
    """A session, closed at the end.

    :param dsn: of :class:`~stacksync.db.database.Database`.
    :raises Unavailable: the database can't be reached.
    """
    connection = Connection(reactor)
    await connection.open(dsn, reactor)
    session = Session(connection)
    try:
        await session.query(SETTINGS)
        yield session
    finally:
        session.close()


@asynccontextmanager
async def alone(reactor: Any, dsn: str) -> AsyncIterator[Session]:
    """Like :func:`opened`, for one at a time that removes or repairs things.

    :raises Conflict: somebody else does that now.
    """
    async with opened(reactor, dsn) as session:
        if not await session.lock(UPKEEP):
            raise Conflict(
                "another stacksync-admin is collecting garbage or repairing in this database"
            )
        yield session
        # Not where the work failed: its last statement may be running still.
        await session.unlock(UPKEEP)


@asynccontextmanager
async def in_turn(reactor: Any, dsn: str, patience: float) -> AsyncIterator[None]:
    """For one at a time that makes or removes users elsewhere; the others wait for their turn.

    :param patience: seconds to wait at the most.
    :raises Unavailable: the database can't be reached, or its turn did not come.
    """
    async with opened(reactor, dsn) as session:
        end = reactor.seconds() + patience
        while not await session.lock(ACCOUNTS):
            if reactor.seconds() >= end:
                raise Unavailable(
                    "database", f"others have been adding or removing users for {patience:g} s"
                )
            await deferLater(reactor, LOOKED)
        try:
            yield
        finally:
            # What was done in turn is done, whatever becomes of this connection.
            with suppress(Unavailable):
                await session.unlock(ACCOUNTS)


async def to_its_end(running: Deferred[T]) -> T:
    """What ``running`` gives; a cancellation is raised after ``running`` has ended."""
    try:
        return await uncancelled(running)
    except CancelledError:
        await uncancelled(running)
        raise
