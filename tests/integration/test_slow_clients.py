"""Two thousand clients that never come to the point stop nobody who does."""

from __future__ import annotations

import statistics
import time
from contextlib import closing

import pytest

from tests.integration.clients.http_device import HttpDevice
from tests.integration.clients.slow_connections import (
    BODY,
    HEAD,
    SILENCE,
    SlowConnections,
    many_files,
)
from tests.integration.surroundings.fleet import Fleet
from tests.integration.surroundings.people import People
from tests.servers.stacksync import StackSyncProcess

IN_HEADS, IN_BODIES, SILENT = 800, 600, 600
REQUESTS = 60
BYTES_BETWEEN = 20
"""Bytes that the slow ones send between two requests of the other one."""

TIMES_SLOWER = 10.0
MACHINE_IS_BUSY = 0.2
"""Seconds; whoever is stopped waits for longer."""


@pytest.fixture(scope="module")
def server(module_fleet: Fleet, module_database_dsn: str) -> StackSyncProcess:
    return module_fleet.start(module_database_dsn, http={"header_timeout": "3s"})


def latency(device: HttpDevice, slow: SlowConnections | None = None) -> float:
    """Seconds that a request takes, in the middle of many."""
    taken = []
    for _ in range(REQUESTS):
        if slow is not None:
            slow.go_on(BYTES_BETWEEN)
        began = time.perf_counter()
        device.account()
        taken.append(time.perf_counter() - began)
    return statistics.median(taken)


def test_two_thousand_slow_clients_do_not_stop_another_one(
    server: StackSyncProcess, people: People
) -> None:
    with many_files(), closing(HttpDevice(server.http_url, people.add())) as device:
        before = latency(device)
        with closing(SlowConnections(server.http_url)) as slow:
            slow.begin(IN_HEADS, HEAD)
            slow.begin(IN_BODIES, BODY)
            slow.begin(SILENT, SILENCE)

            among_them = latency(device, slow)

            # Who is new gets in as well.
            with closing(HttpDevice(server.http_url, device.user)) as another:
                assert another.account() == device.account()
            slow.until_cut_off(IN_HEADS)
        # Others may have begun to use the machine meanwhile.
        alone = max(before, latency(device))
        assert among_them < alone * TIMES_SLOWER + MACHINE_IS_BUSY
    lines = server.log_text().count("\n")
    assert lines < 500, "each of them is told the log"
