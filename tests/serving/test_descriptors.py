"""How many connections there may be, by what the system allows."""

from __future__ import annotations

import resource
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from twisted.internet import reactor
from twisted.internet.protocol import Factory

from stacksync.serving.descriptors import (
    RESERVE,
    connections_bound,
    raised_limit,
    widen_queue,
)

REPORT = """
import resource, sys
from stacksync.serving.descriptors import connections_bound
resource.setrlimit(resource.RLIMIT_NOFILE, (64, int(sys.argv[1])))
print(connections_bound(int(sys.argv[2])), resource.getrlimit(resource.RLIMIT_NOFILE)[0])
"""


@pytest.fixture
def limit() -> Iterator[tuple[int, int]]:
    """The soft and the hard limit of open files, which are put back."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    yield soft, hard
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_the_soft_limit_is_raised_as_far_as_it_is_needed(limit: tuple[int, int]) -> None:
    resource.setrlimit(resource.RLIMIT_NOFILE, (700, limit[1]))

    assert raised_limit(600) == 700
    assert raised_limit(800) == 800
    assert resource.getrlimit(resource.RLIMIT_NOFILE) == (800, limit[1])


def test_with_room_there_may_be_as_many_connections_as_the_operator_wants(
    limit: tuple[int, int],
) -> None:
    resource.setrlimit(resource.RLIMIT_NOFILE, (700, limit[1]))

    assert connections_bound(1000) == 1000
    assert resource.getrlimit(resource.RLIMIT_NOFILE)[0] == 1000 + RESERVE


@pytest.mark.parametrize(("hard", "bound"), [(4000, 4000 - RESERVE), (600, 300)])
def test_the_hard_limit_leaves_room_for_everything_else(hard: int, bound: int) -> None:
    command = [sys.executable, "-c", REPORT, str(hard), "16384"]

    told = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120)

    assert told.stdout.split() == [str(bound), str(hard)]


def test_more_connections_may_wait_than_the_endpoint_says() -> None:
    listening: Any = reactor
    port = listening.listenTCP(0, Factory(), backlog=1, interface="127.0.0.1")
    try:
        widen_queue(port)
        with ExitStack() as connections:
            # Nobody accepts them while this runs.
            for _ in range(20):
                address = ("127.0.0.1", port.getHost().port)
                connections.enter_context(socket.create_connection(address, timeout=0.5))
    finally:
        port.stopListening()
