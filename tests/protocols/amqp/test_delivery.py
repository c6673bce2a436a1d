"""What a connection carries between a real broker and us arrives as it was."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pika
import pytest
from pytest_twisted import ensureDeferred

from stacksync.protocols.amqp.wire import frames
from stacksync.protocols.amqp.wire.channel import ChannelHandler
from stacksync.protocols.amqp.wire.connection import Connection
from stacksync.protocols.amqp.wire.frames import Delivery
from stacksync.protocols.amqp.wire.receiver import LARGEST_FRAME
from tests.protocols.amqp.conftest import Connect
from tests.protocols.amqp.waiting import eventually
from tests.servers.rabbitmq import RabbitServer

ROOM = LARGEST_FRAME - frames.FRAME_OVERHEAD
"""Bytes of a body that fit into one frame."""


async def consume(connection: Connection, queue: str) -> list[Delivery]:
    """Where the queue's messages will be."""
    heard: list[Delivery] = []
    channel = await connection.open_channel(ChannelHandler(delivered=heard.append))
    await connection.answered(channel.basic_consume(queue=queue.encode(), no_ack=True))
    return heard


@pytest.mark.parametrize("bytes_before", [ROOM - 1, ROOM - 2, ROOM - 3, 2 * ROOM - 2])
@ensureDeferred
async def test_a_message_that_is_cut_inside_a_character_arrives_whole(
    connect: Connect, peer: Any, queue: str, bytes_before: int
) -> None:
    heard = await consume(await connect(), queue)
    body = b"x" * bytes_before + "💾é".encode() * 1000

    peer.basic_publish("", queue, body)

    await eventually(lambda: heard)
    assert heard[0].body == body
    assert heard[0].routing_key == queue


@pytest.mark.parametrize("bytes_before", [ROOM - 1, ROOM - 2, ROOM - 3, 2 * ROOM - 2])
@ensureDeferred
async def test_a_message_that_we_cut_inside_a_character_arrives_whole(
    connect: Connect, peer: Any, queue: str, bytes_before: int
) -> None:
    connection = await connect()
    channel = await connection.open_channel(ChannelHandler())
    body = b"x" * bytes_before + "💾é".encode() * 1000
    properties = {"app_id": "Gerät", "headers": {"x-größe": "💾", "x-size": len(body)}}

    connection.write(
        frames.encode_publish(channel.id, "", queue, properties, body, connection.MAX_LENGTH)
    )

    _, received, arrived = await eventually(lambda: taken(peer, queue))
    assert arrived == body
    assert received.app_id == "Gerät"
    assert received.headers == {"x-größe": "💾", "x-size": len(body)}


def taken(peer: Any, queue: str) -> Any:
    message = peer.basic_get(queue, auto_ack=True)
    return message if message[0] is not None else None


@ensureDeferred
async def test_user_password_and_names_may_be_any_text(
    connect: Connect, rabbitmq: RabbitServer, vhost: str
) -> None:
    def term(text: str) -> str:
        return f"<<{','.join(map(str, text.encode()))}>>"

    user, password, every = f"Ünal-{vhost}", "pässwörd 💾", term(".*")
    backend = "rabbit_auth_backend_internal"
    rabbitmq.evaluate(f"{backend}:add_user({term(user)}, {term(password)}, {term('test')})")
    rabbitmq.evaluate(
        f"{backend}:set_permissions("
        f"{term(user)}, {term(vhost)}, {every}, {every}, {every}, {term('test')})"
    )
    try:
        connection = await connect(user=user, password=password)

        channel = await connection.open_channel(ChannelHandler())
        declared = await connection.answered(channel.queue_declare(queue="größe 💾".encode()))
        await connection.answered(
            channel.exchange_declare(exchange="straße".encode(), type=b"fanout")
        )
        await connection.answered(
            channel.queue_bind(queue="größe 💾".encode(), exchange="straße".encode())
        )

        assert declared.queue == "größe 💾"
    finally:
        rabbitmq.evaluate(f"{backend}:delete_user({term(user)}, {term('test')})")


@ensureDeferred
async def test_a_message_that_was_dead_lettered_can_be_read(
    connect: Connect, peer: Any, queue: str
) -> None:
    heard = await consume(await connect(), queue)
    arguments = {
        "x-message-ttl": 0,
        "x-dead-letter-exchange": "",
        "x-dead-letter-routing-key": queue,
    }
    peer.queue_declare("short-lived", arguments=arguments)

    peer.basic_publish("", "short-lived", b"body", pika.BasicProperties(app_id="ours"))

    await eventually(lambda: heard)
    assert b"x-death" in heard[0].properties["headers"]
    assert (heard[0].body, heard[0].properties["app_id"]) == (b"body", "ours")


@ensureDeferred
async def test_headers_with_arrays_and_timestamps_do_no_harm(
    connect: Connect, peer: Any, queue: str
) -> None:
    heard = await consume(await connect(), queue)
    headers = {"list": [1, "two", [None]], "when": datetime(2026, 11, 21, tzinfo=UTC)}

    peer.basic_publish("", queue, b"one", pika.BasicProperties(headers=headers, type="gson"))
    peer.basic_publish("", queue, b"two")

    await eventually(lambda: len(heard) == 2)
    assert heard[0].properties["type"] == "gson"
    assert [each.body for each in heard] == [b"one", b"two"]
