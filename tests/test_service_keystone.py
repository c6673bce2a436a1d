"""The service starts while Keystone is away: HTTP at once, AMQP when Keystone is there."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import requests

from stacksync.db.migrations import migrate
from tests.servers.openstack.cloud import CloudProject
from tests.servers.proxy import Proxy
from tests.servers.stacksync import StackSyncProcess


@pytest.fixture
def front(project: CloudProject) -> Iterator[Proxy]:
    """A Keystone that is away until it listens."""
    proxy = Proxy(int(project.keystone_url.rsplit(":", 1)[1].split("/")[0]))
    proxy.refuse()
    yield proxy
    proxy.close()


@pytest.fixture
def waiting(
    new_directory: Callable[[str], Path],
    database_dsn: str,
    amqp_url: str,
    project: CloudProject,
    front: Proxy,
) -> Iterator[StackSyncProcess]:
    """A service that was started while Keystone is away."""
    migrate(database_dsn)
    server = StackSyncProcess(
        new_directory("stacksync"),
        database_dsn,
        amqp_url,
        keystone={**project.options, "url": f"http://127.0.0.1:{front.port}/v3"},
        storage={"url": "swift"},
    )
    server.spawn()
    try:
        server.wait_for_status(503)
        yield server
    finally:
        server.kill()


def test_http_is_up_and_says_why_the_rest_is_not(waiting: StackSyncProcess, front: Proxy) -> None:
    end = time.monotonic() + 60
    # Its connections may come up a little later than HTTP.
    while (told := requests.get(f"{waiting.http_url}/readyz", timeout=60).json())[
        "database"
    ] != "ok":
        assert time.monotonic() < end, told
    assert "nothing listens there" in told["keystone"]
    assert told["broker"] == "waits for Keystone to tell where devices find Swift"

    front.listen()

    waiting.wait_until_ready()
    log = waiting.log_text()
    assert log.count("AMQP waits, for devices can't be told where Swift is") == 1
    assert "broker: connected to" in log
    assert "Traceback" not in log


def test_it_stops_while_it_waits_for_keystone(waiting: StackSyncProcess) -> None:
    assert waiting.terminate() == -signal.SIGTERM
    log = waiting.log_text()
    assert "StackSync has stopped" in log
    assert "cannot start" not in log
    assert "Traceback" not in log
