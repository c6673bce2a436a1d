"""A device that hears every notification of some workspaces."""

from __future__ import annotations

from collections.abc import Callable
from time import perf_counter

from stacksync.protocols.amqp.wire.channel import ChannelHandler
from stacksync.protocols.amqp.wire.connection import Connection
from stacksync.protocols.amqp.wire.frames import Delivery

SUCCESS = b'"commitSucceed":true'
METHOD = b'"method":"notifyCommit"'

Heard = Callable[[bytes, float, int], None]
"""Told a request's id, when its notification came, and how many items were committed."""


async def listen(connection: Connection, workspaces: list[str], heard: Heard) -> None:
    """Begin to hear what is told on the workspaces' exchanges."""

    def delivered(delivery: Delivery) -> None:
        now = perf_counter()
        body = delivery.body
        committed = body.count(SUCCESS) if METHOD in body else 0
        heard(delivery.properties["correlation_id"].encode(), now, committed)

    answered = connection.answered
    channel = await connection.open_channel(ChannelHandler(delivered=delivered))
    declared = await answered(channel.queue_declare(queue=b"", exclusive=True, auto_delete=True))
    queue = declared.queue.encode() if isinstance(declared.queue, str) else declared.queue
    for workspace in workspaces:
        exchange = f"multi#{workspace}".encode()
        await answered(channel.exchange_declare(exchange=exchange, type=b"fanout"))
        await answered(channel.queue_bind(queue=queue, exchange=exchange, routing_key=b""))
    await answered(channel.basic_consume(queue=queue, no_ack=True, consumer_tag=b"bench"))
