"""What the database says, beside what the server says."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from typing import Any

import psycopg2

from tests.integration.clients.device import WAIT


def until(condition: Callable[[], Any], what: str, within: float = WAIT) -> None:
    """Wait for a condition to become true.

    :raises TimeoutError: it did not.
    """
    end = time.monotonic() + within
    while not condition():
        if time.monotonic() > end:
            raise TimeoutError(f"not within {within:g} s: {what}")
        time.sleep(0.01)


class Ledger:
    """Reads a database past the server, and can be in its way.

    :param dsn: a libpq URL.
    """

    def __init__(self, dsn: str) -> None:
        self._dsn = dsn
        self._reading: psycopg2.extensions.connection | None = None

    def rows(self, sql: str, *arguments: Any) -> list[tuple[Any, ...]]:
        """The rows of one query.

        The connection is kept: who looks again and again would have the database mostly begin
        and end sessions.
        """
        if self._reading is not None:
            try:
                return self._read(self._reading, sql, arguments)
            except (psycopg2.OperationalError, psycopg2.InterfaceError):
                # The database was stopped, or the session ended, since it was last looked at.
                self._reading.close()
        self._reading = psycopg2.connect(self._dsn)
        self._reading.autocommit = True
        return self._read(self._reading, sql, arguments)

    def _read(
        self, connection: psycopg2.extensions.connection, sql: str, arguments: Sequence[Any]
    ) -> list[tuple[Any, ...]]:
        with connection.cursor() as cursor:
            cursor.execute(sql, arguments)
            return cursor.fetchall()

    def execute(self, sql: str, *arguments: Any) -> None:
        """Change something behind the server's back."""
        with closing(psycopg2.connect(self._dsn)) as connection, connection:
            connection.cursor().execute(sql, arguments)

    def has_committed(self, request_id: str) -> bool:
        """Whether a request has left its trace."""
        return bool(self.rows("SELECT FROM item_version WHERE request_id = %s", request_id))

    def commits(self) -> int:
        """How many requests have left their trace."""
        ((count,),) = self.rows("SELECT count(DISTINCT request_id) FROM item_version")
        return int(count)

    def waiting_commits(self) -> int:
        """How many commits wait for a lock at the moment."""
        ((count,),) = self.rows(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
            " AND wait_event_type = 'Lock' AND query LIKE 'SELECT commit_items%%'"
        )
        return int(count)

    def lock_waits(self, looks: int) -> set[str]:
        """The kinds of locks that commits were seen to make each other wait for, looking so often.

        Of what else goes on, such as a vacuum that makes a table's file shorter, nothing is told.
        """
        seen: set[str] = set()
        with closing(psycopg2.connect(self._dsn)) as connection, connection.cursor() as cursor:
            connection.autocommit = True
            for _ in range(looks):
                cursor.execute(
                    "SELECT DISTINCT waiting.wait_event FROM pg_stat_activity waiting,"
                    " unnest(pg_blocking_pids(waiting.pid)) AS in_the_way,"
                    " pg_stat_activity holding"
                    " WHERE waiting.datname = current_database()"
                    " AND waiting.wait_event_type = 'Lock' AND holding.pid = in_the_way"
                    " AND waiting.query LIKE 'SELECT commit_items%'"
                    " AND holding.query LIKE 'SELECT commit_items%'"
                )
                seen.update(kind for (kind,) in cursor.fetchall())
        return seen

    def assert_sound(self) -> None:
        """Versions, revisions and quotas add up, whatever has happened."""
        assert not self.rows(
            "SELECT item_id FROM item_version v GROUP BY item_id"
            " HAVING max(version) <> count(*) OR min(version) <> 1"
        ), "an item has gaps in its versions"
        assert not self.rows(
            "SELECT id FROM item i WHERE version <>"
            " (SELECT max(version) FROM item_version v WHERE v.item_id = i.id)"
        ), "an item is not at its latest version"
        assert not self.rows(
            "SELECT w.id FROM workspace w WHERE latest_revision <>"
            " (SELECT count(DISTINCT revision) FROM item_version v WHERE v.workspace_id = w.id)"
        ), "a revision has no commit"
        assert not self.rows(
            "SELECT a.id FROM account a WHERE quota_used <> (SELECT coalesce(sum(size), 0)"
            " FROM item i JOIN workspace w ON w.id = i.workspace_id"
            " WHERE w.owner_id = a.id AND i.status <> 'DELETED')"
        ), "a quota does not add up"

    @contextmanager
    def lock(self, workspace_id: str) -> Iterator[None]:
        """Keep everybody else from committing to a workspace."""
        with closing(psycopg2.connect(self._dsn)) as connection:
            connection.cursor().execute(
                "SELECT FROM workspace WHERE id = %s FOR UPDATE", [workspace_id]
            )
            yield
