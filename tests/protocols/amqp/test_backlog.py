"""Requests that wait here for their turn: bounded, given back, never out of order."""

from __future__ import annotations

import random
from typing import Any

import pytest
from pytest_twisted import ensureDeferred
from twisted.internet import reactor
from twisted.internet.defer import Deferred

from stacksync.protocols.amqp import consumer as module
from stacksync.protocols.amqp.consumer import Bounds, Consumer
from tests.protocols.amqp.conftest import Connect, Logged
from tests.protocols.amqp.link import Link
from tests.protocols.amqp.test_consumer import publish, ready
from tests.protocols.amqp.waiting import PATIENCE, eventually, turns
from tests.protocols.amqp.work import Work

clock: Any = reactor


def flood(peer: Any, queue: str, sender: bytes, count: int, size: int = 0) -> None:
    for number in range(count):
        publish(peer, queue, b"%b:%03d" % (sender, number) + b"x" * size)


def redelivered(work: Work) -> list[bytes]:
    return [each.body for each in work.begun if each.redelivered]


@ensureDeferred
async def test_a_flood_of_one_sender_does_not_keep_another_one_waiting(
    connect: Connect, peer: Any, queue: str, work: Work
) -> None:
    flood(peer, queue, b"anna", 30)
    flood(peer, queue, b"bert", 1)
    bounds = Bounds(in_all=4, per_sender=2, backlog=100)
    await work.consumer(clock, await connect(), queue, bounds).start()

    await eventually(lambda: b"bert:000" in work.bodies)

    assert work.bodies == [b"anna:000", b"anna:001", b"bert:000"]
    work.finish(b"anna:001")
    assert work.bodies[-1] == b"anna:002"


@ensureDeferred
async def test_no_more_are_taken_than_may_be_in_work_and_wait(
    connect: Connect, peer: Any, queue: str, work: Work
) -> None:
    flood(peer, queue, b"anna", 30)

    await work.consume(await connect(), queue, in_all=2, backlog=8)
    await eventually(lambda: ready(peer, queue) == 20)
    await turns()

    assert ready(peer, queue) == 20


@ensureDeferred
async def test_stopping_gives_back_what_waits_at_once(
    connect: Connect, peer: Any, queue: str, work: Work
) -> None:
    flood(peer, queue, b"anna", 10)
    connection = await connect()
    consumer = await work.consume(connection, queue, in_all=2, backlog=100)
    await eventually(lambda: waiting(consumer) == 8)

    stopping = Deferred.fromCoroutine(consumer.stop(PATIENCE))

    await eventually(lambda: ready(peer, queue) == 8)
    assert not stopping.called
    work.finish(*work.bodies)
    await stopping
    assert len(work.begun) == 2
    another = Work()
    await another.consume(await connect(), queue)
    await eventually(lambda: len(another.begun) == 8)
    assert another.bodies == [b"anna:%03d" % number for number in range(2, 10)]


@ensureDeferred
async def test_what_waits_comes_again_when_the_connection_is_lost(
    connect: Connect, link: Link, peer: Any, queue: str, work: Work
) -> None:
    flood(peer, queue, b"anna", 10)
    connection = await connect(port=link.port)
    consumer = await work.consume(connection, queue, in_all=2, backlog=100)
    await eventually(lambda: waiting(consumer) == 8)

    await link.cut()
    await connection.lost
    consumer.connection_lost()
    work.finish(*work.bodies)

    assert len(work.begun) == 2
    await eventually(lambda: ready(peer, queue) == 10)


@ensureDeferred
async def test_when_too_many_bytes_wait_no_more_are_taken_until_half_of_them_have_begun(
    connect: Connect, peer: Any, queue: str, work: Work, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "WAITING_BYTES", 10_000)
    flood(peer, queue, b"anna", 40, size=1000)
    consumer = await work.consume(await connect(), queue, in_all=2, backlog=100)
    await eventually(lambda: ready(peer, queue) == 28)
    assert waiting_bytes(consumer) <= 11_000
    assert len(work.begun) == 2

    while len(work.begun) < 40:
        work.finish(*work.in_hand)
        assert waiting_bytes(consumer) <= 11_000
        await eventually(lambda: work.in_hand)
    work.finish(*work.in_hand)

    assert [body[:8] for body in work.bodies] == [b"anna:%03d" % number for number in range(40)]
    assert redelivered(work)
    await turns()
    await consumer.stop(PATIENCE)
    assert ready(peer, queue) == 0


