"""The service says why it cannot start, waits for what may come, and stops when asked."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import psycopg2
import pytest

from stacksync.db.migrations import migrate
from tests.servers.postgres import PostgresServer
from tests.servers.programs import environment_in
from tests.servers.stacksync import StackSyncProcess

TWISTD = [sys.executable, "-c", "from twisted.scripts.twistd import run; run()"]

NewDirectory = Callable[[str], Path]


def run_in_vain(
    directory: Path, configuration: str | None, **environment: str
) -> subprocess.CompletedProcess[str]:
    """A service that ends by itself; its log is in its standard output."""
    arguments = [*TWISTD, "-n", "--pidfile=", "stacksync"]
    if configuration is not None:
        (directory / "stacksync.ini").write_text(configuration)
        arguments += ["-c", str(directory / "stacksync.ini")]
    return subprocess.run(
        arguments,
        cwd=directory,
        env=environment_in(directory) | environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
    )


def settings(database_url: str, listen: str = "tcp:0:interface=127.0.0.1") -> str:
    return f"[database]\nurl = {database_url}\n[amqp]\nurl = off\n[http]\nlisten = {listen}\n"


def assert_told(ended: subprocess.CompletedProcess[str], *words: str) -> None:
    assert ended.returncode == 1, ended.stdout
    (line,) = [line for line in ended.stdout.splitlines() if "cannot start" in line]
    for word in words:
        assert word in line
    assert "Traceback" not in ended.stdout + ended.stderr
    assert "StackSync is up" not in ended.stdout


def sessions(dsn: str) -> int:
    with closing(psycopg2.connect(dsn)) as connection, connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
            " AND application_name = 'stacksync'"
        )
        return int(cursor.fetchone()[0])


def wait_for(condition: Callable[[], object], seconds: float = 30.0) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, f"not within {seconds:g} s"
        time.sleep(0.02)


def test_an_old_schema_is_refused_with_what_to_do(
    new_directory: NewDirectory, empty_database_dsn: str
) -> None:
    ended = run_in_vain(new_directory("stacksync"), settings(empty_database_dsn))
    assert_told(ended, "the database lacks 0001 metadata", "run stacksync-admin db migrate")


def test_old_functions_are_refused_with_what_to_do(
    new_directory: NewDirectory, database_dsn: str
) -> None:
    with closing(psycopg2.connect(database_dsn)) as connection, connection:
        connection.cursor().execute("UPDATE schema_functions SET digest = 'old'")
    ended = run_in_vain(new_directory("stacksync"), settings(database_dsn))
    assert_told(ended, "new versions of its functions", "run stacksync-admin db migrate")


def test_a_newer_schema_is_refused_by_name(new_directory: NewDirectory, database_dsn: str) -> None:
    with closing(psycopg2.connect(database_dsn)) as connection, connection:
        connection.cursor().execute(
            "INSERT INTO schema_migration (number, name) VALUES (9999, 'tomorrow')"
        )
    ended = run_in_vain(new_directory("stacksync"), settings(database_dsn))
    assert_told(ended, "9999 tomorrow", "a newer StackSync")


def test_a_taken_port_is_named(new_directory: NewDirectory, database_dsn: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        listen = f"tcp:{other.getsockname()[1]}:interface=127.0.0.1"
        ended = run_in_vain(new_directory("stacksync"), settings(database_dsn, listen))
    assert_told(ended, f"cannot listen on {listen}", "Address already in use")
    assert sessions(database_dsn) == 0


def test_a_state_directory_that_cannot_be_is_named(new_directory: NewDirectory) -> None:
    directory = new_directory("stacksync")
    (directory / "file").touch()
    ended = run_in_vain(directory, None, STACKSYNC_HOME=str(directory / "file"))
    assert_told(ended, f"the state directory {directory / 'file'} can't be created")


def test_it_says_what_is_up_and_stops_cleanly(
    start_server: Callable[..., StackSyncProcess], database_dsn: str
) -> None:
    server = start_server(database_dsn)
    (line,) = [line for line in server.log_text().splitlines() if "StackSync is up" in line]
    assert line.endswith(f"HTTP on {server.http_url}, AMQP (off), database as configured")
    assert sessions(database_dsn) > 0
    assert server.terminate() == -signal.SIGTERM
    log = server.log_text()
    assert "StackSync has stopped" in log
    assert "Traceback" not in log
    wait_for(lambda: sessions(database_dsn) == 0)


@pytest.mark.parametrize("database_comes", [True, False])
def test_a_database_that_is_away_is_waited_for_until_it_comes_or_the_service_is_stopped(
    new_directory: NewDirectory, own_postgres: PostgresServer, database_comes: bool
) -> None:
    migrate(own_postgres.dsn())
    own_postgres.stop()
    server = StackSyncProcess(new_directory("stacksync"), own_postgres.dsn())
    server.spawn()
    try:
        wait_for(lambda: "trying again" in server.log_text())
        if database_comes:
            own_postgres.start()
            server.wait_until_ready()
        before = time.monotonic()
        assert server.terminate() == -signal.SIGTERM
        assert time.monotonic() - before < 8
    finally:
        server.kill()
    log = server.log_text()
    # One that begins to start is away for another reason than one that is not there.
    problems = [line.partition("] ")[2] for line in log.splitlines() if "trying again" in line]
    assert len(problems) == len(set(problems))
    assert "StackSync has stopped" in log
    assert "cannot start" not in log
    assert "Traceback" not in log


def test_a_wrong_login_is_told_and_tried_again(
    new_directory: NewDirectory, database_dsn: str
) -> None:
    url = database_dsn.replace("stacksync@", "nobody@", 1)
    server = StackSyncProcess(new_directory("stacksync"), url)
    server.spawn()
    try:
        wait_for(lambda: 'role "nobody" does not exist; trying again' in server.log_text())
        assert server.terminate() == -signal.SIGTERM
    finally:
        server.kill()


def test_stopping_while_it_starts_is_no_failure(
    new_directory: NewDirectory, database_dsn: str
) -> None:
    server = StackSyncProcess(new_directory("stacksync"), database_dsn)
    for _ in range(3):
        so_far = len(server.log_text())
        server.spawn()
        wait_for(lambda so_far=so_far: "database: connected" in server.log_text()[so_far:])  # type: ignore[misc]
        assert server.terminate() == -signal.SIGTERM
    assert "Traceback" not in server.log_text()
    assert "cannot start" not in server.log_text()
    assert server.log_text().count("StackSync has stopped") == 3


def test_who_stops_it_with_its_first_word_stops_it_in_order(new_directory: NewDirectory) -> None:
    away = "postgresql://nobody@/none?host=/nowhere"
    server = StackSyncProcess(new_directory("stacksync"), away)
    server.spawn()
    try:
        while "trying again" not in server.log_text():
            assert server.running
        assert server.terminate() == -signal.SIGTERM
    finally:
        server.kill()
    assert "StackSync has stopped" in server.log_text()
