"""Ways for a part that the server needs to go away, and how the server shows that it is missed."""

from __future__ import annotations

from collections.abc import Callable

import requests

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
    return dict(requests.get(f"{server.http_url}/readyz", timeout=10).json())
