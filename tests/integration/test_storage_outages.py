"""The disk with the content goes away: readiness says so, metadata goes on, and it comes back."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import requests

from tests.integration.surroundings.ledger import until
from tests.integration.surroundings.outages import readiness
from tests.servers.stacksync import StackSyncProcess


@pytest.fixture
def server(start_server: Callable[..., StackSyncProcess], database_dsn: str) -> StackSyncProcess:
    """A server with HTTP alone."""
    return start_server(database_dsn)


def test_a_store_that_is_away_is_named_until_it_is_back(server: StackSyncProcess) -> None:
    objects = server.directory / "home" / "objects"
    whole = {"database": "ok", "storage": "ok"}
    until(lambda: readiness(server) == whole, "all is there")

    objects.rename(objects.with_name("unmounted"))
    server.wait_for_status(503)
    away = {**whole, "storage": f"the directory {objects / 'containers'} is not there"}
    # A database that takes long to answer, on a busy machine, is told as well.
    until(lambda: readiness(server) == away, "the store alone is away")
    assert requests.get(f"{server.http_url}/healthz", timeout=10).status_code == 200

    objects.with_name("unmounted").rename(objects)
    server.wait_for_status(200)
    until(lambda: readiness(server) == whole, "all is there again")


def test_a_store_that_can_never_be_ends_the_start(server: StackSyncProcess) -> None:
    server.terminate()
    objects = server.directory / "home" / "objects"
    (objects / "containers").rmdir()
    (objects / "containers").touch()

    server.spawn()
    with pytest.raises(AssertionError, match=f"the storage directory {objects} can't be created"):
        server.wait_until_ready()
