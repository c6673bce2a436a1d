"""Database, store, engine and hasher come up together on a schema that fits, and go together."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import closing
from pathlib import Path

import pytest
import pytest_twisted
from attrs import evolve
from pytest_twisted import ensureDeferred
from twisted.internet import reactor
from twisted.internet.defer import CancelledError, Deferred

from stacksync.config import Config, StorageConfig
from stacksync.core import Core
from stacksync.db import migrations
from stacksync.errors import ConfigurationError, SchemaMismatch, Unavailable
from tests.db.conftest import deserted_url, logged, silent_url
from tests.db.observation import CapturedLog, Psql, until, waiting_for
from tests.servers.postgres import PostgresServer
from tests.servers.sweeper import remaining

__all__ = ["deserted_url", "logged", "silent_url"]

MakeCore = Callable[..., Core]


@pytest_twisted.async_yield_fixture
async def make_core(tmp_path: Path) -> AsyncIterator[MakeCore]:
    """Makes cores on a database URL, or on the embedded database of a directory."""
    made: list[Core] = []

    def make(
        url: str | Path,
        pool_size: int = 2,
        home: Path = tmp_path,
        storage: StorageConfig | None = None,
    ) -> Core:
        config = Config.embedded(url if isinstance(url, Path) else home)
        config = evolve(config, storage=storage or StorageConfig())
        database = evolve(config.database, pool_size=pool_size)
        if isinstance(url, str):
            database = evolve(database, url=url)
        made.append(Core(reactor, evolve(config, database=database)))
        return made[-1]

    yield make
    for core in made:
        await core.stop()


@ensureDeferred
async def test_the_engine_works_once_it_is_started_and_nothing_is_left_after_the_end(
    make_core: MakeCore, database_dsn: str, logged: CapturedLog
) -> None:
    before = waiting_for()
    core = make_core(database_dsn)
    await core.start()
    await core.check_schema()
    core.engine.start()
    anna = await core.engine.accounts.create(
        "anna@example.org",
        name=None,
        quota_limit=1,
        password_hash=await core.hasher.hash("correct horse"),
    )
    assert await core.engine.accounts.list() == (anna,)
    assert core.url == database_dsn
    assert not core.is_embedded
    with closing(Psql(database_dsn)) as psql:
        # Two in the pool and one that listens.
        await until(lambda: len(psql.sessions()) == 3)
        for _ in range(2):
            await core.stop()
        await until(lambda: not psql.sessions())
    await until(lambda: before >= waiting_for())
    assert not logged.errors


@ensureDeferred
async def test_one_connection_is_enough_for_everything(
    make_core: MakeCore, database_dsn: str
) -> None:
    core = make_core(database_dsn, pool_size=1)
    await core.start()
    await core.engine.accounts.create(
        "anna@example.org", name=None, quota_limit=1, password_hash=None
    )


@ensureDeferred
async def test_a_schema_that_does_not_fit_is_told_with_what_to_do(
    make_core: MakeCore, empty_database_dsn: str
) -> None:
    core = make_core(empty_database_dsn)
    await core.start()
    with pytest.raises(SchemaMismatch, match=r"lacks 0001 metadata.*: run stacksync-admin db mi"):
        await core.check_schema()
    migrations.migrate(empty_database_dsn)
    await core.check_schema()
    with closing(Psql(empty_database_dsn)) as psql:
        psql.rows("UPDATE schema_functions SET digest = 'old'")
        with pytest.raises(SchemaMismatch, match="new versions of its functions"):
            await core.check_schema()
        psql.rows("INSERT INTO schema_migration (number, name) VALUES (9999, 'tomorrow')")
        with pytest.raises(SchemaMismatch, match="9999 tomorrow"):
            await core.check_schema()


@ensureDeferred
async def test_a_database_that_is_away_is_told_and_may_come_later(
    make_core: MakeCore, own_postgres: PostgresServer, logged: CapturedLog
) -> None:
    migrations.migrate(own_postgres.dsn())
    own_postgres.stop()
    core = make_core(own_postgres.dsn())
    await core.start()
    with pytest.raises(Unavailable, match=r"^database: "):
        await core.check_schema()
    own_postgres.start()
    await core.check_schema()
    assert await core.engine.accounts.list() == ()
    assert not logged.errors


@ensureDeferred
async def test_a_silent_database_is_given_up_and_can_be_left_alone(
    make_core: MakeCore, silent_url: str, monkeypatch: pytest.MonkeyPatch, logged: CapturedLog
) -> None:
    monkeypatch.setattr(migrations, "CONNECT_TIMEOUT", 1)
    core = make_core(silent_url)
    await core.start()
    checking = Deferred.fromCoroutine(core.check_schema())
    checking.cancel()
    with pytest.raises(CancelledError):
        await checking
    with pytest.raises(Unavailable, match="timeout"):
        await core.check_schema()
    assert not logged.errors


@ensureDeferred
async def test_the_embedded_database_is_brought_up_to_date_by_itself(
    make_core: MakeCore, new_directory: Callable[[str], Path]
) -> None:
    home = new_directory("home")
    core = make_core(home)
    assert core.is_embedded
    await core.start()
    await core.check_schema()
    with closing(Psql(core.url)) as psql:
        psql.rows("UPDATE schema_functions SET digest = 'of an earlier release'")
    await core.stop()
    core = make_core(home)
    await core.start()
    await core.check_schema()
    await core.stop()
    assert remaining(home) == []


@ensureDeferred
async def test_the_embedded_database_may_be_opened_alone(
    make_core: MakeCore, new_directory: Callable[[str], Path]
) -> None:
    home = new_directory("home")
    core = make_core(home)
    url = await core.open_database()
    with closing(Psql(url)) as psql:
        assert psql.value("SELECT 1") == 1
    await core.stop()
    assert remaining(home) == []


@ensureDeferred
async def test_a_state_directory_that_cannot_be_is_named(
    make_core: MakeCore, new_directory: Callable[[str], Path]
) -> None:
    occupied = new_directory("home") / "file"
    occupied.touch()
    with pytest.raises(ConfigurationError, match=f"the state directory {occupied}"):
        await make_core(occupied).start()


@ensureDeferred
async def test_the_store_lies_in_the_state_directory_and_runs_with_the_core(
    make_core: MakeCore, database_dsn: str, tmp_path: Path
) -> None:
    core = make_core(database_dsn, home=tmp_path / "home")
    await core.start()
    await core.store.create_container("workspace")
    await core.store.check()
    assert (tmp_path / "home" / "objects" / "containers" / "workspace").is_dir()
    assert (tmp_path / "home").stat().st_mode & 0o066 == 0
    await core.stop()
    with pytest.raises(Unavailable, match=r"^storage: "):
        await core.store.check()


@ensureDeferred
async def test_a_store_elsewhere_needs_no_state_directory(
    make_core: MakeCore, database_dsn: str, tmp_path: Path
) -> None:
    elsewhere = StorageConfig(directory=tmp_path / "elsewhere")
    core = make_core(database_dsn, home=tmp_path / "home", storage=elsewhere)
    await core.start()
    await core.store.check()
    assert not (tmp_path / "home").exists()


@ensureDeferred
async def test_a_storage_directory_that_cannot_be_is_named(
    make_core: MakeCore, database_dsn: str, tmp_path: Path
) -> None:
    (tmp_path / "objects").touch()
    with pytest.raises(ConfigurationError, match=f"the storage directory {tmp_path}/objects"):
        await make_core(database_dsn).start()
