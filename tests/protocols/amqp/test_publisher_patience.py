"""How long a publisher waits for a broker that is slow, silent or asks it to wait."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import pytest_twisted
from attrs import define, field
from pika import spec
from pytest_twisted import ensureDeferred
from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.internet.endpoints import TCP4ClientEndpoint, connectProtocol

from stacksync.errors import Unavailable
from stacksync.protocols.amqp.publisher import CONFIRM_TIMEOUT, MessageRefused, Publisher
from stacksync.protocols.amqp.wire.connection import Connection
from tests.protocols.amqp.script import Script
from tests.protocols.amqp.waiting import eventually
from tests.servers.rabbitmq import RabbitServer
from tests.servers.run import TestRun


@define
class Stage:
    """A publisher and a broker that says what the test makes it say."""

    script: Script = field(factory=lambda: Script(heartbeat=1000.0))
    publisher: Publisher = field(init=False)

    def __attrs_post_init__(self) -> None:
        self.script.log_in()
        self.publisher = Publisher(self.script.clock, self.script.connection)
        starting = Deferred.fromCoroutine(self.publisher.start())
        self.grant_channel()
        assert starting.called

    def grant_channel(self, number: int = 1) -> None:
        self.script.say(spec.Channel.OpenOk(), spec.Confirm.SelectOk(), channel=number)
        self.script.heard()

    def published(self) -> list[str]:
        """The routing keys or exchanges of what was published since the last time."""
        return [
            each.routing_key or each.exchange
            for each in self.script.methods()
            if isinstance(each, spec.Basic.Publish)
        ]

    def send(self, *keys: str) -> list[Deferred[None]]:
        return [self.publisher.publish("", key, {}, b"") for key in keys]


@pytest.fixture
def stage() -> Stage:
    return Stage()


def told(sent: list[Deferred[Any]]) -> list[Any]:
    """Of each message: ``True`` if taken, the error's class, or ``None`` while it waits."""
    for each in sent:
        if each.called:
            each.addCallbacks(lambda result: result or True, lambda failure: failure.type)
    return [each.result if each.called else None for each in sent]


def test_one_confirm_may_stand_for_all_before_it(stage: Stage) -> None:
    sent = stage.send("a", "b", "c", "d")

    stage.script.say(spec.Basic.Ack(2, True), channel=1)
    assert told(sent) == [True, True, None, None]

    stage.script.say(spec.Basic.Ack(4, False), channel=1)
    assert told(sent) == [True, True, None, True]


def test_one_refusal_may_stand_for_all_before_it(stage: Stage) -> None:
    sent = stage.send("a", "b", "c")

    stage.script.say(spec.Basic.Nack(2, True), spec.Basic.Ack(3), channel=1)

    assert told(sent) == [MessageRefused, MessageRefused, True]


def test_a_confirm_for_nothing_does_no_harm(stage: Stage) -> None:
    stage.script.say(spec.Basic.Ack(9), spec.Basic.Ack(0, True), channel=1)

    sent = stage.send("a")
    stage.script.say(spec.Basic.Ack(1), channel=1)
    assert told(sent) == [True]


def test_who_waits_no_longer_does_not_stop_the_others(stage: Stage) -> None:
    first, second = stage.send("a", "b")
    first.addErrback(lambda failure: None)

    first.cancel()
    stage.script.say(spec.Basic.Ack(2, True), channel=1)

    assert told([second]) == [True]


def test_after_the_channel_was_closed_messages_go_one_by_one_before_new_ones(
    stage: Stage,
) -> None:
    sent = stage.send("a", "b", "c")
    assert stage.published() == ["a", "b", "c"]
    stage.script.say(spec.Channel.Close(403, "ACCESS_REFUSED", 60, 40), channel=1)
    sent += stage.send("d")
    stage.script.say(spec.Channel.OpenOk(), spec.Confirm.SelectOk(), channel=1)
    assert stage.published() == ["a"]
    sent += stage.send("e")
    assert stage.published() == []

    stage.script.say(spec.Basic.Ack(1), channel=1)
    assert stage.published() == ["b"]
    stage.script.say(spec.Channel.Close(403, "ACCESS_REFUSED", 60, 40), channel=1)
    assert told(sent) == [True, MessageRefused, None, None, None]

    stage.script.say(spec.Channel.OpenOk(), spec.Confirm.SelectOk(), channel=1)
    assert stage.published() == ["c"]
    stage.script.say(spec.Basic.Ack(1), channel=1)
    assert stage.published() == ["d", "e"]
    stage.script.say(spec.Basic.Ack(3, True), channel=1)
    assert told(sent) == [True, MessageRefused, True, True, True]


def test_a_channel_that_is_closed_for_no_message_is_opened_again(stage: Stage) -> None:
    stage.script.say(spec.Channel.Close(500, "WHATEVER", 0, 0), channel=1)
    sent = stage.send("a")
    stage.script.say(spec.Channel.OpenOk(), spec.Confirm.SelectOk(), channel=1)

    assert stage.published() == ["a"]
    stage.script.say(spec.Basic.Ack(1), channel=1)
    assert told(sent) == [True]


def test_a_connection_that_grants_no_new_channel_is_given_up(stage: Stage) -> None:
    stage.script.say(spec.Channel.Close(500, "WHATEVER", 0, 0), channel=1)
    stage.script.say(spec.Channel.Close(504, "NO MORE", 0, 0), channel=1)

    assert stage.script.is_aborted()
    assert stage.script.connection.close_reason == "no new channel: 504 NO MORE"


