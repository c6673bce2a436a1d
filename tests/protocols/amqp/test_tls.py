"""A broker that is reached by TLS: only the right one is logged in to, and the log says why."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
import pytest_twisted
from pytest_twisted import ensureDeferred
from twisted.internet import reactor

from stacksync.config import AmqpConfig
from stacksync.errors import Unavailable
from stacksync.protocols.amqp.broker import Broker
from stacksync.protocols.amqp.senders import sender_by_message
from stacksync.protocols.amqp.wire.address import Address
from stacksync.tls import ClientSecurity
from tests.protocols.amqp.conftest import Logged
from tests.protocols.amqp.desk import Desk, connected
from tests.protocols.amqp.waiting import eventually
from tests.servers.certificates import Authority, new_authority, self_signed
from tests.servers.rabbitmq import RabbitServer
from tests.servers.run import TestRun

HOST = "127.0.0.1"
SECRET = "open-sesame"

Join = Callable[..., Broker]


@pytest.fixture(scope="module")
def authority(test_run: TestRun) -> Authority:
    """Its files are where the broker may read them."""
    return new_authority(test_run.new_directory("authority"))


def readable(pem: Path) -> Path:
    pem.chmod(0o644)
    return pem


@pytest_twisted.async_yield_fixture
async def join(vhost: str, rabbitmq: RabbitServer, desk: Desk) -> AsyncIterator[Join]:
    """Connects to a port of the broker's, by TLS unless told otherwise; ends with the test."""
    login = rabbitmq.add_user(f"user-{vhost}", SECRET, vhost)
    made: list[Broker] = []

    def start(
        port: int, security: ClientSecurity | None, scheme: str = "amqps", host: str = HOST
    ) -> Broker:
        path = login.partition("://")[2].rpartition("@")
        url = f"{scheme}://{path[0]}@{host}:{port}/{vhost}"
        address = Address.parse(url)
        broker = Broker(
            reactor, address, AmqpConfig(), sender_by_message, desk.handler_for, security
        )
        made.append(broker)
        broker.start()
        return broker

    yield start
    for each in made:
        await each.stop(0.1)
    rabbitmq.delete_user(f"user-{vhost}")


async def told_of(broker: Broker, logged: Logged) -> str:
    """What the log says of a broker that we can't join."""

    def problems() -> list[str]:
        told = [event for event in logged.events if event.get("log_source") is None]
        return [str(event["problem"]) for event in told if "problem" in event]

    await eventually(lambda: bool(problems()))
    problem = problems()[0]
    with pytest.raises(Unavailable):
        await broker.check()
    assert SECRET not in problem
    return problem


@ensureDeferred
async def test_the_right_broker_is_joined(
    rabbitmq: RabbitServer, authority: Authority, join: Join
) -> None:
    with rabbitmq.tls_listener(readable(authority.issue(HOST))) as port:
        broker = join(port, ClientSecurity("amqp", authority.file))
        await connected(broker)
        await broker.check()


@ensureDeferred
async def test_the_right_broker_is_joined_by_name(
    rabbitmq: RabbitServer, authority: Authority, join: Join
) -> None:
    with rabbitmq.tls_listener(readable(authority.issue("localhost", is_rsa=True))) as port:
        await connected(join(port, ClientSecurity("amqp", authority.file), host="localhost"))


@pytest.mark.parametrize(
    ("kind", "problem"),
    [
        ("wrong host", "the server's certificate is for another host name than 127.0.0.1"),
        ("expired", "the server's certificate has expired on 20"),
        ("self-signed", "the server's certificate is signed by itself, and by nobody whom we"),
        ("stranger's", "signed by nobody whom we trust: let [amqp] ca_file name the certificate"),
    ],
)
@ensureDeferred
async def test_a_broker_that_cannot_prove_to_be_it_gets_no_password(
    rabbitmq: RabbitServer,
    authority: Authority,
    join: Join,
    logged: Logged,
    test_run: TestRun,
    kind: str,
    problem: str,
) -> None:
    elsewhere = test_run.new_directory("elsewhere")
    certificate = {
        "wrong host": lambda: authority.issue("broker.example.org"),
        "expired": lambda: authority.issue(HOST, days=-1),
        "self-signed": lambda: self_signed(elsewhere, HOST),
        "stranger's": lambda: new_authority(elsewhere, "stranger").issue(HOST),
    }[kind]()
    with rabbitmq.tls_listener(readable(certificate)) as port:
        broker = join(port, ClientSecurity("amqp", authority.file))
        assert problem in await told_of(broker, logged)


@ensureDeferred
async def test_a_broker_that_wants_to_know_who_we_are_is_told(
    rabbitmq: RabbitServer, authority: Authority, join: Join
) -> None:
    ours = authority.issue("stacksync")
    with rabbitmq.tls_listener(readable(authority.issue(HOST)), authority.file) as port:
        await connected(join(port, ClientSecurity("amqp", authority.file, ours, ours)))


@ensureDeferred
async def test_a_broker_that_wants_our_certificate_and_gets_none_is_told_of(
    rabbitmq: RabbitServer, authority: Authority, join: Join, logged: Logged
) -> None:
    with rabbitmq.tls_listener(readable(authority.issue(HOST)), authority.file) as port:
        broker = join(port, ClientSecurity("amqp", authority.file))
        assert "asks for a certificate of ours: [amqp] certificate names it" in await told_of(
            broker, logged
        )


@ensureDeferred
async def test_tls_to_a_port_without_it_is_told_of(
    rabbitmq: RabbitServer, authority: Authority, join: Join, logged: Logged
) -> None:
    broker = join(rabbitmq.port, ClientSecurity("amqp", authority.file))

    assert "no TLS connection: what listens there may not speak TLS" in await told_of(
        broker, logged
    )


@ensureDeferred
async def test_plain_text_to_a_port_with_tls_is_told_of(
    rabbitmq: RabbitServer, authority: Authority, join: Join, logged: Logged
) -> None:
    with rabbitmq.tls_listener(readable(authority.issue(HOST))) as port:
        broker = join(port, None, scheme="amqp")
        assert "amqps" in await told_of(broker, logged)
