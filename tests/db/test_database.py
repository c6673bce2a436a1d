"""Statements and the health check: bounded in time, and clear about what went wrong."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import suppress

import psycopg2.errors
import pytest
from pytest_twisted import ensureDeferred
from twisted.internet import reactor
from twisted.internet.defer import CancelledError, Deferred, gatherResults
from twisted.internet.task import deferLater
from twisted.logger import LogLevel

from stacksync.db import database as database_module
from stacksync.db.connection import ConnectionGone
from stacksync.db.database import Database, Transaction
from stacksync.errors import Overloaded, Unavailable
from tests.db.conftest import StartDatabase
from tests.db.observation import CapturedLog, Psql, until
from tests.servers.postgres import PostgresServer


@pytest.fixture
def frozen() -> Iterator[set[int]]:
    """Processes that were stopped, to go on after the test."""
    pids: set[int] = set()
    yield pids
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGCONT)


def freeze(psql: Psql, frozen: set[int]) -> None:
    """Stop our sessions' processes: they are there, and silent."""
    for pid in psql.sessions():
        # One of an earlier test may end just now.
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGSTOP)
            frozen.add(pid)


async def pid_of(database: Database) -> int:
    return int((await database.query("pid", "SELECT pg_backend_pid()"))[0][0])


@ensureDeferred
async def test_arguments_are_data_whatever_is_in_them(database: Database) -> None:
    for text in ("'; DROP TABLE account; --", "\\'; --", "%s %(x)s %", '"$$\\', "🙂\n"):
        assert await database.query("echo", "SELECT %s::text", [text]) == [(text,)]
        named = await database.query("echo", "SELECT %(text)s::text", {"text": text})
        assert named == [(text,)]


@ensureDeferred
async def test_as_many_statements_run_at_a_time_as_there_are_connections(
    start_database: StartDatabase, module_database_dsn: str, psql: Psql
) -> None:
    database = start_database(module_database_dsn, pool_size=3)
    # Each waits for the two others: it needs all three of them at once.  The sessions keep it.
    psql.rows("""
        CREATE FUNCTION all_met() RETURNS bigint LANGUAGE plpgsql AS $$
        DECLARE met bigint := 0;
        BEGIN
            PERFORM pg_advisory_lock_shared(1);
            WHILE met < 3 LOOP
                PERFORM pg_sleep(0.002);
                SELECT count(DISTINCT pid) INTO met FROM pg_locks
                    WHERE locktype = 'advisory' AND objid = 1 AND database = (
                        SELECT oid FROM pg_database WHERE datname = current_database());
            END LOOP;
            RETURN met;
        END $$
    """)
    meetings = await gatherResults(
        [Deferred.fromCoroutine(database.query("meet", "SELECT all_met()")) for _ in range(9)]
    )
    assert [rows[0][0] for rows in meetings] == [3] * 9


@ensureDeferred
async def test_a_statement_that_takes_too_long_is_ended_and_the_connection_kept(
    start_database: StartDatabase, module_database_dsn: str, logged: CapturedLog
) -> None:
    database = start_database(module_database_dsn, pool_size=1, statement_timeout=0.5)
    pid = await pid_of(database)
    with pytest.raises(Overloaded, match="took too long"):
        await database.query("sleep", "SELECT pg_sleep(60)")
    assert await pid_of(database) == pid
    assert not logged.errors


@ensureDeferred
async def test_who_finds_all_connections_busy_is_told_so_in_time(
    start_database: StartDatabase, module_database_dsn: str
) -> None:
    database = start_database(module_database_dsn, pool_size=1, wait_timeout=0.1)
    await until(lambda: database._pool.outage is None)
    enough: Deferred[None] = Deferred()

    async def work(_: Transaction) -> None:
        await enough

    holding = Deferred.fromCoroutine(database.transaction("hold", work))
    with pytest.raises(Overloaded, match="busy"):
        await database.query("pid", "SELECT 1")
    enough.callback(None)
    await holding


@ensureDeferred
async def test_a_cut_off_statement_is_an_error_unless_it_may_be_repeated(
    start_database: StartDatabase, module_database_dsn: str, psql: Psql, logged: CapturedLog
) -> None:
    database = start_database(module_database_dsn, pool_size=1)
    psql.rows("SELECT pg_advisory_lock(2)")
    for repeatable in (False, True):
        statement = "SELECT pg_advisory_lock_shared(2), 'rested'"
        running = Deferred.fromCoroutine(database.query("rest", statement, repeatable=repeatable))
        await until(lambda: "rested" in str(psql.sessions()))
        psql.kill_sessions()
        if repeatable:
            psql.rows("SELECT pg_advisory_unlock(2)")
            assert (await running)[0][1] == "rested"
        else:
            with pytest.raises(ConnectionGone, match="terminating connection"):
                await running
    assert not logged.errors


@ensureDeferred
async def test_what_may_be_repeated_outlives_restarts_of_the_server(
    start_database: StartDatabase, own_postgres: PostgresServer, logged: CapturedLog
) -> None:
    # A restart may take its time, in which nothing else is done here.
    database = start_database(own_postgres.dsn(), pool_size=2, wait_timeout=120.0)
    done: list[object] = []

    async def keep_asking() -> None:
        while len(done) < 3000:
            done.append(await database.query("ask", "SELECT 1", repeatable=True))

    asking = [Deferred.fromCoroutine(keep_asking()) for _ in range(4)]
    for restart in (own_postgres.restart, own_postgres.kill):
        so_far = len(done)
        await until(lambda so_far=so_far: len(done) > so_far + 100)  # type: ignore[misc]
        restart()
    own_postgres.start()
    await gatherResults(asking)
    assert not logged.errors