def test_a_broker_that_confirms_nothing_is_given_up(stage: Stage) -> None:
    stage.send("a")
    stage.script.clock.pump([1.0] * int(CONFIRM_TIMEOUT))
    assert stage.publisher.check() is None

    stage.script.clock.pump([1.0] * 10)

    assert "unconfirmed" in (stage.publisher.check() or "")
    assert stage.script.is_aborted()
    assert "unconfirmed" in (stage.script.connection.close_reason or "")


def test_a_broker_that_confirms_some_is_not(stage: Stage) -> None:
    stage.send("a", "b", "c")
    for tag in (1, 2):
        stage.script.clock.pump([1.0] * (int(CONFIRM_TIMEOUT) - 2))
        stage.script.say(spec.Basic.Ack(tag), channel=1)

    stage.script.clock.pump([1.0] * 20)

    assert stage.publisher.check() is None
    assert not stage.script.is_aborted()


def test_nobody_is_given_up_after_the_end(stage: Stage) -> None:
    sent = stage.send("a")
    stage.publisher.fail("the connection was lost")

    assert told(sent) == [Unavailable]
    stage.script.clock.pump([10.0] * 10)
    assert not stage.script.is_aborted()


def test_nothing_is_sent_nor_asked_while_the_broker_asks_us_to_wait(stage: Stage) -> None:
    stage.script.say(spec.Connection.Blocked("low on memory"))
    sent = [*stage.send("a"), stage.publisher.to_fanout("multi#1", {}, b"")]

    stage.script.clock.pump([10.0] * 20)
    assert stage.script.methods() == []
    assert stage.publisher.check() is None
    assert not stage.script.is_aborted()

    stage.script.say(spec.Connection.Unblocked())
    heard = [type(each) for each in stage.script.methods()]
    assert heard == [spec.Basic.Publish, spec.Channel.Open]
    stage.script.say(spec.Channel.OpenOk(), spec.Exchange.DeclareOk(), channel=2)
    assert stage.published() == ["multi#1"]
    stage.script.say(spec.Basic.Ack(2, True), channel=1)
    assert told(sent) == [True, True]


def test_an_exchange_that_we_may_not_declare_is_no_reason_to_drop_messages(stage: Stage) -> None:
    sent = [stage.publisher.to_fanout("multi#1", {}, b"")]
    stage.script.say(spec.Channel.OpenOk(), channel=2)
    stage.script.say(spec.Channel.Close(403, "ACCESS_REFUSED", 40, 10), channel=2)

    assert stage.published() == []
    assert told(sent) == [Unavailable]


# -- a real broker that runs out of memory


@pytest.fixture(scope="module")
def lone_rabbitmq(test_run: TestRun) -> Iterator[RabbitServer]:
    """A broker that may be short of memory without harm to other tests."""
    server = RabbitServer(test_run.new_directory("lone-rabbitmq"))
    server.start()
    yield server
    server.kill()


@pytest_twisted.async_fixture
async def lone_publisher(lone_rabbitmq: RabbitServer) -> Publisher:
    connection = Connection(reactor, "/", 1.0, 1000)
    endpoint = TCP4ClientEndpoint(reactor, "127.0.0.1", lone_rabbitmq.port)
    await connectProtocol(endpoint, connection)
    await connection.log_in("guest", "guest")
    made = Publisher(reactor, connection)
    await made.start()
    return made


@ensureDeferred
async def test_a_broker_short_of_memory_is_waited_for(
    lone_rabbitmq: RabbitServer, lone_publisher: Publisher
) -> None:
    publisher, connection = lone_publisher, lone_publisher._connection
    clock: Any = reactor
    lone_rabbitmq.evaluate("vm_memory_monitor:set_vm_memory_high_watermark(0.000001)")
    try:
        sent: list[Deferred[None]] = []

        def is_blocked() -> bool:
            # The broker tells who publishes; what came before the alarm is just taken.
            sent.append(publisher.publish("", "q", {}, b"is there memory?"))
            return connection.blocked is not None

        await eventually(is_blocked)
        sent.append(publisher.to_fanout("multi#1", {}, b""))
        began = clock.seconds()
        await eventually(lambda: clock.seconds() - began > 3.0)
        assert not connection.lost.called
    finally:
        lone_rabbitmq.evaluate("vm_memory_monitor:set_vm_memory_high_watermark(0.4)")

    for each in sent:
        await each
    publisher.fail("over")
    await connection.say_goodbye(5.0)


@ensureDeferred
async def test_a_message_larger_than_the_broker_takes_is_refused(
    lone_rabbitmq: RabbitServer, lone_publisher: Publisher
) -> None:
    lone_rabbitmq.evaluate("application:set_env(rabbit, max_message_size, 100000)")
    publisher = Publisher(reactor, lone_publisher._connection)
    await publisher.start()

    sent = [publisher.publish("", "q", {}, b"x" * size) for size in (99_000, 101_000, 99_000)]

    await sent[0]
    with pytest.raises(MessageRefused, match=r"406 PRECONDITION_FAILED.*101000"):
        await sent[1]
    await sent[2]
    publisher.fail("over")
    lone_publisher.fail("over")
    await lone_publisher._connection.say_goodbye(5.0)
