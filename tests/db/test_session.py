"""A connection for long work: alone where it must be, and heard of when it is lost."""

from __future__ import annotations

import pytest
from pytest_twisted import ensureDeferred
from twisted.internet import reactor
from twisted.internet.defer import CancelledError, Deferred

from stacksync.db.database import Database, Transaction
from stacksync.db.session import alone, opened
from stacksync.errors import Conflict, Unavailable
from tests.db.observation import Psql, until


@ensureDeferred
async def test_one_is_alone_until_it_is_through(database: Database) -> None:
    async with alone(reactor, database.dsn):
        with pytest.raises(Conflict, match="another stacksync-admin"):
            async with alone(reactor, database.dsn):
                pass
        async with opened(reactor, database.dsn) as other:
            assert await other.query("SELECT 1") == [(1,)]
    async with alone(reactor, database.dsn):
        pass


@ensureDeferred
async def test_a_connection_that_is_lost_is_said_to_be_at_once_and_ever_after(
    database: Database, psql: Psql
) -> None:
    async with opened(reactor, database.dsn) as session:
        (pid,) = (await session.query("SELECT pg_backend_pid()"))[0]
        psql.rows("SELECT pg_terminate_backend(%s, 10000)", pid)
        for _ in range(2):
            with pytest.raises(Unavailable, match="database"):
                await session.query("SELECT 1")
        with pytest.raises(Unavailable, match="database"):
            await session.transaction(nothing)


async def nothing(_: Transaction) -> None:
    pass


@ensureDeferred
async def test_a_transaction_that_fails_is_rolled_back(database: Database) -> None:
    async def work(transaction: Transaction) -> None:
        await transaction.query("CREATE TABLE half_done (id integer)")
        raise RuntimeError("no further")

    async with opened(reactor, database.dsn) as session:
        with pytest.raises(RuntimeError, match="no further"):
            await session.transaction(work)
        assert await session.query("SELECT to_regclass('half_done')") == [(None,)]


@ensureDeferred
async def test_who_gives_up_a_transaction_hears_of_it_when_it_is_over(
    database: Database, psql: Psql
) -> None:
    gate: Deferred[None] = Deferred()
    outcome: list[object] = []

    async def work(transaction: Transaction) -> None:
        await transaction.query("CREATE TABLE whole (id integer)")
        await gate

    async with opened(reactor, database.dsn) as session:
        running = Deferred.fromCoroutine(session.transaction(work))
        running.addErrback(lambda failure: outcome.append(failure.check(CancelledError)))
        running.cancel()
        assert outcome == []
        gate.callback(None)
        await until(lambda: outcome == [CancelledError])
        assert psql.value("SELECT to_regclass('whole')") == "whole"
        psql.rows("DROP TABLE whole")


@ensureDeferred
async def test_a_database_that_is_not_there_is_told(deserted_url: str) -> None:
    with pytest.raises(Unavailable, match="cannot connect"):
        async with opened(reactor, deserted_url):
            pass
