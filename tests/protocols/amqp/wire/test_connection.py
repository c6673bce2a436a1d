"""How a connection to a broker comes about, and how it ends."""

from __future__ import annotations

from typing import Any

import pytest
from pytest_twisted import ensureDeferred
from twisted.internet import reactor
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.endpoints import TCP4ServerEndpoint
from twisted.internet.protocol import Factory, Protocol

from stacksync.errors import Unavailable
from stacksync.protocols.amqp.wire import connection as module
from stacksync.protocols.amqp.wire.channel import ChannelHandler
from tests.protocols.amqp.conftest import Connect
from tests.protocols.amqp.link import Link
from tests.protocols.amqp.waiting import PATIENCE, eventually
from tests.servers.rabbitmq import RabbitServer

# -- connections that are refused


@ensureDeferred
async def test_a_wrong_password_is_told_as_such(connect: Connect) -> None:
    with pytest.raises(Unavailable, match="broker: 403 ACCESS_REFUSED - Login was refused"):
        await connect(password="wrong")


@ensureDeferred
async def test_a_missing_virtual_host_is_told_as_such(connect: Connect) -> None:
    with pytest.raises(Unavailable, match=r"broker: 530 NOT_ALLOWED.*nowhere"):
        await connect(vhost="nowhere")


@ensureDeferred
async def test_small_frames_do_not_wait_for_company(connect: Connect) -> None:
    connection = await connect()

    assert connection.transport.getTcpNoDelay()


# -- connections that end


@ensureDeferred
async def test_the_brokers_reason_is_told_when_it_closes_the_connection(
    connect: Connect, rabbitmq: RabbitServer, vhost: str
) -> None:
    connection = await connect()

    rabbitmq.close_connections(vhost)

    reason = await connection.lost
    assert reason == "320 CONNECTION_FORCED - closed by a test"
    with pytest.raises(Unavailable, match="320 CONNECTION_FORCED"):
        await connection.open_channel(ChannelHandler())
    connection.write(b"goes nowhere")


@ensureDeferred
async def test_whatever_waits_for_an_answer_fails_when_the_connection_is_cut(
    connect: Connect, link: Link
) -> None:
    connection = await connect(port=link.port)
    problems: list[Unavailable] = []

    async def persist() -> None:
        """What a caller does that does not give up at once."""
        for _ in range(3):
            try:
                await connection.open_channel(ChannelHandler())
            except Unavailable as error:
                problems.append(error)

    link.freeze()
    for _ in range(300):
        Deferred.fromCoroutine(persist())
    await link.cut()

    reason = await connection.lost
    assert "non-clean" in reason
    assert len(problems) == 900
    assert {error.problem for error in problems} == {reason}


@ensureDeferred
async def test_a_broker_that_does_not_answer_is_given_up(
    connect: Connect, link: Link, monkeypatch: pytest.MonkeyPatch
) -> None:
    connection = await connect(port=link.port)
    monkeypatch.setattr(module, "REPLY_TIMEOUT", 0.2)
    link.freeze()

    with pytest.raises(Unavailable, match=r"no answer in 0\.2 s"):
        await connection.open_channel(ChannelHandler())

    assert await connection.lost == "no answer in 0.2 s"


@ensureDeferred
async def test_silence_ends_the_connection_and_heartbeats_keep_it(
    connect: Connect, link: Link
) -> None:
    connection = await connect(port=link.port, heartbeat=2.0)
    clock: Any = connection.clock
    began = clock.seconds()
    await eventually(lambda: clock.seconds() - began > 5.0)
    assert not connection.lost.called

    link.freeze()

    assert await connection.lost == "nothing heard for 4 s"


@ensureDeferred
async def test_a_goodbye_returns_when_the_connection_is_closed(connect: Connect) -> None:
    connection = await connect()
    await connection.open_channel(ChannelHandler())

    await connection.say_goodbye(PATIENCE)

    assert "cleanly" in await connection.lost
    assert not connection.transport.connected


@ensureDeferred
async def test_a_goodbye_that_is_not_answered_takes_no_longer_than_it_may(
    connect: Connect, link: Link
) -> None:
    connection = await connect(port=link.port)
    link.freeze()

    await connection.say_goodbye(0.1)

    assert "did not answer" in await connection.lost


@ensureDeferred
async def test_who_stops_waiting_for_an_answer_does_not_end_the_connection(
    connect: Connect, link: Link
) -> None:
    connection = await connect(port=link.port)
    link.freeze()
    waiting = Deferred.fromCoroutine(connection.open_channel(ChannelHandler()))

    waiting.cancel()

    with pytest.raises(CancelledError):
        await waiting
    link.thaw()
    await connection.open_channel(ChannelHandler())


# -- peers that are no broker


class HttpServer(Protocol):
    """Answers whatever is said as an HTTP server would."""

    def dataReceived(self, data: bytes) -> None:
        self.transport.write(b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n")
        self.transport.loseConnection()


class Silence(Protocol):
    """Says nothing."""


class HangsUp(Protocol):
    def connectionMade(self) -> None:
        self.transport.loseConnection()


async def problem_of(kind: type[Protocol], connect: Connect) -> str:
    """Why one cannot log in where such a peer listens."""
    factory = Factory.forProtocol(kind)
    factory.noisy = False
    listening = await TCP4ServerEndpoint(reactor, 0, interface="127.0.0.1").listen(factory)
    try:
        with pytest.raises(Unavailable) as refused:
            await connect(port=listening.getHost().port)
    finally:
        await listening.stopListening()
    return refused.value.problem


@ensureDeferred
async def test_an_http_server_is_recognised_as_no_broker(connect: Connect) -> None:
    problem = await problem_of(HttpServer, connect)

    assert problem.startswith("the broker sent what is not AMQP 0-9-1")


@ensureDeferred
async def test_a_peer_that_says_nothing_is_given_up(
    connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "REPLY_TIMEOUT", 0.1)

    assert await problem_of(Silence, connect) == "no answer in 0.1 s"


@ensureDeferred
async def test_a_peer_that_hangs_up_is_told_as_such(connect: Connect) -> None:
    assert "closed cleanly" in await problem_of(HangsUp, connect)
