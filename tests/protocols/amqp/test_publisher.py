"""Messages are published in their order, and the broker's word on each is passed on."""

from __future__ import annotations

from typing import Any

import pytest
import pytest_twisted
from pytest_twisted import ensureDeferred
from twisted.internet import reactor
from twisted.internet.defer import Deferred, DeferredList

from stacksync.errors import Unavailable
from stacksync.protocols.amqp import publisher as module
from stacksync.protocols.amqp.publisher import ExchangeBarred, MessageRefused, Publisher
from stacksync.protocols.amqp.spoilt_exchanges import MOST
from tests.protocols.amqp.conftest import Connect
from tests.protocols.amqp.link import Link
from tests.protocols.amqp.waiting import PATIENCE, eventually


@pytest_twisted.async_fixture
async def publisher(connect: Connect) -> Publisher:
    """A publisher on a connection to the real broker."""
    made = Publisher(reactor, await connect())
    await made.start()
    return made


@pytest_twisted.async_fixture
async def far_publisher(connect: Connect, link: Link) -> Publisher:
    """One whose network the test has a hand in."""
    made = Publisher(reactor, await connect(port=link.port))
    await made.start()
    return made


def bodies(peer: Any, queue: str) -> list[bytes]:
    """All that is in a queue now."""
    found = []
    while (message := peer.basic_get(queue, auto_ack=True))[0] is not None:
        found.append(message[2])
    return found


def ear_at(peer: Any, exchange: str) -> str:
    """A queue that hears what is published to an exchange."""
    name: str = peer.queue_declare("", exclusive=True).method.queue
    peer.queue_bind(name, exchange)
    return name


async def outcomes(sent: list[Deferred[None]]) -> list[bool]:
    """Of each message, whether the broker has taken it."""
    all_told = DeferredList(sent, consumeErrors=True).addTimeout(PATIENCE, reactor)
    return [taken for taken, _ in await all_told]


@ensureDeferred
async def test_a_message_is_in_its_queue_when_the_broker_has_taken_it(
    publisher: Publisher, peer: Any, queue: str
) -> None:
    await publisher.publish("", queue, {"app_id": "ISyncService"}, b"body")

    assert bodies(peer, queue) == [b"body"]


@ensureDeferred
async def test_a_message_to_nobody_is_taken_too(publisher: Publisher) -> None:
    await publisher.publish("", "no such queue", {}, b"body")


@ensureDeferred
async def test_messages_keep_their_order(publisher: Publisher, peer: Any, queue: str) -> None:
    numbers = [b"%d" % number for number in range(1000)]

    sent = [publisher.publish("", queue, {}, number) for number in numbers]

    assert all(await outcomes(sent))
    assert bodies(peer, queue) == numbers


@ensureDeferred
async def test_a_message_that_its_queue_refuses_is_told_as_refused(
    publisher: Publisher, peer: Any
) -> None:
    arguments = {"x-max-length": 1, "x-overflow": "reject-publish"}
    peer.queue_declare("full", arguments=arguments, exclusive=True)
    await publisher.publish("", "full", {}, b"the one that fits")

    with pytest.raises(MessageRefused, match="a queue refused the message"):
        await publisher.publish("", "full", {}, b"one too many")

    assert bodies(peer, "full") == [b"the one that fits"]
    await publisher.publish("", "full", {}, b"now it fits")


@ensureDeferred
async def test_what_cannot_be_encoded_is_refused_and_the_next_message_goes(
    publisher: Publisher, peer: Any, queue: str
) -> None:
    with pytest.raises(ValueError, match="256 bytes do not fit"):
        await publisher.publish("", queue, {"app_id": "x" * 256}, b"")
    with pytest.raises(OverflowError):
        await publisher.publish("", queue, {"headers": {"x": 2**64}}, b"")

    await publisher.publish("", queue, {}, b"next")
    assert bodies(peer, queue) == [b"next"]


# -- fanout exchanges


@ensureDeferred
async def test_a_fanout_exchange_is_declared_as_old_clients_declare_it(
    publisher: Publisher, peer: Any
) -> None:
    await publisher.to_fanout("multi#größe", {}, b"before anybody hears")

    peer.exchange_declare("multi#größe", "fanout")
    ear = ear_at(peer, "multi#größe")
    await publisher.to_fanout("multi#größe", {}, b"heard")
    assert bodies(peer, ear) == [b"heard"]


@ensureDeferred
async def test_many_fanout_exchanges_at_once_are_all_served_in_order(
    publisher: Publisher, peer: Any
) -> None:
    names = [f"multi#{number}" for number in range(200)]
    for name in names[:10]:
        peer.exchange_declare(name, "fanout")
    ears = {name: ear_at(peer, name) for name in names[:10]}

    sent = [publisher.to_fanout(name, {}, b"%d" % turn) for turn in range(3) for name in names]

    assert all(await outcomes(sent))
    for ear in ears.values():
        assert bodies(peer, ear) == [b"0", b"1", b"2"]


@ensureDeferred
async def test_an_exchange_that_was_deleted_is_declared_again(
    publisher: Publisher, peer: Any, queue: str
) -> None:
    await publisher.to_fanout("multi#1", {}, b"before")
    peer.exchange_delete("multi#1")

    sent = [publisher.to_fanout("multi#1", {}, b"%d" % number) for number in range(5)]
    sent += [publisher.publish("", queue, {}, b"%d" % number) for number in range(5)]

    assert all(await outcomes(sent))
    peer.exchange_declare("multi#1", "fanout", passive=True)
    # Who was on the way when the channel was closed may come twice.
    assert bodies(peer, queue)[-5:] == [b"0", b"1", b"2", b"3", b"4"]


