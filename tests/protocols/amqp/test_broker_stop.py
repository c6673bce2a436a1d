"""The connection to the broker ends in order, and for good."""

from __future__ import annotations

from typing import Any

import pytest
from pytest_twisted import ensureDeferred
from twisted.internet import reactor
from twisted.internet.defer import Deferred

from stacksync.protocols.amqp.wire.connection import REPLY_TIMEOUT
from tests.protocols.amqp.conftest import NewBroker
from tests.protocols.amqp.desk import Desk, connected, count_of, problem_of, send
from tests.protocols.amqp.link import Link
from tests.protocols.amqp.waiting import PATIENCE, eventually, turns

clock: Any = reactor


@ensureDeferred
async def test_stopping_finishes_the_work_and_closes_the_connection(
    new_broker: NewBroker, desk: Desk, link: Link, peer: Any
) -> None:
    broker = new_broker()
    broker.start()
    await connected(broker)
    desk.hold = True
    send(peer, b"1")
    await eventually(lambda: desk.begun)

    stopping = Deferred.fromCoroutine(broker.stop(PATIENCE))
    await eventually(lambda: count_of(peer, "consumer_count") == 0)
    send(peer, b"2")
    desk.ends[0].callback(None)
    await stopping

    assert desk.bodies == [b"1"]
    assert count_of(peer, "message_count") == 1
    assert await problem_of(broker) == "stopped"
    assert broker.publisher is None
    await eventually(lambda: link.is_quiet)


@ensureDeferred
async def test_stopping_is_final_even_if_the_connection_is_lost_meanwhile(
    new_broker: NewBroker, desk: Desk, link: Link, peer: Any
) -> None:
    broker = new_broker()
    broker.start()
    await connected(broker)
    desk.hold = True
    send(peer, b"1")
    await eventually(lambda: desk.begun)
    stopping = Deferred.fromCoroutine(broker.stop(1000.0))
    await eventually(lambda: count_of(peer, "consumer_count") == 0)

    link.drop()
    await stopping

    before = link.connections
    await stays_quiet(link, before)
    desk.ends[0].callback(None)
    await turns()


async def stays_quiet(link: Link, connections: int) -> None:
    """No more connections are made for longer than it takes to try again."""
    end = clock.seconds() + 0.3
    await eventually(lambda: clock.seconds() > end)
    assert link.connections == connections
    assert link.is_quiet


@pytest.mark.parametrize("replies", range(16))
@ensureDeferred
async def test_one_may_stop_at_any_moment_of_coming_up(
    new_broker: NewBroker, link: Link, replies: int
) -> None:
    broker = new_broker()
    stopped: list[Deferred[None]] = []

    def stop_then(so_far: int) -> None:
        if so_far == replies:
            stopped.append(Deferred.fromCoroutine(broker.stop(PATIENCE)))

    link.replied = stop_then
    broker.start()
    stop_then(0)
    await eventually(lambda: stopped or broker._outage is None)
    began = clock.seconds()
    await (stopped[0] if stopped else broker.stop(PATIENCE))

    # Who waits for as long as that waits for an answer that does not come.
    assert clock.seconds() - began < REPLY_TIMEOUT
    await eventually(lambda: link.is_quiet)
    assert broker._running is not None
    assert broker._running.called
    assert await problem_of(broker) == "stopped"


@ensureDeferred
async def test_one_may_stop_what_was_never_started(new_broker: NewBroker) -> None:
    await new_broker().stop(1.0)
