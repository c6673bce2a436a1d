"""A transaction is all or nothing, is tried again where that helps, and has its hooks after it."""

from __future__ import annotations

from contextlib import closing

import psycopg2.errors
import pytest
from pytest_twisted import ensureDeferred
from twisted.internet import reactor
from twisted.internet.defer import CancelledError, Deferred, gatherResults
from twisted.internet.task import deferLater

from stacksync.db.connection import ConnectionGone
from stacksync.db.database import TRIES, Database, Transaction
from stacksync.errors import Overloaded
from tests.db.conftest import StartDatabase
from tests.db.observation import CapturedLog, Psql, until

UPDATE = "UPDATE tally SET n = n + 1 WHERE name = %s"


@pytest.fixture(autouse=True)
def tally(psql: Psql) -> Psql:
    psql.rows("CREATE TABLE IF NOT EXISTS tally (name text PRIMARY KEY, n int NOT NULL)")
    psql.rows("TRUNCATE tally")
    psql.rows("INSERT INTO tally VALUES ('a', 0), ('b', 0)")
    return psql


def counted(psql: Psql) -> list[int]:
    return [n for (n,) in psql.rows("SELECT n FROM tally ORDER BY name")]


@ensureDeferred
async def test_work_that_takes_its_time_is_awaited_before_the_commit(
    database: Database, psql: Psql
) -> None:
    seen_outside = []

    async def work(transaction: Transaction) -> str:
        await transaction.query(UPDATE, ["a"])
        await deferLater(reactor, 0.02)
        seen_outside.append(counted(psql))
        await transaction.query(UPDATE, ["b"])
        return "done"

    assert await database.transaction("count", work) == "done"
    assert seen_outside == [[0, 0]]
    assert counted(psql) == [1, 1]


@ensureDeferred
async def test_an_error_undoes_everything_and_reaches_the_caller(
    database: Database, psql: Psql, logged: CapturedLog
) -> None:
    hooks: list[str] = []

    async def work(transaction: Transaction) -> None:
        transaction.after_commit(lambda: hooks.append("called"))
        await transaction.query(UPDATE, ["a"])
        raise LookupError("not like this")

    with pytest.raises(LookupError, match="not like this"):
        await database.transaction("count", work)
    assert counted(psql) == [0, 0]
    assert hooks == []
    assert not logged.errors


@ensureDeferred
async def test_a_failed_statement_that_the_work_passes_over_is_no_commit(
    database: Database, psql: Psql
) -> None:
    hooks: list[str] = []

    async def work(transaction: Transaction) -> None:
        transaction.after_commit(lambda: hooks.append("called"))
        await transaction.query(UPDATE, ["a"])
        with pytest.raises(psycopg2.errors.UndefinedTable):
            await transaction.query("SELECT FROM no_such_table")

    with pytest.raises(psycopg2.errors.InFailedSqlTransaction):
        await database.transaction("count", work)
    assert counted(psql) == [0, 0]
    assert hooks == []


@ensureDeferred
async def test_a_constraint_that_fails_at_the_commit_is_the_callers_error(
    database: Database, psql: Psql
) -> None:
    psql.rows("CREATE TABLE IF NOT EXISTS late (n int UNIQUE DEFERRABLE INITIALLY DEFERRED)")

    async def work(transaction: Transaction) -> None:
        await transaction.query("INSERT INTO late VALUES (1), (1)")

    with pytest.raises(psycopg2.errors.UniqueViolation):
        await database.transaction("insert", work)
    assert psql.rows("SELECT n FROM late") == []


