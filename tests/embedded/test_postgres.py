"""The embedded PostgreSQL is shared, survives its users' deaths, and goes with the last."""

from __future__ import annotations

import os
import shutil
import signal
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import psycopg2
import pytest
from pytest_twisted import ensureDeferred
from twisted.internet import reactor
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.task import deferLater

from stacksync.embedded.cluster import Cluster
from stacksync.embedded.keeper import Patience
from stacksync.embedded.postgres import EmbeddedPostgres
from stacksync.errors import ConfigurationError, Unavailable
from tests.embedded.conftest import Holder, Processes


def ask(url: str, question: str) -> str:
    with closing(psycopg2.connect(url)) as connection, connection.cursor() as cursor:
        cursor.execute(question)
        return str(cursor.fetchone()[0])


async def until_it_answers(url: str) -> None:
    end = time.monotonic() + 90
    while True:
        try:
            assert ask(url, "SELECT 1") == "1"
            return
        except psycopg2.OperationalError:
            assert time.monotonic() < end
        await deferLater(reactor, 0.05)


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


def server_pid(home: Path) -> int:
    return int((home / "postgres" / "postmaster.pid").read_text().splitlines()[0])


@ensureDeferred
async def test_it_starts_stops_and_keeps_what_it_was_told(home: Path, processes: Processes) -> None:
    for tables in ("0", "1"):
        postgres = EmbeddedPostgres(reactor, home)
        url = await postgres.start()
        assert ask(url, "SELECT count(*) FROM pg_tables WHERE tablename = 'kept'") == tables
        with closing(psycopg2.connect(url)) as connection, connection:
            connection.cursor().execute("CREATE TABLE IF NOT EXISTS kept ()")
        await postgres.stop()
        assert not processes.remaining


@ensureDeferred
async def test_it_is_modest_and_listens_on_its_socket_only(home: Path) -> None:
    postgres = EmbeddedPostgres(reactor, home)
    url = await postgres.start()
    for name, value in {
        "listen_addresses": "",
        "jit": "off",
        "shared_buffers": "128MB",
        "max_connections": "60",
        "fsync": "on",
        "server_encoding": "UTF8",
    }.items():
        assert ask(url, f"SHOW {name}") == value, name
    assert mode(home / "postgres") == 0o700
    await postgres.stop()


@ensureDeferred
async def test_another_process_shares_it_and_leaves_it_running(
    home: Path, start_holder: Callable[[str], Holder]
) -> None:
    postgres = EmbeddedPostgres(reactor, home)
    url = await postgres.start()
    pid = server_pid(home)
    other = start_holder("postgres")
    assert other.url() == url
    other.leave()
    assert ask(url, "SELECT 1") == "1"
    assert server_pid(home) == pid
    await postgres.stop()
    with pytest.raises(psycopg2.OperationalError):
        psycopg2.connect(url)


@ensureDeferred
async def test_whoever_started_it_may_leave_first(
    home: Path, start_holder: Callable[[str], Holder], processes: Processes
) -> None:
    postgres = EmbeddedPostgres(reactor, home)
    await postgres.start()
    other = start_holder("postgres")
    url = other.url()
    await postgres.stop()
    assert ask(url, "SELECT 1") == "1"
    other.leave()
    assert not processes.remaining


@ensureDeferred
async def test_a_killed_user_leaves_it_to_the_next(
    home: Path, start_holder: Callable[[str], Holder], processes: Processes
) -> None:
    victim = start_holder("postgres")
    url = victim.url()
    pid = server_pid(home)
    victim.kill()
    assert ask(url, "SELECT 1") == "1"
    postgres = EmbeddedPostgres(reactor, home)
    assert await postgres.start() == url
    assert server_pid(home) == pid
    await postgres.stop()
    assert not processes.remaining


@ensureDeferred
async def test_one_that_dies_is_started_again(home: Path, processes: Processes) -> None:
    patience = Patience(check=0.02, first_delay=0.02)
    postgres = EmbeddedPostgres(reactor, home, patience)
    url = await postgres.start()
    for _ in range(2):
        os.kill(server_pid(home), signal.SIGKILL)
        await until_it_answers(url)
    await postgres.stop()
    assert not processes.remaining


@ensureDeferred
async def test_two_that_start_at_once_get_one_server(
    home: Path, start_holder: Callable[[str], Holder]
) -> None:
    other = start_holder("postgres")
    postgres = EmbeddedPostgres(reactor, home)
    assert await postgres.start() == other.url()
    other.leave()
    await postgres.stop()


@ensureDeferred
async def test_an_interrupted_first_start_is_begun_anew(home: Path) -> None:
    half_made = home / "postgres.new"
    half_made.mkdir()
    (half_made / "PG_VERSION").write_text("18\n")
    postgres = EmbeddedPostgres(reactor, home)
    assert ask(await postgres.start(), "SELECT 1") == "1"
    assert not half_made.exists()
    await postgres.stop()


@ensureDeferred
async def test_a_stale_process_id_is_not_taken_for_the_server(home: Path) -> None:
    postgres = EmbeddedPostgres(reactor, home)
    await postgres.start()
    lines = (home / "postgres" / "postmaster.pid").read_text().splitlines()
    await postgres.stop()
    lines[0] = "1"  # runs, and is somebody else
    (home / "postgres" / "postmaster.pid").write_text("\n".join(lines))
    assert ask(await postgres.start(), "SELECT 1") == "1"
    await postgres.stop()


@ensureDeferred
async def test_a_long_path_has_its_socket_elsewhere_closed_to_others(home: Path) -> None:
    deep = home / ("d" * 100)
    deep.mkdir()
    deep.chmod(0o711)
    postgres = EmbeddedPostgres(reactor, deep)
    url = await postgres.start()
    assert ask(url, "SELECT 1") == "1"
    socket = Path(url.partition("host=")[2])
    try:
        assert socket.parent == Path("/tmp")
        assert mode(socket) == 0o700
        await postgres.stop()
    finally:
        shutil.rmtree(socket)


@ensureDeferred
async def test_data_of_another_version_is_refused_with_the_servers_own_words(home: Path) -> None:
    postgres = EmbeddedPostgres(reactor, home)
    await postgres.start()
    await postgres.stop()
    (home / "postgres" / "PG_VERSION").write_text("15\n")
    with pytest.raises(Unavailable, match=r"(?s)ended with status 1 .*initialized by .* 15"):
        await postgres.start()


@ensureDeferred
async def test_without_the_package_it_says_what_to_install(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(ConfigurationError, match="pip install"):
        await EmbeddedPostgres(reactor, home).start()


@ensureDeferred
async def test_a_start_that_nobody_waits_for_any_more_ends_what_it_began(
    home: Path, processes: Processes, monkeypatch: pytest.MonkeyPatch
) -> None:
    postgres = EmbeddedPostgres(reactor, home)
    await postgres.start()
    await postgres.stop()
    with monkeypatch.context() as patched:
        # However fast it is, it is not up before we give up.
        patched.setattr(Cluster, "answers", lambda cluster: False)
        starting = Deferred.fromCoroutine(postgres.start())
        while not processes.ids:
            await deferLater(reactor, 0.001)
        starting.cancel()
        with pytest.raises(CancelledError):
            await starting
    await postgres.stop()
    assert not processes.remaining
