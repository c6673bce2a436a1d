"""How tests of waiting things look at them: by polling, and by what was logged."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable
from contextlib import closing
from typing import Any

import psycopg2
import psycopg2.extensions
from twisted.internet import reactor
from twisted.internet.task import deferLater
from twisted.logger import LogEvent, LogLevel, globalLogPublisher

from stacksync.db.connection import Connection


async def until(condition: Callable[[], Any], seconds: float = 30.0) -> None:
    """Return as soon as the condition holds; fail when it does not in time."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, f"not within {seconds:g} s"
        await deferLater(reactor, 0.005)


def waiting_for() -> set[Any]:
    """What the reactor will call, and which connections to the database it reads.

    What it will call rather than when: a loop of somebody else's in this
    process has a new timer in each turn.
    """
    calls: list[Any] = [*reactor.getDelayedCalls()]
    connections = [each for each in reactor.getReaders() if isinstance(each, Connection)]
    return {*(call.func for call in calls), *connections}


class CapturedLog:
    """What was logged between :meth:`start` and :meth:`stop`."""

    def __init__(self) -> None:
        self.events: list[LogEvent] = []

    def start(self) -> None:
        # What was left lying about before is told now, and not as if it were of this test.
        gc.collect()
        globalLogPublisher.addObserver(self.events.append)

    def stop(self) -> None:
        globalLogPublisher.removeObserver(self.events.append)

    @property
    def errors(self) -> list[LogEvent]:
        """Errors, among them the failures of Deferreds that nobody looked after."""
        gc.collect()
        return [
            event
            for event in self.events
            if event.get("log_level") in (LogLevel.error, LogLevel.critical)
        ]

    def lines(self, level: LogLevel) -> list[str]:
        return [
            event["log_format"].format_map(event)
            for event in self.events
            if event.get("log_level") is level and event.get("log_format")
        ]

    def lines_about(self, words: str) -> list[str]:
        return [line for level in LogLevel.iterconstants() for line in self.lines(level)
            if words in line]  # fmt: skip


class Psql:
    """The database as an operator sees it: every statement blocks, and is committed at once."""

    def __init__(self, dsn: str) -> None:
        self.dsn = dsn
        self._connection = self.connect()
        self._connection.autocommit = True

    def connect(self) -> psycopg2.extensions.connection:
        """Another session, for a transaction of its own."""
        return psycopg2.connect(self.dsn)

    def rows(self, sql: str, *arguments: Any) -> list[tuple[Any, ...]]:
        with closing(self._connection.cursor()) as cursor:
            cursor.execute(sql, arguments or None)
            return cursor.fetchall() if cursor.description is not None else []

    def value(self, sql: str, *arguments: Any) -> Any:
        """The only column of the only row."""
        ((value,),) = self.rows(sql, *arguments)
        return value

    def sessions(self) -> dict[int, str]:
        """Our sessions in this database: process id and last statement."""
        return dict(
            self.rows(
                "SELECT pid, query FROM pg_stat_activity WHERE datname = current_database()"
                " AND application_name = 'stacksync'"
            )
        )  # type: ignore[arg-type]

    def kill_sessions(self) -> int:
        """Cut our sessions off and wait until they are gone; how many those were."""
        return len(
            self.rows(
                "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity"
                " WHERE datname = current_database() AND application_name = 'stacksync'"
            )
        )

    def close(self) -> None:
        self._connection.close()
