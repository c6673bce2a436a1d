"""Drivers are processes of their own: a job goes in as JSON, what was measured comes out.

A driver must cost little, because it shares the processors with what it
measures; so it keeps one reactor, and nothing but what the measurement needs.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.endpoints import connectProtocol
from twisted.internet.task import react

from stacksync.protocols.amqp.wire.address import Address
from stacksync.protocols.amqp.wire.connection import Connection

Job = dict[str, Any]
Measured = dict[str, Any]

REPOSITORY = Path(__file__).parents[1]
LARGEST_BODY = 256 * 1024 * 1024
HEARTBEAT = 60.0


class DriverFailed(Exception):
    """A driver ended without a measurement; the message has what it said."""


def run_driver(module: str, job: Job, seconds: float) -> Measured:
    """Run a driver to its end.

    :param module: its name in this package.
    :param seconds: after which it is killed.
    :raises DriverFailed: it failed, or was killed.
    """
    try:
        done = subprocess.run(
            [sys.executable, "-m", f"bench.{module}"],
            input=json.dumps(job),
            capture_output=True,
            text=True,
            cwd=REPOSITORY,
            timeout=seconds,
        )
    except subprocess.TimeoutExpired as expired:
        raise DriverFailed(f"{module}: not done within {seconds:g} s") from expired
    if done.returncode:
        raise DriverFailed(f"{module}: {done.stderr.strip()}")
    measured: Measured = json.loads(done.stdout)
    return measured


def drive(work: Callable[[Any, Job], Awaitable[Measured]]) -> None:
    """What a driver does as a program."""

    async def main(reactor: Any) -> None:
        measured = await work(reactor, json.load(sys.stdin))
        print(json.dumps(measured))

    react(lambda reactor: Deferred.fromCoroutine(main(reactor)))


async def connect(reactor: Any, url: str) -> Connection:
    """A connection to the broker, logged in."""
    address = Address.parse(url)
    connection = Connection(reactor, address.vhost, HEARTBEAT, LARGEST_BODY)
    await connectProtocol(address.endpoint(reactor), connection)
    await connection.log_in(address.user, address.password)
    return connection
