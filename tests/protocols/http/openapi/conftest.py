"""A server of its own, and somebody with files in it, for the description to be tried on."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.integration.surroundings.fleet import Fleet
from tests.protocols.http.openapi.belongings import CARLA, EMAIL, PASSWORD, Belongings
from tests.servers.run import TestRun
from tests.servers.stacksync import StackSyncProcess


@pytest.fixture(scope="module")
def server(test_run: TestRun, module_database_dsn: str) -> Iterator[StackSyncProcess]:
    """A running server; at the end its log must have no sign of a bug.

    Wrong passwords, of which there will be many, are not waited for, and tokens last as long
    as the description allows at the most.  Nor does it close a connection that is idle: it might
    just be needed again.
    """
    fleet = Fleet(test_run)
    tokens = {"lifetime": "3650d", "max_per_account": "100000"}
    http, auth = {"request_timeout": "1h"}, {"failure_delay": "0s"}
    yield fleet.start(module_database_dsn, http=http, auth=auth, tokens=tokens)
    fleet.end()


@pytest.fixture(scope="module")
def belongings(server: StackSyncProcess) -> Iterator[Belongings]:
    """What Anna has on that server."""
    server.add_user(EMAIL, PASSWORD)
    server.add_user(CARLA, PASSWORD)
    with Belongings(server.http_url) as hers:
        yield hers
