"""Databases of a test's own, and what is to be seen of them from outside."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import closing
from typing import Any

import pytest
import pytest_twisted
from twisted.internet import reactor

from stacksync.config import DatabaseConfig
from stacksync.db.database import Database
from tests.db.builders import World
from tests.db.invariants import check
from tests.db.observation import CapturedLog, Psql

StartDatabase = Callable[..., Database]


@pytest.fixture
def logged() -> Iterator[CapturedLog]:
    """What is logged during the test."""
    log = CapturedLog()
    log.start()
    yield log
    log.stop()


@pytest_twisted.async_yield_fixture
async def start_database() -> AsyncIterator[StartDatabase]:
    """Starts databases (``url``, options of the section ``[database]``) and stops them."""
    started = []

    def start(url: str, **options: Any) -> Database:
        database = Database(reactor, DatabaseConfig(url=url, **options))
        database.start()
        started.append(database)
        return database

    yield start
    for database in started:
        database.stop()


@pytest.fixture
def database(module_database_dsn: str, start_database: StartDatabase) -> Database:
    """The database that the tests of a module share."""
    return start_database(module_database_dsn)


@pytest.fixture
def psql(module_database_dsn: str) -> Iterator[Psql]:
    """The same database, seen by an operator."""
    with closing(Psql(module_database_dsn)) as session:
        yield session


@pytest.fixture
def silent_url() -> Iterator[str]:
    """Where somebody accepts connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0), backlog=64) as listener:
        yield f"postgresql://127.0.0.1:{listener.getsockname()[1]}/stacksync?sslmode=disable"


@pytest.fixture
def deserted_url() -> Iterator[str]:
    """Where nobody listens."""
    with socket.socket() as reserved:
        reserved.bind(("127.0.0.1", 0))
        yield f"postgresql://127.0.0.1:{reserved.getsockname()[1]}/stacksync"


@pytest.fixture
def world(database: Database, psql: Psql) -> Iterator[World]:
    """People who commit to the module's database, which is sound when they have."""
    yield World(database)
    check(psql)
