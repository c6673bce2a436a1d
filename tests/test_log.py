"""The level below which nothing is logged."""

from __future__ import annotations

from typing import cast

import pytest
from twisted.logger import ILogObserver, Logger, LogLevel, LogPublisher

from stacksync.log import limit_level


@pytest.fixture
def events() -> list[str]:
    return []


@pytest.fixture
def publisher(events: list[str]) -> LogPublisher:
    return LogPublisher(cast(ILogObserver, lambda event: events.append(event["log_level"].name)))


def log_at_every_level(publisher: LogPublisher) -> None:
    log = Logger(namespace="stacksync.engine", observer=publisher)
    for level in LogLevel.iterconstants():
        log.emit(level, "something happened")


@pytest.mark.parametrize(
    ("level", "logged"),
    [
        ("debug", ["debug", "info", "warn", "error", "critical"]),
        ("info", ["info", "warn", "error", "critical"]),
        ("error", ["error", "critical"]),
    ],
)
def test_only_events_of_the_level_and_graver_are_logged(
    publisher: LogPublisher, events: list[str], level: str, logged: list[str]
) -> None:
    limit_level(level, publisher)
    log_at_every_level(publisher)

    assert events == logged


def test_afterwards_everything_is_logged_again(publisher: LogPublisher, events: list[str]) -> None:
    restore = limit_level("critical", publisher)
    restore()
    log_at_every_level(publisher)

    assert len(events) == 5
