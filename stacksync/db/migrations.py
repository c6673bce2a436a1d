"""Brings a database's schema to this program's version.

``schema/NNNN_name.sql`` are applied once each, in order, and never edited
after a release; ``functions/*.sql`` are dropped and created anew each time.
All of it is one transaction.  These functions block: they are for the command
line and for a thread at start-up.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from contextlib import closing, contextmanager
from importlib.resources import files
from typing import Any

import psycopg2
import psycopg2.extensions
from attrs import frozen

from stacksync.errors import SchemaMismatch, Unavailable

LOCK = 7_226_473_011
"""Key of the advisory lock that lets only one program migrate at a time."""

CONNECT_TIMEOUT = 10

FILE_NAME = re.compile(r"(\d{4})_(\w+)\.sql")

BOOK = """
    CREATE TABLE IF NOT EXISTS schema_migration (
        number     integer PRIMARY KEY,
        name       text NOT NULL,
        applied_at timestamptz NOT NULL DEFAULT now()
    );
    CREATE TABLE IF NOT EXISTS schema_functions (
        only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
        digest   text NOT NULL,
        made     text[] NOT NULL
    );
"""

ALL_FUNCTIONS = """
    SELECT oid::regprocedure::text FROM pg_proc
    WHERE pronamespace = current_schema()::regnamespace
"""


@frozen
class Migration:
    number: int
    name: str
    sql: str

    def __str__(self) -> str:
        return f"{self.number:04d} {self.name}"


@frozen
class SchemaStatus:
    """What a database holds, against what this program brings along."""

    applied: tuple[str, ...]
    pending: tuple[str, ...]
    functions_current: bool

    @property
    def current(self) -> bool:
        return not self.pending and self.functions_current


def migrations() -> list[Migration]:
    """The migrations that this program brings along, in order."""
    found = []
    for entry in (files("stacksync.db") / "schema").iterdir():
        match = FILE_NAME.fullmatch(entry.name)
        if match:
            found.append(Migration(int(match[1]), match[2], entry.read_text("utf-8")))
    return sorted(found, key=lambda migration: migration.number)


def functions() -> str:
    """The text of all functions, in the order of their file names."""
    entries = sorted((files("stacksync.db") / "functions").iterdir(), key=lambda e: e.name)
    return "\n".join(e.read_text("utf-8") for e in entries if e.name.endswith(".sql"))


def digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def migrate(url: str, *, up_to: int | None = None) -> list[str]:
    """Apply what is missing; says what was done, a line each.

    :param url: a libpq connection string of the schema's owner.
    :param up_to: stop after this migration, without functions (for tests).
    :raises SchemaMismatch: the database is newer than this program.
    :raises Unavailable: no connection.
    """
    done = []
    with connected(url) as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])
        cursor.execute(BOOK)
        status = read_status(cursor)
        pending = [
            migration
            for migration in migrations()
            if str(migration) in status.pending and (up_to is None or migration.number <= up_to)
        ]
        if not pending and status.functions_current:
            return []
        # Functions use the tables and types that a migration may change.
        drop_functions(cursor)
        for migration in pending:
            cursor.execute(migration.sql)
            cursor.execute(
                "INSERT INTO schema_migration (number, name) VALUES (%s, %s)",
                [migration.number, migration.name],
            )
            done.append(f"applied {migration}")
        if up_to is None:
            create_functions(cursor)
            done.append("replaced the functions")
    return done


def status(url: str) -> SchemaStatus:
    """How a database stands; changes nothing.

    :raises SchemaMismatch: the database is newer than this program.
    :raises Unavailable: no connection.
    """
    with connected(url) as cursor:
        cursor.execute("SELECT to_regclass('schema_migration')")
        if cursor.fetchone()[0] is None:
            return SchemaStatus((), tuple(map(str, migrations())), False)
        return read_status(cursor)


def read_status(cursor: Any) -> SchemaStatus:
    known = migrations()
    cursor.execute("SELECT number, name FROM schema_migration ORDER BY number")
    applied = {number: f"{number:04d} {name}" for number, name in cursor.fetchall()}
    unknown = [label for number, label in applied.items() if number > known[-1].number]
    if unknown:
        raise SchemaMismatch(
            f"the database has migration {unknown[-1]}, this program knows up to {known[-1]}: "
            "it was migrated by a newer StackSync; use that one"
        )
    cursor.execute("SELECT digest FROM schema_functions")
    row = cursor.fetchone()
    return SchemaStatus(
        applied=tuple(applied.values()),
        pending=tuple(str(m) for m in known if m.number not in applied),
        functions_current=row is not None and row[0] == digest(functions()),
    )


def drop_functions(cursor: Any) -> None:
    """Drop what :func:`create_functions` has made; the operator's own stay."""
    cursor.execute("DELETE FROM schema_functions RETURNING made")
    for (made,) in cursor.fetchall():
        for signature in made:
            cursor.execute(f"DROP FUNCTION IF EXISTS {signature}")


def create_functions(cursor: Any) -> None:
    # The functions call one another across files, in no particular order.
    cursor.execute("SET LOCAL check_function_bodies = off")
    cursor.execute(ALL_FUNCTIONS)
    others = set(cursor.fetchall())
    cursor.execute(functions())
    cursor.execute(ALL_FUNCTIONS)
    made = sorted(signature for (signature,) in set(cursor.fetchall()) - others)
    cursor.execute(
        "INSERT INTO schema_functions (digest, made) VALUES (%s, %s)", [digest(functions()), made]
    )


@contextmanager
def connected(url: str) -> Iterator[Any]:
    """A cursor in a transaction that is committed at the end."""
    try:
        connection = psycopg2.connect(url, connect_timeout=CONNECT_TIMEOUT)
    except psycopg2.OperationalError as error:
        raise Unavailable("database", str(error).strip().splitlines()[0]) from None
    with closing(connection), connection, connection.cursor() as cursor:
        yield cursor
