"""PostgreSQL for tests: throw-away, under the test's full control."""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import psycopg2
import psycopg2.errors

from stacksync.embedded.binaries import find_binaries
from stacksync.embedded.cluster import SETTINGS, Cluster
from stacksync.embedded.deadline import Deadline
from stacksync.embedded.run_as import user_for

_SETTINGS = {
    **SETTINGS,
    "fsync": "off",
    "full_page_writes": "off",
    "max_connections": "300",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    # It may be in memory.
    "min_wal_size": "32MB",
    "max_wal_size": "256MB",
    # In its own directory, which is removed: what is in /dev/shm outlives a SIGKILL.
    "dynamic_shared_memory_type": "mmap",
}


class PostgresServer:
    """A cluster below a directory that the servers' user may pass.

    The methods of the life cycle block until done and raise when they fail.
    """

    def __init__(self, directory: Path) -> None:
        user = user_for(directory)
        self.cluster = Cluster(
            directory / "postgres", find_binaries(user, directory), user, _SETTINGS
        )

    def start(self) -> None:
        self.cluster.start(Deadline(180))

    def stop(self) -> None:
        """Stop it in order; sessions are cut off."""
        self.cluster.stop(Deadline(60))

    def restart(self) -> None:
        self.stop()
        self.start()

    def kill(self) -> None:
        """Crash it (SIGKILL)."""
        self.cluster.kill()

    def dsn(self, database: str = "stacksync") -> str:
        """The libpq URL of a database."""
        return self.cluster.url(database)

    def execute(self, statement: str, database: str = "postgres") -> None:
        """Run one statement outside a transaction."""
        with closing(psycopg2.connect(self.dsn(database))) as connection:
            connection.autocommit = True
            with connection.cursor() as cursor:
                cursor.execute(statement)

    @contextmanager
    def database(self, template: str = "template0") -> Iterator[str]:
        """The DSN of a new database, a copy of ``template``; dropped at the end."""
        name = f"test_{secrets.token_hex(6)}"
        self._when_left(f"CREATE DATABASE {name} TEMPLATE {template}")
        try:
            yield self.dsn(name)
        finally:
            self._when_left(f"DROP DATABASE {name} WITH (FORCE)")

    def _when_left(self, statement: str) -> None:
        """Run a statement about a database that nobody may be connected to.

        PostgreSQL itself waits 5 s for sessions to end, which is little on a busy machine.
        """
        end = time.monotonic() + 120
        while True:
            try:
                return self.execute(statement)
            except psycopg2.errors.ObjectInUse:
                if time.monotonic() > end:
                    raise
