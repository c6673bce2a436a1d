"""The connection to the broker is kept up, whatever becomes of it."""

from __future__ import annotations

import socket
from typing import Any

import pytest
from pytest_twisted import ensureDeferred
from twisted.internet import reactor
from zope.interface.verify import verifyObject

from stacksync.errors import Unavailable
from stacksync.interfaces import IHealthCheck
from stacksync.protocols.amqp import broker as module
from stacksync.protocols.amqp.consumer import Handler
from stacksync.protocols.amqp.publisher import Publisher
from stacksync.protocols.amqp.wire.connection import Connection
from tests.protocols.amqp.conftest import Logged, NewBroker
from tests.protocols.amqp.desk import Desk, connected, disconnected, problem_of, send
from tests.protocols.amqp.link import Link
from tests.protocols.amqp.waiting import eventually, turns
from tests.servers.rabbitmq import RabbitServer

clock: Any = reactor


def test_it_is_a_part_that_readiness_depends_on(new_broker: NewBroker) -> None:
    assert verifyObject(IHealthCheck, new_broker())


@ensureDeferred
async def test_requests_are_taken_and_the_queues_are_as_old_clients_expect(
    new_broker: NewBroker, desk: Desk, peer: Any
) -> None:
    broker = new_broker()
    assert await problem_of(broker) == "not connected yet"
    broker.start()
    await connected(broker)

    peer.exchange_declare("rpc_global_exchange", "direct")
    peer.queue_declare("ISyncService")
    peer.queue_declare("ISyncService.dead-letter", durable=True, arguments={"x-max-length": 10_000})
    send(peer, b"1")

    await eventually(lambda: desk.bodies == [b"1"])


@ensureDeferred
async def test_exchange_and_queue_are_durable_where_it_is_so_configured(
    new_broker: NewBroker, peer: Any
) -> None:
    broker = new_broker(durable=True)
    broker.start()
    await connected(broker)

    peer.exchange_declare("rpc_global_exchange", "direct", durable=True)
    peer.queue_declare("ISyncService", durable=True)


@ensureDeferred
async def test_an_exchange_of_other_properties_is_told_until_it_is_mended(
    new_broker: NewBroker, peer: Any
) -> None:
    peer.exchange_declare("rpc_global_exchange", "direct", durable=True)
    broker = new_broker()
    broker.start()

    await eventually(lambda: "cannot set up" in (broker._outage or ""))
    problem = await problem_of(broker)
    assert "406 PRECONDITION_FAILED" in str(problem)
    assert "'durable' for exchange 'rpc_global_exchange'" in str(problem)

    peer.exchange_delete("rpc_global_exchange")
    await connected(broker)


@ensureDeferred
async def test_where_nobody_listens_it_says_so_once_and_goes_on_trying(
    new_broker: NewBroker, logged: Logged, rabbitmq: RabbitServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    attempts: list[float] = []
    one_connection = module.OneConnection

    def counted(connection: Connection) -> module.OneConnection:
        attempts.append(clock.seconds())
        return one_connection(connection)

    monkeypatch.setattr(module, "OneConnection", counted)
    with socket.socket() as held:
        # Nobody else listens there as long as it is bound.
        held.bind(("127.0.0.1", 0))
        port = held.getsockname()[1]
        broker = new_broker(port)
        broker.start()

        await eventually(lambda: len(attempts) > 3)
        problem = await problem_of(broker)
        await broker.stop(0.1)
    assert problem is not None
    assert problem.startswith(f"cannot connect to 127.0.0.1:{port}: ")
    assert logged.text.count("cannot connect") == 1


@ensureDeferred
async def test_a_bug_while_setting_up_is_logged_and_does_not_end_the_trying(
    new_broker: NewBroker, desk: Desk, logged: Logged, monkeypatch: pytest.MonkeyPatch
) -> None:
    bugs = [LookupError("a bug")]
    handler_for = desk.handler_for

    def with_bug(publisher: Publisher) -> Handler:
        if bugs:
            raise bugs.pop()
        return handler_for(publisher)

    broker = new_broker()
    broker._handler_for = with_bug
    broker.start()

    await connected(broker)
    logged.expect_failure(LookupError)


# -- staying up


@ensureDeferred
async def test_after_an_outage_requests_that_were_sent_meanwhile_are_taken(
    new_broker: NewBroker, desk: Desk, link: Link, peer: Any
) -> None:
    broker = new_broker()
    broker.start()
    await connected(broker)

    await link.cut()
    problem = await disconnected(broker)
    assert problem
    assert broker.publisher is None
    send(peer, b"sent meanwhile")
    link.mend()

    await connected(broker)
    await eventually(lambda: desk.bodies == [b"sent meanwhile"])


@ensureDeferred
async def test_a_request_in_work_when_the_connection_is_lost_comes_again(
    new_broker: NewBroker, desk: Desk, link: Link, peer: Any
) -> None:
    broker = new_broker()
    broker.start()
    await connected(broker)
    desk.hold = True
    send(peer, b"1")
    await eventually(lambda: desk.begun)

    desk.hold = False
    link.drop()

    await eventually(lambda: desk.bodies == [b"1", b"1"])
    assert [each.redelivered for each in desk.begun] == [False, True]
    desk.ends[0].callback(None)
    await turns()
    await connected(broker)


@ensureDeferred
async def test_what_waits_for_the_broker_fails_with_the_connection(
    new_broker: NewBroker, link: Link
) -> None:
    broker = new_broker()
    broker.start()
    await connected(broker)
    publisher = broker.publisher
    assert publisher is not None
    link.freeze()
    waiting = publisher.to_fanout("multi#1", {}, b"")

    await link.cut()

    with pytest.raises(Unavailable):
        await waiting.addTimeout(10, clock)


@ensureDeferred
async def test_a_deleted_queue_is_declared_again(
    new_broker: NewBroker, desk: Desk, peer: Any, logged: Logged
) -> None:
    broker = new_broker()
    broker.start()
    await connected(broker)

    peer.queue_delete("ISyncService")
    assert "the request queue was deleted" in await disconnected(broker)

    await connected(broker)
    send(peer, b"1")
    await eventually(lambda: desk.bodies == [b"1"])


@ensureDeferred
async def test_a_connection_that_the_operator_closes_is_made_again(
    new_broker: NewBroker, rabbitmq: RabbitServer, vhost: str, logged: Logged
) -> None:
    broker = new_broker()
    broker.start()
    await connected(broker)

    rabbitmq.close_connections(vhost)

    assert await disconnected(broker) == "320 CONNECTION_FORCED - closed by a test"
    await connected(broker)
    assert "320 CONNECTION_FORCED - closed by a test; trying again" in logged.text
