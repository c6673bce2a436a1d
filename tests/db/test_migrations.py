"""Whatever a database was before, after a migration it has the present schema."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import psycopg2.errors
import pytest

from stacksync.db import migrations
from stacksync.db.migrations import Migration, migrate, status
from stacksync.errors import SchemaMismatch, Unavailable
from tests.db.catalog import (
    FOREIGN_KEYS_WITHOUT_INDEX,
    TABLES_WITHOUT_PRIMARY_KEY,
    schema,
)
from tests.db.observation import Psql
from tests.servers.postgres import PostgresServer

KNOWN = migrations.migrations()
LATER = Migration(
    9999, "a_later_idea", "CREATE TABLE idea (id int PRIMARY KEY); ALTER TABLE device ADD idea int"
)


@pytest.fixture
def empty(empty_database_dsn: str) -> Iterator[Psql]:
    with closing(Psql(empty_database_dsn)) as session:
        yield session


@pytest.fixture
def later_program(monkeypatch: pytest.MonkeyPatch) -> None:
    """This program as it may be one day: with one more migration and one more function."""
    functions = migrations.functions()
    one_more = "CREATE FUNCTION ideas() RETURNS SETOF idea LANGUAGE sql AS 'SELECT * FROM idea';"
    monkeypatch.setattr(migrations, "migrations", lambda: [*KNOWN, LATER])
    monkeypatch.setattr(migrations, "functions", lambda: functions + one_more)


def test_migrations_are_numbered_without_gaps() -> None:
    assert [migration.number for migration in KNOWN] == list(range(1, len(KNOWN) + 1))


def test_nothing_becomes_the_present_schema_and_then_there_is_nothing_to_do(empty: Psql) -> None:
    done = migrate(empty.dsn)
    assert done == [*(f"applied {migration}" for migration in KNOWN), "replaced the functions"]
    before = schema(empty)
    assert migrate(empty.dsn) == []
    assert schema(empty) == before
    assert "commit_items(uuid[],jsonb,boolean)" in [function[0] for function in before["functions"]]


@pytest.mark.parametrize("state", range(len(KNOWN) + 1))
def test_every_earlier_state_becomes_the_same_schema(
    empty: Psql, database_dsn: str, state: int
) -> None:
    migrate(empty.dsn, up_to=state)
    assert len(status(empty.dsn).applied) == state
    migrate(empty.dsn)
    with closing(Psql(database_dsn)) as straight:
        assert schema(empty) == schema(straight)


@pytest.mark.usefixtures("later_program")
def test_the_present_schema_becomes_a_later_one(
    empty: Psql, postgres: PostgresServer, database_dsn: str
) -> None:
    with closing(Psql(database_dsn)) as present:
        assert migrate(present.dsn) == ["applied 9999 a_later_idea", "replaced the functions"]
        migrate(empty.dsn)
        assert schema(present) == schema(empty)
        assert "ideas()" in [function[0] for function in schema(present)["functions"]]


def test_a_status_says_what_is_there_and_what_is_missing_and_changes_nothing(
    empty: Psql, request: pytest.FixtureRequest
) -> None:
    labels = tuple(str(migration) for migration in KNOWN)
    found = status(empty.dsn)
    assert (found.applied, found.pending, found.current) == ((), labels, False)
    assert empty.rows("SELECT FROM pg_class WHERE relname = 'schema_migration'") == []
    migrate(empty.dsn, up_to=1)
    found = status(empty.dsn)
    assert (found.applied, found.pending) == (labels[:1], labels[1:])
    assert not found.functions_current
    assert not found.current
    migrate(empty.dsn)
    found = status(empty.dsn)
    assert (found.applied, found.pending, found.current) == (labels, (), True)
    request.getfixturevalue("later_program")
    found = status(empty.dsn)
    assert (found.pending, found.current) == (("9999 a_later_idea",), False)
    assert labels[0] == "0001 metadata"


def test_functions_are_replaced_when_their_text_is_another(
    empty: Psql, monkeypatch: pytest.MonkeyPatch
) -> None:
    migrate(empty.dsn)
    before = schema(empty)
    present = migrations.functions()
    old = "CREATE FUNCTION item_state(int, text DEFAULT '') RETURNS int LANGUAGE sql AS 'SELECT 1';"
    monkeypatch.setattr(migrations, "functions", lambda: old)
    assert migrate(empty.dsn) == ["replaced the functions"]
    assert [name for name, *_ in schema(empty)["functions"]] == ["item_state(integer,text)"]
    monkeypatch.setattr(migrations, "functions", lambda: present)
    assert not status(empty.dsn).functions_current
    assert migrate(empty.dsn) == ["replaced the functions"]
    assert schema(empty) == before


def test_the_operators_own_functions_stay(empty: Psql) -> None:
    empty.rows("CREATE FUNCTION report() RETURNS int LANGUAGE sql AS 'SELECT 7'")
    migrate(empty.dsn)
    empty.rows("CREATE FUNCTION other() RETURNS int LANGUAGE sql AS 'SELECT 8'")
    empty.rows("UPDATE schema_functions SET digest = 'old'")
    migrate(empty.dsn)
    assert empty.rows("SELECT report(), other()") == [(7, 8)]


def test_a_migration_that_fails_leaves_everything_as_it_was(
    empty: Psql, monkeypatch: pytest.MonkeyPatch
) -> None:
    migrate(empty.dsn)
    before = schema(empty)
    bad = Migration(9999, "bad", "CREATE TABLE half (); SELECT 1 / 0")
    monkeypatch.setattr(migrations, "migrations", lambda: [*KNOWN, bad])
    with pytest.raises(psycopg2.errors.DivisionByZero):
        migrate(empty.dsn)
    assert schema(empty) == before


def test_of_several_at_once_one_does_it_and_the_others_find_it_done(empty: Psql) -> None:
    with ThreadPoolExecutor(4) as threads:
        done = sorted(threads.map(lambda _: migrate(empty.dsn), range(4)), key=len)
    assert done[:3] == [[], [], []]
    assert len(done[3]) == len(KNOWN) + 1
    assert status(empty.dsn).current


def test_a_newer_database_is_refused_and_left_alone(empty: Psql) -> None:
    migrate(empty.dsn)
    empty.rows("INSERT INTO schema_migration (number, name) VALUES (9998, 'newer')")
    empty.rows("UPDATE schema_functions SET digest = 'newer'")
    before = schema(empty)
    for ask in (migrate, status):
        with pytest.raises(SchemaMismatch, match=r"9998 newer.*by a newer StackSync"):
            ask(empty.dsn)
    assert schema(empty) == before


def test_no_database_is_told_in_one_line(deserted_url: str) -> None:
    for ask in (migrate, status):
        with pytest.raises(Unavailable, match=r"^database: .*refused$"):
            ask(deserted_url)


def test_every_table_has_a_primary_key(empty: Psql) -> None:
    empty.rows("CREATE TABLE keyless (n int)")
    assert empty.rows(TABLES_WITHOUT_PRIMARY_KEY) == [("keyless",)]
    empty.rows("DROP TABLE keyless")
    migrate(empty.dsn)
    assert empty.rows(TABLES_WITHOUT_PRIMARY_KEY) == []


def test_every_foreign_key_is_indexed(empty: Psql) -> None:
    migrate(empty.dsn)
    assert empty.rows(FOREIGN_KEYS_WITHOUT_INDEX) == []
    empty.rows("CREATE TABLE slow (id int PRIMARY KEY, device uuid REFERENCES device)")
    assert empty.rows(FOREIGN_KEYS_WITHOUT_INDEX) == [("slow", "slow_device_fkey")]