@ensureDeferred
async def test_an_exchange_that_is_deleted_again_and_again_is_given_up_at_last(
    publisher: Publisher, peer: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    exchanges = publisher._exchanges
    monkeypatch.setattr(exchanges, "want", lambda name: publisher._exchange_ready(name, None))

    with pytest.raises(MessageRefused, match=r"404 NOT_FOUND.*multi#gone"):
        await publisher.to_fanout("multi#gone", {}, b"")


@ensureDeferred
async def test_an_exchange_of_another_type_serves_as_well(publisher: Publisher, peer: Any) -> None:
    peer.exchange_declare("multi#topic", "topic", durable=True)
    name = peer.queue_declare("", exclusive=True).method.queue
    peer.queue_bind(name, "multi#topic", routing_key="#")

    await publisher.to_fanout("multi#topic", {}, b"heard")

    assert bodies(peer, name) == [b"heard"]
    await publisher.to_fanout("multi#another", {}, b"the declaring goes on")


@ensureDeferred
async def test_one_message_that_closes_the_channel_harms_no_other(
    publisher: Publisher, peer: Any, queue: str
) -> None:
    peer.exchange_declare("multi#internal", "fanout", internal=True)
    await publisher.to_fanout("multi#good", {}, b"")
    ear = ear_at(peer, "multi#good")
    numbers = [b"%d" % number for number in range(40)]

    sent: list[Deferred[None]] = []
    for number in numbers:
        sent.append(publisher.publish("", queue, {}, number))
        sent.append(publisher.to_fanout("multi#good", {}, number))
        if number == b"20":
            bad = publisher.to_fanout("multi#internal", {}, b"")

    assert all(await outcomes(sent))
    with pytest.raises(MessageRefused, match=r"403 ACCESS_REFUSED.*internal"):
        await bad
    for name in (queue, ear):
        arrived = bodies(peer, name)
        assert set(arrived) == set(numbers)
        assert arrived[-1] == numbers[-1]


@ensureDeferred
async def test_an_exchange_that_is_deleted_all_the_time_holds_others_up_a_few_times_only(
    publisher: Publisher, peer: Any, queue: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # As if somebody deleted it each time that it has just been declared.
    exchanges = publisher._exchanges
    opened = []
    reopen = publisher._open

    def declare_nothing(name: str) -> None:
        exchanges.declared.add(name)
        publisher._exchange_ready(name, None)

    async def open_counted() -> None:
        opened.append(True)
        await reopen()

    monkeypatch.setattr(exchanges, "want", declare_nothing)
    monkeypatch.setattr(publisher, "_open", open_counted)

    for number in range(20):
        gone = [publisher.to_fanout("multi#gone", {}, b"") for _ in range(3)]
        await publisher.publish("", queue, {}, b"%d" % number)
        assert not any(await outcomes(gone))

    assert len(opened) == MOST
    assert len(set(bodies(peer, queue))) == 20
    with pytest.raises(ExchangeBarred, match="multi#gone"):
        await publisher.to_fanout("multi#gone", {}, b"")


# -- waiting


@ensureDeferred
async def test_messages_wait_while_the_socket_takes_no_more_and_go_in_order(
    far_publisher: Publisher, link: Link, peer: Any, queue: str
) -> None:
    connection = far_publisher._connection
    link.freeze()
    sent: list[Deferred[None]] = []
    while connection.writable:
        sent.append(far_publisher.publish("", queue, {}, b"%d" % len(sent) + b" " * 65536))
        await eventually(lambda: True)
    unsent = [far_publisher.publish("", queue, {}, b"last %d" % number) for number in range(3)]
    assert len(far_publisher._waiting) == 3

    link.thaw()

    assert all(await outcomes(sent + unsent))
    arrived = [body.strip() for body in bodies(peer, queue)]
    assert arrived[:-3] == [b"%d" % number for number in range(len(sent))]
    assert arrived[-3:] == [b"last 0", b"last 1", b"last 2"]


@ensureDeferred
async def test_more_than_may_wait_are_turned_away(
    far_publisher: Publisher, link: Link, queue: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MOST_WAITING", 4)
    link.freeze()
    sent = [far_publisher.publish("", queue, {}, b"") for _ in range(2)]
    sent += [far_publisher.to_fanout(f"multi#{number}", {}, b"") for number in range(2)]

    for turned_away in (
        far_publisher.publish("", queue, {}, b""),
        far_publisher.to_fanout("multi#0", {}, b""),
    ):
        with pytest.raises(Unavailable, match="4 messages wait for it already"):
            await turned_away

    link.thaw()
    assert all(await outcomes(sent))
    await far_publisher.to_fanout("multi#0", {}, b"there is room again")


@ensureDeferred
async def test_what_was_not_confirmed_fails_with_the_connection(
    far_publisher: Publisher, link: Link, queue: str
) -> None:
    link.freeze()
    sent = [far_publisher.publish("", queue, {}, b"") for _ in range(10)]
    sent += [far_publisher.to_fanout(f"multi#{number}", {}, b"") for number in range(500)]
    await link.cut()
    reason = await far_publisher._connection.lost

    far_publisher.fail(reason)

    assert not any(await outcomes(sent))
    for late in (far_publisher.publish("", queue, {}, b""), far_publisher.to_fanout("x", {}, b"")):
        with pytest.raises(Unavailable, match="non-clean"):
            await late