@ensureDeferred
async def test_hooks_run_in_order_after_the_commit_and_one_that_fails_spoils_nothing(
    database: Database, psql: Psql, logged: CapturedLog
) -> None:
    called: list[object] = []

    async def work(transaction: Transaction) -> str:
        transaction.after_commit(lambda: called.append(counted(psql)))
        transaction.after_commit(lambda: called.append(1 // 0))
        transaction.after_commit(lambda: called.append("last"))
        await transaction.query(UPDATE, ["a"])
        return "committed"

    assert await database.transaction("count", work) == "committed"
    assert called == [[1, 0], "last"]
    assert len(logged.errors) == 1


@ensureDeferred
async def test_a_serialization_failure_is_tried_again_with_fresh_hooks(
    database: Database, psql: Psql, logged: CapturedLog
) -> None:
    tries: list[int] = []
    hooks: list[int] = []

    async def work(transaction: Transaction) -> int:
        number = len(tries) + 1
        tries.append(number)
        transaction.after_commit(lambda: hooks.append(number))
        await transaction.query("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        await transaction.query("SELECT n FROM tally")
        if number < 3:
            psql.rows(UPDATE, "a")
        await transaction.query(UPDATE, ["a"])
        return number

    assert await database.transaction("count", work) == 3
    assert tries == [1, 2, 3]
    assert hooks == [3]
    assert counted(psql) == [3, 0]
    assert not logged.errors


@ensureDeferred
async def test_contention_without_end_is_overload(database: Database, psql: Psql) -> None:
    tries: list[None] = []

    async def work(transaction: Transaction) -> None:
        tries.append(None)
        await transaction.query("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        await transaction.query("SELECT n FROM tally")
        psql.rows(UPDATE, "a")
        await transaction.query(UPDATE, ["a"])

    with pytest.raises(Overloaded, match="count: too much contention"):
        await database.transaction("count", work)
    assert len(tries) == TRIES


@ensureDeferred
async def test_of_two_that_block_each_other_both_get_done(
    database: Database, psql: Psql, logged: CapturedLog
) -> None:
    tries: list[str] = []
    have_one: set[str] = set()
    both_have_one: Deferred[None] = Deferred()

    async def work(transaction: Transaction, first: str, second: str) -> None:
        tries.append(first)
        await transaction.query("SET LOCAL deadlock_timeout = '20ms'")
        await transaction.query(UPDATE, [first])
        have_one.add(first)
        if len(have_one) == 2 and not both_have_one.called:
            both_have_one.callback(None)
        while not both_have_one.called:
            await deferLater(reactor, 0.001)
        await transaction.query(UPDATE, [second])

    def count(first: str, second: str) -> Deferred[None]:
        return Deferred.fromCoroutine(
            database.transaction("count", lambda transaction: work(transaction, first, second))
        )

    await gatherResults([count("a", "b"), count("b", "a")])
    assert counted(psql) == [2, 2]
    assert len(tries) >= 3
    assert not logged.errors


@ensureDeferred
async def test_a_single_statement_is_tried_again_as_well(
    start_database: StartDatabase, module_database_dsn: str, psql: Psql
) -> None:
    mark = "&" if "?" in module_database_dsn else "?"
    options = "options=-c%20default_transaction_isolation%3Drepeatable%5C%20read"
    database = start_database(module_database_dsn + mark + options)
    with closing(psql.connect()) as other:
        with other.cursor() as cursor:
            cursor.execute(UPDATE, ["a"])
        running = Deferred.fromCoroutine(database.query("count", UPDATE, ["a"]))
        await until(lambda: psql.value("SELECT count(*) FROM pg_locks WHERE NOT granted"))
        other.commit()
    await running
    assert counted(psql) == [2, 0]


@ensureDeferred
async def test_a_cut_off_transaction_is_tried_again_only_if_it_may_be(
    database: Database, psql: Psql, logged: CapturedLog
) -> None:
    for repeatable, expected in ((False, [0, 0]), (True, [1, 0])):
        tries: list[None] = []

        async def work(transaction: Transaction, tries: list[None] = tries) -> None:
            tries.append(None)
            await transaction.query(UPDATE, ["a"])
            if len(tries) == 1:
                psql.kill_sessions()
            await transaction.query("SELECT 1")

        running = database.transaction("count", work, repeatable=repeatable)
        if repeatable:
            await running
        else:
            with pytest.raises(ConnectionGone):
                await running
        assert counted(psql) == expected
    assert not logged.errors


@ensureDeferred
async def test_who_gives_up_leaves_the_transaction_and_its_hooks_to_their_end(
    start_database: StartDatabase, module_database_dsn: str, psql: Psql, logged: CapturedLog
) -> None:
    database = start_database(module_database_dsn, pool_size=1)
    hooks: list[str] = []

    async def work(transaction: Transaction) -> None:
        transaction.after_commit(lambda: hooks.append("called"))
        await transaction.query("SELECT pg_advisory_xact_lock_shared(1)")
        await transaction.query(UPDATE, ["a"])

    psql.rows("SELECT pg_advisory_lock(1)")
    running = Deferred.fromCoroutine(database.transaction("count", work))
    await until(lambda: "advisory" in str(psql.sessions()))
    running.cancel()
    with pytest.raises(CancelledError):
        await running
    psql.rows("SELECT pg_advisory_unlock(1)")
    assert await database.query("count", "SELECT n FROM tally WHERE name = 'a'") == [(1,)]
    assert hooks == ["called"]
    assert not logged.errors


@ensureDeferred
async def test_work_that_waits_for_something_else_does_not_keep_its_connection_for_ever(
    start_database: StartDatabase, module_database_dsn: str, psql: Psql, logged: CapturedLog
) -> None:
    database = start_database(module_database_dsn, pool_size=1, statement_timeout=0.5)
    never: Deferred[None] = Deferred()

    async def work(transaction: Transaction) -> None:
        await transaction.query(UPDATE, ["a"])
        await never

    with pytest.raises(ConnectionGone, match="wait: no answer in 2 s"):
        await database.transaction("wait", work)
    assert await database.query("ask", "SELECT 1") == [(1,)]
    assert counted(psql) == [0, 0]
    assert not logged.errors
