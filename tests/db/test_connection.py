"""A connection is set up for us, tells its loss once, and its failures have a meaning."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import psycopg2.errors
import pytest
from pytest_twisted import ensureDeferred
from twisted.internet import reactor
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.error import ConnectionDone, ConnectionLost
from twisted.internet.task import Clock
from twisted.python.failure import Failure

from stacksync.db.connection import (
    CONNECT_TIMEOUT,
    Connection,
    ConnectionGone,
    domain_error,
    session_dsn,
)
from stacksync.errors import Overloaded, Unavailable
from tests.db.observation import CapturedLog, Psql, until


@pytest.fixture
def connection() -> Iterator[Connection]:
    made = Connection(reactor)
    yield made
    made.close()


async def opened(connection: Connection, url: str, statement_timeout: float = 30.0) -> Connection:
    await connection.open(session_dsn(url, statement_timeout), reactor)
    return connection


async def told(connection: Connection, sql: str) -> str:
    return str((await connection.rows(sql, ()))[0][0])


@ensureDeferred
async def test_a_session_has_our_settings(connection: Connection, module_database_dsn: str) -> None:
    await opened(connection, module_database_dsn, 12.5)
    for name, value in {
        "jit": "off",
        "plan_cache_mode": "force_generic_plan",
        "timezone": "UTC",
        "statement_timeout": "12500ms",
        "client_encoding": "UTF8",
        "application_name": "stacksync",
    }.items():
        assert await told(connection, f"SHOW {name}") == value, name


@ensureDeferred
async def test_the_operators_own_session_options_go_before_ours(
    connection: Connection, module_database_dsn: str
) -> None:
    mark = "&" if "?" in module_database_dsn else "?"
    url = f"{module_database_dsn}{mark}options=-c%20work_mem%3D3MB%20-c%20jit%3Don"
    await opened(connection, url)
    assert await told(connection, "SHOW work_mem") == "3MB"
    assert await told(connection, "SHOW jit") == "on"
    assert await told(connection, "SHOW plan_cache_mode") == "force_generic_plan"


def test_a_dead_peer_is_noticed_unless_the_operator_has_other_plans() -> None:
    parsed = psycopg2.extensions.parse_dsn
    ours = parsed(session_dsn("postgresql://db.example/stacksync", 30))
    assert int(ours["keepalives_idle"]) <= 60
    assert int(ours["tcp_user_timeout"]) <= 60_000
    theirs = parsed(session_dsn("postgresql://db.example/stacksync?keepalives_idle=7", 30))
    assert theirs["keepalives_idle"] == "7"


@ensureDeferred
async def test_a_statement_tells_its_rows_if_it_has_any(
    connection: Connection, module_database_dsn: str
) -> None:
    await opened(connection, module_database_dsn)
    assert await connection.rows("SELECT n FROM generate_series(1, 3) n", ()) == [(1,), (2,), (3,)]
    assert await connection.rows("SELECT 1 WHERE false", ()) == []
    assert await connection.rows("SET work_mem = '2MB'", ()) == []


@ensureDeferred
async def test_what_is_said_of_a_connection_names_the_problem(
    connection: Connection, deserted_url: str, module_database_dsn: str
) -> None:
    with pytest.raises(ConnectionGone, match=r"^database: cannot connect: .*refused"):
        await opened(connection, deserted_url)
    with pytest.raises(ConnectionGone, match='role "nobody" does not exist'):
        await opened(Connection(reactor), f"{module_database_dsn}&user=nobody")


@ensureDeferred
async def test_who_accepts_and_never_answers_is_given_up(
    connection: Connection, silent_url: str
) -> None:
    clock = Clock()
    opening = Deferred.fromCoroutine(connection.open(session_dsn(silent_url, 30), clock))
    clock.advance(CONNECT_TIMEOUT - 0.1)
    assert not opening.called
    clock.advance(0.2)
    with pytest.raises(ConnectionGone, match="cannot connect: no answer in 10 s"):
        await opening
    assert connection.is_broken
    assert not clock.getDelayedCalls()


@ensureDeferred
async def test_who_gives_up_connecting_leaves_nothing_open(
    connection: Connection, silent_url: str, logged: CapturedLog
) -> None:
    opening = Deferred.fromCoroutine(connection.open(session_dsn(silent_url, 30), reactor))
    opening.cancel()
    with pytest.raises(CancelledError):
        await opening
    assert connection.is_broken
    assert not logged.errors


@ensureDeferred
async def test_an_idle_connection_tells_its_loss_once(
    connection: Connection, module_database_dsn: str, psql: Psql, logged: CapturedLog
) -> None:
    lost: list[BaseException] = []
    await opened(connection, module_database_dsn)
    connection.on_lost = lambda _, error: lost.append(error)
    pid = await told(connection, "SELECT pg_backend_pid()")
    psql.rows("SELECT pg_terminate_backend(%s)", int(pid))
    await until(lambda: lost)
    assert isinstance(lost[0], psycopg2.OperationalError)
    assert connection.is_broken
    connection.lose(ConnectionGone("database", "again"))
    assert len(lost) == 1
    assert not logged.errors


@ensureDeferred
async def test_an_idle_connection_that_the_reactor_finds_dead_is_lost_as_well(
    connection: Connection, module_database_dsn: str, psql: Psql
) -> None:
    lost: list[BaseException] = []
    await opened(connection, module_database_dsn)
    connection.on_lost = lambda _, error: lost.append(error)
    # Without a turn of the reactor: a hang-up that comes alone is told this way.
    psql.kill_sessions()
    connection.connectionLost(Failure(ConnectionLost()))
    assert len(lost) == 1
    assert connection.is_broken


class Unwatchable:
    """The reactor, for a socket that libpq has closed already."""

    def __getattr__(self, name: str) -> Any:
        return getattr(reactor, name)

    def addReader(self, reader: Any) -> None:  # noqa: N802
        if isinstance(reader, Connection):
            raise ValueError("file descriptor cannot be a negative integer (-1)")
        reactor.addReader(reader)


@ensureDeferred
@pytest.mark.parametrize("busy", [True, False])
async def test_a_socket_that_cannot_be_watched_any_more_is_a_lost_connection(
    connection: Connection, module_database_dsn: str, logged: CapturedLog, busy: bool
) -> None:
    lost: list[BaseException] = []
    await opened(connection, module_database_dsn)
    connection.on_lost = lambda _, error: lost.append(error)
    connection.reactor = Unwatchable()
    if busy:
        # What the statement told stands.
        assert await told(connection, "SELECT 'done'") == "done"
    else:
        connection.doRead()
    await until(lambda: lost)
    assert len(lost) == 1
    assert connection.is_broken
    assert not logged.errors


@ensureDeferred
async def test_a_busy_connection_that_is_cut_off_is_gone(
    connection: Connection, module_database_dsn: str, psql: Psql, logged: CapturedLog
) -> None:
    await opened(connection, module_database_dsn)
    pid = await told(connection, "SELECT pg_backend_pid()")
    sleeping = connection.rows("SELECT pg_sleep(60)", ())
    psql.rows("SELECT pg_terminate_backend(%s)", int(pid))
    with pytest.raises(psycopg2.Error) as caught:
        await sleeping
    assert isinstance(domain_error(caught.value, connection), ConnectionGone)
    assert not logged.errors


@ensureDeferred
async def test_a_connection_closed_under_a_statement_is_gone(
    connection: Connection, module_database_dsn: str, logged: CapturedLog
) -> None:
    await opened(connection, module_database_dsn)
    sleeping = connection.rows("SELECT pg_sleep(60)", ())
    connection.close()
    with pytest.raises(ConnectionDone) as caught:
        await sleeping
    assert isinstance(domain_error(caught.value, connection), ConnectionGone)
    with pytest.raises(psycopg2.InterfaceError) as caught_later:
        await connection.rows("SELECT 1", ())
    assert isinstance(domain_error(caught_later.value, connection), ConnectionGone)
    assert not logged.errors


@ensureDeferred
async def test_a_statement_that_takes_too_long_is_overload_not_cancellation(
    connection: Connection, module_database_dsn: str
) -> None:
    await opened(connection, module_database_dsn, 0.5)
    with pytest.raises(psycopg2.errors.QueryCanceled) as caught:
        await connection.rows("SELECT pg_sleep(60)", ())
    assert isinstance(domain_error(caught.value, connection), Overloaded)
    assert not connection.is_broken


@ensureDeferred
async def test_a_wrong_statement_means_nothing_but_itself(
    connection: Connection, module_database_dsn: str
) -> None:
    await opened(connection, module_database_dsn)
    with pytest.raises(psycopg2.errors.UndefinedTable) as caught:
        await connection.rows("SELECT FROM no_such_table", ())
    assert domain_error(caught.value, connection) is caught.value
    assert not isinstance(caught.value, Unavailable)
    assert await told(connection, "SELECT 1") == "1"
