"""A server for stories about applications, which need HTTP alone, and an application."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

import pytest

from tests.db.observation import Psql
from tests.integration.clients.oauth_app import Application, new_application
from tests.integration.surroundings.fleet import Fleet
from tests.servers.stacksync import StackSyncProcess


@pytest.fixture(scope="module")
def server(module_fleet: Fleet, module_database_dsn: str) -> StackSyncProcess:
    # Refused passwords by the dozen are not to wait for one another.
    return module_fleet.start(module_database_dsn, auth={"failure_delay": "0s"})


@pytest.fixture(scope="module")
def app(server: StackSyncProcess) -> Application:
    """One that sends people back to itself."""
    return new_application(server)


@pytest.fixture(scope="module")
def psql(server: StackSyncProcess) -> Iterator[Psql]:
    """The server's database, past the server."""
    with closing(Psql(server.database_url)) as session:
        yield session
