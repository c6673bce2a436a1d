"""A yard for each test: all instances look for jobs in the whole database."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import closing

import pytest_twisted
from twisted.internet import reactor

from stacksync.config import DatabaseConfig
from stacksync.db.database import Database
from tests.db.observation import Psql
from tests.engine.jobs.yard import Yard


@pytest_twisted.async_yield_fixture
async def yard(database_dsn: str) -> AsyncIterator[Yard]:
    database = Database(reactor, DatabaseConfig(url=database_dsn))
    database.start()
    with closing(Psql(database_dsn)) as psql:
        made = Yard(database, psql)
        yield made
        await made.stop()
        database.stop()