@ensureDeferred
async def test_stopping_while_no_more_are_taken_is_quick(
    connect: Connect, peer: Any, queue: str, work: Work, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "WAITING_BYTES", 3000)
    flood(peer, queue, b"anna", 10, size=1000)
    consumer = await work.consume(await connect(), queue, in_all=1, backlog=100)
    await eventually(lambda: ready(peer, queue) == 6 and work.begun)
    stopping = Deferred.fromCoroutine(consumer.stop(PATIENCE))
    await eventually(lambda: ready(peer, queue) == 9)

    work.finish(*work.bodies)
    await stopping

    assert not work.lost


@ensureDeferred
async def test_a_consumer_that_does_not_come_back_is_told(
    connect: Connect,
    peer: Any,
    queue: str,
    work: Work,
    logged: Logged,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "WAITING_BYTES", 3000)
    flood(peer, queue, b"anna", 10, size=1000)
    await work.consume(await connect(), queue, in_all=1, backlog=100)
    await eventually(lambda: ready(peer, queue) == 6)
    peer.queue_delete(queue)

    while not work.lost:
        for body in [each for each in work.bodies if each in work.in_hand]:
            work.finish(body)
        await turns()

    assert "404 NOT_FOUND" in work.lost[0]


def waiting(consumer: Consumer) -> int:
    return consumer._turns.waiting


def waiting_bytes(consumer: Consumer) -> int:
    return consumer._turns.waiting_bytes


@pytest.mark.parametrize("seed", range(3))
@ensureDeferred
async def test_whatever_happens_nothing_is_lost_nor_acknowledged_before_it_is_done(
    seed: int,
    connect: Connect,
    link: Link,
    peer: Any,
    queue: str,
    logged: Logged,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Pauses for want of room, lost connections and stops, while more and more comes."""
    monkeypatch.setattr(module, "WAITING_BYTES", 20_000)
    chance = random.Random(seed)
    sent: list[bytes] = []
    done: list[bytes] = []

    async def session(end: str) -> None:
        """One connection's life."""
        work = Work()
        bounds = Bounds(in_all=3, per_sender=2, backlog=60)
        connection = await connect(port=link.port)
        consumer = work.consumer(clock, connection, queue, bounds)
        await consumer.start()
        for _ in range(60):
            for _ in range(chance.randrange(4)):
                size = chance.choice((1, 500, 4000))
                body = b"%c:%05d" % (chance.choice(b"abc"), len(sent)) + b"x" * size
                sent.append(body)
                publish(peer, queue, body)
            await turns(chance.randrange(3))
            for body in chance.sample(sorted(work.in_hand), min(2, len(work.in_hand))):
                done.append(body)
                work.finish(body)
            if end == "lost" and chance.random() < 0.05:
                break
        if end == "lost":
            await link.cut()
            await connection.lost
            consumer.connection_lost()
            link.mend()
        else:
            stopping = Deferred.fromCoroutine(consumer.stop(PATIENCE))
            while not stopping.called:
                for body in work.in_hand:
                    done.append(body)
                    work.finish(body)
                await turns(1)
            await stopping
            await connection.say_goodbye(PATIENCE)
        assert not work.lost
        for sender in b"abc":
            of_one = [each for each in work.bodies if each[0] == sender]
            assert of_one == sorted(of_one), "of one sender in their order"
        # What was done and is there again was not acknowledged in time; nothing else is.
        await eventually(lambda: ready(peer, queue) + len(set(done)) >= len(sent))

    for end in ("lost", "stopped", "lost", "stopped"):
        await session(end)
    rest = Work()
    consumer = await rest.consume(await connect(), queue, in_all=3, backlog=60)

    def all_done() -> bool:
        # What is on its way is neither in the queue nor here, so nothing else tells the end.
        done.extend(rest.in_hand)
        rest.finish(*rest.in_hand)
        return set(done) == set(sent)

    await eventually(all_done)
    await consumer.stop(PATIENCE)
    assert ready(peer, queue) == 0
