"""A channel that the broker closes, or a consumer that it cancels, harms nothing else."""

from __future__ import annotations

from typing import Any

import pytest
from pytest_twisted import ensureDeferred

from stacksync.protocols.amqp.wire import frames
from stacksync.protocols.amqp.wire.channel import ChannelClosed, ChannelHandler
from tests.protocols.amqp.conftest import Connect
from tests.protocols.amqp.waiting import eventually


@ensureDeferred
async def test_an_unknown_exchange_closes_the_channel_and_nothing_else(connect: Connect) -> None:
    connection = await connect()
    closed: list[ChannelClosed] = []
    channel = await connection.open_channel(ChannelHandler(closed=closed.append))
    other = await connection.open_channel(ChannelHandler())

    connection.write(frames.encode_publish(channel.id, "nowhere", "", {}, b"", 4096))

    await eventually(lambda: closed)
    assert closed[0].code == 404
    assert "no exchange 'nowhere'" in str(closed[0])
    again = await connection.open_channel(ChannelHandler())
    assert again.id == channel.id
    for each in (again, other):
        await connection.answered(each.queue_declare(queue=b"", exclusive=True))


@ensureDeferred
async def test_a_refused_method_says_with_which_code(connect: Connect, queue: str) -> None:
    connection = await connect()
    channel = await connection.open_channel(ChannelHandler())

    with pytest.raises(ChannelClosed, match=r"406 PRECONDITION_FAILED.*durable") as refused:
        await connection.answered(channel.queue_declare(queue=queue.encode(), durable=True))

    assert refused.value.code == 406
    with pytest.raises(ChannelClosed, match="406"):
        await connection.answered(channel.queue_declare(queue=b"another"))


@ensureDeferred
async def test_a_deleted_queue_cancels_its_consumer(
    connect: Connect, peer: Any, queue: str
) -> None:
    connection = await connect()
    cancelled: list[bool] = []
    handler = ChannelHandler(
        delivered=lambda delivery: None, cancelled=lambda: cancelled.append(True)
    )
    channel = await connection.open_channel(handler)
    await connection.answered(channel.basic_consume(queue=queue.encode()))

    peer.queue_delete(queue)

    await eventually(lambda: cancelled)
