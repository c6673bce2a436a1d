"""Requests are taken a few at a time, and acknowledged when and only when they are done."""

from __future__ import annotations

from typing import Any

import pytest
from pytest_twisted import ensureDeferred
from twisted.internet import reactor
from twisted.internet.defer import Deferred

from stacksync.errors import Unavailable
from stacksync.protocols.amqp.wire import frames
from stacksync.protocols.amqp.wire.channel import ChannelClosed
from tests.protocols.amqp.conftest import Connect, Logged
from tests.protocols.amqp.link import Link
from tests.protocols.amqp.waiting import PATIENCE, eventually, turns
from tests.protocols.amqp.work import Work

clock: Any = reactor


def ready(peer: Any, queue: str) -> int:
    """How many messages wait in the queue, not counting those that somebody has."""
    return int(peer.queue_declare(queue, passive=True).method.message_count)


def publish(peer: Any, queue: str, *bodies: bytes) -> None:
    for body in bodies:
        peer.basic_publish("", queue, body)


@ensureDeferred
async def test_no_more_requests_are_in_work_than_prefetch_says(
    connect: Connect, peer: Any, queue: str, work: Work
) -> None:
    publish(peer, queue, b"1", b"2", b"3", b"4", b"5")
    await work.consume(await connect(), queue, in_all=2)
    await eventually(lambda: ready(peer, queue) == 3)
    await eventually(lambda: work.bodies == [b"1", b"2"])

    work.finish(b"2")

    await eventually(lambda: work.bodies == [b"1", b"2", b"3"])
    assert ready(peer, queue) == 2


@ensureDeferred
async def test_what_is_done_does_not_come_again_and_what_is_not_does(
    connect: Connect, peer: Any, queue: str, work: Work
) -> None:
    connection = await connect()
    await work.consume(connection, queue)
    publish(peer, queue, b"1", b"2", b"3", b"4", b"5")
    await eventually(lambda: len(work.begun) == 5)
    work.finish(b"1", b"2", b"4")
    await turns()

    await connection.say_goodbye(PATIENCE)

    await eventually(lambda: ready(peer, queue) == 2)
    again = Work()
    await again.consume(await connect(), queue)
    await eventually(lambda: again.bodies == [b"3", b"5"])
    assert all(each.redelivered for each in again.begun)


@ensureDeferred
async def test_what_breaks_off_is_left_to_come_again(
    connect: Connect, peer: Any, queue: str, work: Work, logged: Logged
) -> None:
    connection = await connect()
    await work.consume(connection, queue)
    publish(peer, queue, b"1", b"2", b"3")
    await eventually(lambda: len(work.begun) == 3)

    work.break_off(b"1", Unavailable("broker", "gone"))
    work.break_off(b"2", LookupError("a bug"))
    work.finish(b"3")
    await turns()
    await connection.say_goodbye(PATIENCE)

    await eventually(lambda: ready(peer, queue) == 2)
    logged.expect_failure(LookupError)


@ensureDeferred
async def test_stopping_waits_for_the_work_in_hand_and_takes_no_more(
    connect: Connect, peer: Any, queue: str, work: Work
) -> None:
    connection = await connect()
    consumer = await work.consume(connection, queue)
    publish(peer, queue, b"1", b"2")
    await eventually(lambda: len(work.begun) == 2)

    stopping = Deferred.fromCoroutine(consumer.stop(PATIENCE))
    await eventually(lambda: peer.queue_declare(queue, passive=True).method.consumer_count == 0)
    publish(peer, queue, b"3")
    work.finish(b"1")
    await turns()
    assert not stopping.called
    work.finish(b"2")
    await stopping

    await connection.say_goodbye(PATIENCE)
    assert work.bodies == [b"1", b"2"]
    await eventually(lambda: ready(peer, queue) == 1)


@ensureDeferred
async def test_stopping_with_nothing_in_hand_is_quick(
    connect: Connect, queue: str, work: Work
) -> None:
    consumer = await work.consume(await connect(), queue)

    await consumer.stop(PATIENCE)


@ensureDeferred
async def test_stopping_waits_no_longer_than_it_may(
    connect: Connect, peer: Any, queue: str, work: Work, logged: Logged
) -> None:
    consumer = await work.consume(await connect(), queue)
    publish(peer, queue, b"1")
    await eventually(lambda: work.begun)
    began = clock.seconds()

    await consumer.stop(0.1)

    assert clock.seconds() - began < PATIENCE
    assert "1 requests were not finished in time; they come again" in logged.text
    work.finish(b"1")
    await turns()


@ensureDeferred
async def test_stopping_waits_no_longer_for_a_broker_that_does_not_answer(
    connect: Connect, link: Link, queue: str, work: Work
) -> None:
    consumer = await work.consume(await connect(port=link.port), queue)
    link.freeze()
    began = clock.seconds()

    await consumer.stop(0.1)

    assert clock.seconds() - began < PATIENCE


@ensureDeferred
async def test_stopping_does_not_wait_for_what_cannot_be_acknowledged(
    connect: Connect, link: Link, peer: Any, queue: str, work: Work
) -> None:
    connection = await connect(port=link.port)
    consumer = await work.consume(connection, queue)
    publish(peer, queue, b"1")
    await eventually(lambda: work.begun)
    stopping = Deferred.fromCoroutine(consumer.stop(1000.0))
    await eventually(lambda: peer.queue_declare(queue, passive=True).method.consumer_count == 0)

    link.drop()
    await connection.lost
    consumer.connection_lost()

    await stopping
    work.finish(b"1")
    await turns()


@ensureDeferred
async def test_stopping_after_the_connection_was_lost_is_harmless(
    connect: Connect, link: Link, queue: str, work: Work
) -> None:
    connection = await connect(port=link.port)
    consumer = await work.consume(connection, queue)
    link.drop()
    await connection.lost

    await consumer.stop(PATIENCE)


@ensureDeferred
async def test_a_deleted_queue_is_told(connect: Connect, peer: Any, queue: str, work: Work) -> None:
    await work.consume(await connect(), queue)

    peer.queue_delete(queue)

    await eventually(lambda: work.lost)
    assert work.lost == ["the broker cancelled the consumer: the request queue was deleted"]


@ensureDeferred
async def test_a_closed_channel_is_told(connect: Connect, queue: str, work: Work) -> None:
    connection = await connect()
    await work.consume(connection, queue)

    connection.write(frames.encode_ack(1, 99, multiple=False))

    await eventually(lambda: work.lost)
    assert work.lost[0].startswith("the consumer's channel was closed: 406 PRECONDITION_FAILED")


@ensureDeferred
async def test_one_cannot_consume_from_a_queue_that_is_not_there(
    connect: Connect, work: Work
) -> None:
    with pytest.raises(ChannelClosed, match="404 NOT_FOUND"):
        await work.consume(await connect(), "nowhere")
