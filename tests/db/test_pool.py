"""The pool hands out live connections, replaces lost ones, and lets nobody wait for ever."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg2.extensions
import pytest
from pytest_twisted import ensureDeferred
from twisted.internet import reactor
from twisted.internet.defer import CancelledError, Deferred
from twisted.logger import LogLevel

from stacksync.db.connection import Connection, session_dsn
from stacksync.db.pool import FIRST_DELAY, LONGEST_DELAY, Pool, backoff
from stacksync.errors import Overloaded, Unavailable
from tests.db.observation import CapturedLog, Psql, until, waiting_for
from tests.servers.postgres import PostgresServer

SIZE = 2


@pytest.fixture
def pools() -> Iterator[list[Pool]]:
    """Pools to be stopped after the test."""
    made: list[Pool] = []
    yield made
    for pool in made:
        pool.stop()


@pytest.fixture
def pool(pools: list[Pool], module_database_dsn: str) -> Pool:
    return started(pools, module_database_dsn)


def started(pools: list[Pool], url: str) -> Pool:
    pool = Pool(reactor, session_dsn(url, 30), SIZE)
    pools.append(pool)
    pool.start()
    return pool


async def all_of(pool: Pool) -> list[Connection]:
    return [await pool.acquire(60) for _ in range(SIZE)]


async def works(connection: Connection) -> bool:
    return await connection.rows("SELECT 1", ()) == [(1,)]


def pid_of(connection: Connection) -> int:
    return int(connection.info.backend_pid)


def test_the_delay_doubles_from_a_tenth_of_a_second_up_to_a_few_and_is_jittered() -> None:
    for attempt, longest in enumerate([FIRST_DELAY, 2 * FIRST_DELAY, 4 * FIRST_DELAY], start=1):
        delays = [backoff(attempt) for _ in range(100)]
        assert longest / 2 <= min(delays) < max(delays) <= longest
    assert LONGEST_DELAY / 2 <= backoff(10**9) <= LONGEST_DELAY


@ensureDeferred
async def test_each_has_a_connection_alone_and_the_next_waits_in_line(pool: Pool) -> None:
    connections = await all_of(pool)
    assert len(set(connections)) == SIZE
    assert all([await works(connection) for connection in connections])
    first, second = pool.acquire(10), pool.acquire(10)
    assert not first.called
    pool.release(connections[0])
    assert await first is connections[0]
    assert not second.called
    pool.release(connections[0])
    assert await second is connections[0]


@ensureDeferred
async def test_who_waits_too_long_hears_that_all_are_busy(pool: Pool) -> None:
    connections = await all_of(pool)
    with pytest.raises(Overloaded, match=r"all 2 connections were busy for 0\.02 s"):
        await pool.acquire(0.02)
    pool.release(connections[0])
    assert await pool.acquire(0.02) is connections[0]


@ensureDeferred
async def test_who_gives_up_waiting_takes_no_connection_with_him(pool: Pool) -> None:
    connections = await all_of(pool)
    gone, patient = pool.acquire(10), pool.acquire(10)
    gone.cancel()
    with pytest.raises(CancelledError):
        await gone
    pool.release(connections[0])
    assert await patient is connections[0]


@ensureDeferred
async def test_a_connection_is_given_back_once(pool: Pool) -> None:
    connections = await all_of(pool)
    for _ in range(3):
        pool.release(connections[0])
    assert await pool.acquire(10) is connections[0]
    with pytest.raises(Overloaded):
        await pool.acquire(0.02)


@ensureDeferred
async def test_lost_connections_are_replaced_whether_idle_or_busy(
    pool: Pool, psql: Psql, logged: CapturedLog
) -> None:
    for held in range(SIZE + 1):
        connections = await all_of(pool)
        victims = set(map(pid_of, connections))
        for connection in connections[held:]:
            pool.release(connection)
        # Those of an earlier test may be about to end.
        await until(lambda: len(psql.sessions()) == SIZE)
        assert psql.kill_sessions() == SIZE
        for connection in connections[:held]:
            with pytest.raises(psycopg2.Error):
                await connection.rows("SELECT 1", ())
            pool.release(connection)
        await until(lambda: len(psql.sessions()) == SIZE)
        replaced = await all_of(pool)
        assert victims.isdisjoint(map(pid_of, replaced))
        assert all([await works(connection) for connection in replaced])
        for connection in replaced:
            pool.release(connection)
    assert len(psql.sessions()) == SIZE
    assert not logged.errors


@ensureDeferred
async def test_a_connection_given_back_broken_and_told_as_lost_is_replaced_once(
    pool: Pool, psql: Psql
) -> None:
    connections = await all_of(pool)
    for connection in connections:
        connection.lose(Unavailable("database", "pulled the plug"))
        pool.release(connection)
    connections = await all_of(pool)
    with pytest.raises(Overloaded):
        await pool.acquire(0.3)
    await until(lambda: len(psql.sessions()) == SIZE)


@ensureDeferred
async def test_an_outage_is_told_to_those_who_wait_and_once_to_the_log(
    pools: list[Pool], own_postgres: PostgresServer, logged: CapturedLog
) -> None:
    pool = started(pools, own_postgres.dsn())
    outages = [pool.outage]
    for connection in await all_of(pool):
        pool.release(connection)
    outages.append(pool.outage)
    assert outages == ["not connected yet", None]
    own_postgres.stop()
    await until(lambda: pool.outage is not None and "cannot connect" in pool.outage)
    with pytest.raises(Unavailable, match=r"cannot connect: .* \(waited 0\.3 s\)") as caught:
        await pool.acquire(0.3)
    assert not isinstance(caught.value, Overloaded)
    waiting = pool.acquire(120)
    own_postgres.start()
    assert await works(await waiting)
    assert pool.outage is None
    assert logged.lines(LogLevel.info).count("database: connected") == 2
    warnings = logged.lines(LogLevel.warn)
    assert len(warnings) == len(set(warnings))
    assert not logged.errors


@ensureDeferred
async def test_it_gets_there_when_the_database_comes_up_later(
    pools: list[Pool], own_postgres: PostgresServer, logged: CapturedLog
) -> None:
    own_postgres.stop()
    pool = started(pools, own_postgres.dsn())
    waiting = pool.acquire(120)
    await until(lambda: "cannot connect" in (pool.outage or ""))
    own_postgres.start()
    assert await works(await waiting)
    assert not logged.errors


@ensureDeferred
async def test_one_crash_and_another_are_survived(
    pools: list[Pool], own_postgres: PostgresServer, logged: CapturedLog
) -> None:
    pool = started(pools, own_postgres.dsn())
    for _ in range(2):
        connection = await pool.acquire(120)
        sleeping = connection.rows("SELECT pg_sleep(60)", ())
        own_postgres.kill()
        own_postgres.start()
        with pytest.raises(psycopg2.Error):
            await sleeping
        pool.release(connection)
    assert all([await works(connection) for connection in await all_of(pool)])
    assert not logged.errors


@ensureDeferred
async def test_stopping_refuses_those_who_wait_and_those_who_come(
    pool: Pool, psql: Psql, logged: CapturedLog
) -> None:
    connections = await all_of(pool)
    waiting = pool.acquire(10)
    busy = connections[0].rows("SELECT pg_sleep(60)", ())
    pool.release(connections[1])
    connections[1:] = [await waiting]
    waiting = pool.acquire(10)
    pool.stop()
    for late in (waiting, pool.acquire(10)):
        with pytest.raises(Unavailable, match="shutting down"):
            await late
    with pytest.raises(Exception, match="closed"):
        await busy
    for connection in connections:
        pool.release(connection)
    psql.kill_sessions()
    await until(lambda: not psql.sessions())
    assert not logged.errors


@ensureDeferred
async def test_stopping_ends_the_attempts_to_connect(
    pools: list[Pool], silent_url: str, deserted_url: str, logged: CapturedLog
) -> None:
    before = waiting_for()
    for url in (silent_url, deserted_url):
        pool = started(pools, url)
        if url == deserted_url:
            await until(lambda: "refused" in (pools[-1].outage or ""))
        waiting: Deferred[Connection] = pool.acquire(10)
        pool.stop()
        with pytest.raises(Unavailable, match="shutting down"):
            await waiting
    await until(lambda: before >= waiting_for())
    assert not logged.errors


@ensureDeferred
async def test_a_stopped_pool_can_be_started_again(pool: Pool) -> None:
    await all_of(pool)
    pool.stop()
    pool.start()
    assert all([await works(connection) for connection in await all_of(pool)])
