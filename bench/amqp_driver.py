"""Commits through AMQP: publishes requests, hears their notifications.

A closed loop: each notification that ends a request sends the next one.
"""

from __future__ import annotations

from itertools import cycle
from time import perf_counter
from typing import Any

from bench.driver import Job, Measured, connect, drive
from bench.ledger import Ledger
from bench.listener import listen
from bench.measurement import Measurement
from bench.users import User
from bench.wire import amqp_commit, amqp_request, new_file, new_stamp, stamped
from stacksync.protocols.amqp.wire.channel import ChannelHandler

CHUNKS = range(1, 9)


async def commit(reactor: Any, job: Job) -> Measured:
    """Keep ``window`` commits of ``items`` new files in flight, over all users in turn."""
    users = [User(**user) for user in job["users"]]
    items = job["items"]
    connection = await connect(reactor, job["amqp_url"])
    channel = await connection.open_channel(ChannelHandler())
    templates = cycle(
        amqp_request(channel.id, connection.MAX_LENGTH, amqp_commit(user, files_of(chunks, items)))
        for chunks in CHUNKS
        for user in users
    )
    ledger = Ledger()
    measurement = Measurement(reactor, ledger, job)

    def send() -> None:
        stamp = new_stamp()
        request = stamped(next(templates), stamp)
        ledger.begun(stamp, perf_counter())
        connection.write(request)

    def heard(stamp: bytes, now: float, committed: int) -> None:
        if ledger.ended(stamp, now, committed == items) and measurement.sending:
            send()

    await listen(connection, [user.workspace_id for user in users], heard)
    for _ in range(job["window"]):
        send()
    measured = await measurement.run(lambda: not ledger.under_way)
    await connection.say_goodbye(2.0)
    return measured


def files_of(chunks: int, items: int) -> list[dict[str, Any]]:
    """New files, the first one with so many chunks, the others in turn."""
    return [new_file((chunks + number - 1) % len(CHUNKS) + 1, number) for number in range(items)]


if __name__ == "__main__":
    drive(commit)
