"""Asks for all changes of a workspace, through AMQP and through HTTP, one request at a time."""

from __future__ import annotations

from collections.abc import Callable
from statistics import median
from time import perf_counter
from typing import Any

import orjson
from twisted.internet.defer import Deferred

from bench.driver import Job, Measured, connect, drive
from bench.http_connection import HttpConnection
from bench.users import User
from bench.wire import amqp_call, amqp_request, http_request, new_stamp, stamped
from stacksync.protocols.amqp.wire.channel import ChannelHandler
from stacksync.protocols.amqp.wire.connection import Connection
from stacksync.protocols.amqp.wire.frames import Delivery

ANSWER_SECONDS = 30.0

Ask = Callable[[], Deferred[bytes]]


async def list_changes(reactor: Any, job: Job) -> Measured:
    """Milliseconds of each protocol, the median of ``samples``, and the bytes of an answer."""
    user = User(**job["user"])
    broker = await connect(reactor, job["amqp_url"])
    by_amqp = await asking_by_amqp(broker, user)
    by_http = asking_by_http(reactor, job["http_port"], user)
    measured: Measured = {}
    for name, ask, items_of in (
        ("amqp", by_amqp, lambda answer: answer["result"]),
        ("http", by_http, lambda answer: answer["items"]),
    ):
        body = await ask().addTimeout(ANSWER_SECONDS, reactor)
        found = len(items_of(orjson.loads(body)))
        if found != job["size"]:
            raise RuntimeError(f"{name}: {found} items instead of {job['size']}: {body[:200]!r}")
        measured[name] = await median_of(reactor, ask, len(body), job["samples"])
        measured[f"{name}_bytes"] = len(body)
    await broker.say_goodbye(2.0)
    return measured


async def median_of(reactor: Any, ask: Ask, size: int, samples: int) -> float:
    times = []
    for _ in range(samples):
        began = perf_counter()
        body = await ask().addTimeout(ANSWER_SECONDS, reactor)
        times.append(perf_counter() - began)
        if len(body) != size:
            raise RuntimeError(f"an answer of {len(body)} bytes instead of {size}")
    return 1000 * median(times)


async def asking_by_amqp(connection: Connection, user: User) -> Ask:
    waiting: list[Deferred[bytes]] = []

    def delivered(delivery: Delivery) -> None:
        waiting.pop().callback(delivery.body)

    answered = connection.answered
    channel = await connection.open_channel(ChannelHandler(delivered=delivered))
    declared = await answered(channel.queue_declare(queue=b"", exclusive=True, auto_delete=True))
    await answered(
        channel.basic_consume(queue=declared.queue.encode(), no_ack=True, consumer_tag=b"bench")
    )
    parameter = {"userId": user.account_id, "workspaceId": user.workspace_id}
    body = amqp_call("getChanges", parameter, is_async=False)
    template = amqp_request(channel.id, connection.MAX_LENGTH, body, declared.queue)

    def ask() -> Deferred[bytes]:
        waiting.append(Deferred())
        connection.write(stamped(template, new_stamp()))
        return waiting[0]

    return ask


def asking_by_http(reactor: Any, port: int, user: User) -> Ask:
    waiting: list[Deferred[bytes]] = []

    def answered(connection: HttpConnection, head: bytes, body: bytes) -> None:
        waiting.pop().callback(body)

    connection = HttpConnection(reactor, "127.0.0.1", port, answered)
    path = f"/api/workspaces/{user.workspace_id}/changes?since=0"
    request = http_request(user, "GET", path, [])

    def ask() -> Deferred[bytes]:
        waiting.append(Deferred())
        connection.ask(request)
        return waiting[0]

    return ask


if __name__ == "__main__":
    drive(list_changes)