@ensureDeferred
async def test_who_gives_up_leaves_the_statement_to_its_end_before_the_next(
    start_database: StartDatabase, module_database_dsn: str, psql: Psql, logged: CapturedLog
) -> None:
    database = start_database(module_database_dsn, pool_size=1)
    psql.rows("CREATE TABLE slow_insert (n int)")
    psql.rows("SELECT pg_advisory_lock(3)")
    insert = "INSERT INTO slow_insert SELECT 1 FROM pg_advisory_lock_shared(3)"
    running = Deferred.fromCoroutine(database.query("insert", insert))
    await until(lambda: "slow_insert" in str(psql.sessions()))
    running.cancel()
    with pytest.raises(CancelledError):
        await running
    psql.rows("SELECT pg_advisory_unlock(3)")
    # On the only connection there is.
    assert await database.query("count", "SELECT count(*) FROM slow_insert") == [(1,)]
    assert not logged.errors


@ensureDeferred
async def test_a_server_that_falls_silent_is_given_up_and_the_connection_replaced(
    start_database: StartDatabase, module_database_dsn: str, psql: Psql, frozen: set[int]
) -> None:
    database = start_database(module_database_dsn, pool_size=1, statement_timeout=0.5)
    pid = await pid_of(database)
    freeze(psql, frozen)
    with pytest.raises(ConnectionGone, match="ask: no answer in 2 s"):
        await database.query("ask", "SELECT 1")
    assert await pid_of(database) != pid


@ensureDeferred
async def test_a_server_that_never_answered_keeps_nobody_waiting_for_ever(
    start_database: StartDatabase, silent_url: str, logged: CapturedLog
) -> None:
    database = start_database(silent_url, wait_timeout=0.1)
    with pytest.raises(Unavailable, match="not connected yet"):
        await database.query("ask", "SELECT 1", repeatable=True)
    assert not logged.errors


@ensureDeferred
async def test_stopping_ends_what_runs_and_what_waits(
    start_database: StartDatabase, module_database_dsn: str, psql: Psql, logged: CapturedLog
) -> None:
    database = start_database(module_database_dsn, pool_size=1)
    asking = [
        Deferred.fromCoroutine(database.query("sleep", "SELECT pg_sleep(60)", repeatable=again))
        for again in (True, False)
    ]
    await until(lambda: "pg_sleep" in str(psql.sessions()))
    database.stop()
    for each in asking:
        with pytest.raises(Unavailable):
            await each
    psql.kill_sessions()
    assert not logged.errors


@ensureDeferred
async def test_slow_statements_leave_a_line_in_the_log(
    database: Database, monkeypatch: pytest.MonkeyPatch, logged: CapturedLog
) -> None:
    monkeypatch.setattr(database_module, "SLOW", 0.5)
    await database.query("quick one", "SELECT 1")
    await database.query("slow one", "SELECT pg_sleep(0.6)")
    (line,) = logged.lines(LogLevel.warn)
    assert line.startswith("database: slow one took ")


@ensureDeferred
async def test_a_wrong_statement_is_the_programs_own_error(database: Database) -> None:
    with pytest.raises(psycopg2.errors.UndefinedColumn, match="no_such_column"):
        await database.query("wrong", "SELECT no_such_column")
    with pytest.raises(TypeError):
        await database.query("wrong", "SELECT %s, %s", [1, 2, 3])
    assert await database.query("right", "SELECT 1") == [(1,)]


@ensureDeferred
async def test_it_is_healthy_when_it_answers(database: Database) -> None:
    await database.query("wait until connected", "SELECT 1")
    await database.check()
    assert database.part == "database"


@ensureDeferred
async def test_it_is_not_healthy_before_it_is_connected_nor_after_the_end(
    start_database: StartDatabase, module_database_dsn: str
) -> None:
    database = start_database(module_database_dsn)
    with pytest.raises(Unavailable, match="not connected yet"):
        await database.check()
    await database.query("wait until connected", "SELECT 1")
    database.stop()
    with pytest.raises(Unavailable, match="shutting down"):
        await database.check()


@ensureDeferred
async def test_it_is_not_healthy_when_it_does_not_answer(
    start_database: StartDatabase,
    module_database_dsn: str,
    psql: Psql,
    frozen: set[int],
    monkeypatch: pytest.MonkeyPatch,
    logged: CapturedLog,
) -> None:
    await until(lambda: not psql.sessions())
    database = start_database(module_database_dsn)
    await database.query("wait until connected", "SELECT 1")
    await until(lambda: len(psql.sessions()) == 4)
    freeze(psql, frozen)
    with monkeypatch.context() as patched:
        patched.setattr(database_module, "CHECK_TIMEOUT", 0.1)
        with pytest.raises(Unavailable, match=r"no answer in 0\.1 s"):
            await database.check()
    for pid in frozen:
        os.kill(pid, signal.SIGCONT)
    await deferLater(reactor, 0)
    await until(lambda: set(psql.sessions().values()) != {""})
    await database.check()
    assert not logged.errors
