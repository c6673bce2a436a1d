"""Ways for a part that the server needs to go away, and how the server shows that it is missed."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import requests

from tests.integration.surroundings.ledger import until
from tests.servers.postgres import PostgresServer
from tests.servers.rabbitmq import RabbitServer
from tests.servers.stacksync import StackSyncProcess

Outage = Callable[[PostgresServer | RabbitServer], None]

OUTAGES: dict[str, Outage] = {
    "stopped": lambda part: part.stop(),
    "killed": lambda part: part.kill(),
}


def readiness(server: StackSyncProcess) -> dict[str, str]:
    """What ``/readyz`` says of each part."""
    return dict(requests.get(f"{server.http_url}/readyz", timeout=30).json())


def until_missed(server: StackSyncProcess, part: str) -> None:
    """Wait until ``/readyz`` says that this part is away, and nothing else."""

    def is_missed() -> bool:
        told = readiness(server)
        return [name for name, state in told.items() if state != "ok"] == [part]

    server.wait_for_status(503)
    until(is_missed, f"the {part} alone is missed")


@contextmanager
def held_up(server: StackSyncProcess) -> Iterator[None]:
    """The server does nothing meanwhile: whatever happens, it sees it after the others."""
    os.kill(server.pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(server.pid, signal.SIGCONT)
