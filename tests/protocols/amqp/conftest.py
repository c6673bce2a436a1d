"""Connections to the run's RabbitMQ, and an engine on its PostgreSQL."""

from __future__ import annotations

import gc
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import Any
from uuid import uuid4

import pika
import pytest
import pytest_twisted
from attrs import define
from twisted.internet import reactor
from twisted.internet.endpoints import TCP4ClientEndpoint, connectProtocol
from twisted.logger import LogEvent, formatEvent, globalLogPublisher

from stacksync.config import AmqpConfig, DatabaseConfig, LimitsConfig, ServiceConfig
from stacksync.db.database import Database
from stacksync.engine import Engine, engine_on
from stacksync.model import Account, DeviceDescription, Principal, SignIn
from stacksync.protocols.amqp import broker
from stacksync.protocols.amqp.broker import Broker
from stacksync.protocols.amqp.front_end import methods_of
from stacksync.protocols.amqp.identity import MessageIdentity
from stacksync.protocols.amqp.object_server import ObjectServer
from stacksync.protocols.amqp.senders import sender_by_message
from stacksync.protocols.amqp.wire.address import Address
from stacksync.protocols.amqp.wire.connection import Connection
from stacksync.storage import DiskStore
from tests.protocols.amqp.builders import numbers
from tests.protocols.amqp.desk import Desk
from tests.protocols.amqp.link import Link
from tests.protocols.amqp.requests import DEAD_LETTERS, Caller, Recorder
from tests.protocols.amqp.waiting import PATIENCE
from tests.protocols.amqp.work import Work
from tests.servers.rabbitmq import RabbitServer
from tests.storage.conftest import store

__all__ = ["store"]

Connect = Callable[..., Awaitable[Connection]]
NewBroker = Callable[..., Broker]


class Logged:
    """What was logged during a test."""

    def __init__(self) -> None:
        self.events: list[LogEvent] = []

    @property
    def text(self) -> str:
        return "\n".join(map(formatEvent, self.events))

    def failures(self) -> list[Any]:
        """The failures that nobody has expected yet."""
        return [event["log_failure"] for event in self.events if "log_failure" in event]

    def expect_failure(self, kind: type[Exception]) -> LogEvent:
        """The one event with a failure of this kind, which is as it should be."""
        (found,) = [e for e in self.events if "log_failure" in e and e["log_failure"].check(kind)]
        self.events.remove(found)
        return found


@pytest.fixture(scope="module", autouse=True)
def nothing_left_by_others() -> None:
    """What other modules have left behind is told of before, not among what is logged here."""
    gc.collect()


@pytest.fixture(autouse=True)
def logged() -> Iterator[Logged]:
    """What is logged; a failure that the test does not expect, such as one of a
    Deferred that nobody waited for, fails it."""
    seen = Logged()
    globalLogPublisher.addObserver(seen.events.append)
    try:
        yield seen
        gc.collect(1)
    finally:
        globalLogPublisher.removeObserver(seen.events.append)
    assert not seen.failures(), seen.text


@pytest_twisted.async_yield_fixture
async def connect(rabbitmq: RabbitServer, vhost: str) -> AsyncIterator[Connect]:
    """Opens connections to this test's virtual host, and closes them after it."""
    opened: list[Connection] = []

    async def open_connection(
        port: int | None = None,
        user: str = "guest",
        password: str = "guest",
        heartbeat: float = 30.0,
        largest_body: int = 8 * 1024**2,
        vhost: str = vhost,
    ) -> Connection:
        connection = Connection(reactor, vhost, heartbeat, largest_body)
        endpoint = TCP4ClientEndpoint(reactor, "127.0.0.1", port or rabbitmq.port)
        await connectProtocol(endpoint, connection)
        opened.append(connection)
        await connection.log_in(user, password)
        return connection

    yield open_connection
    for connection in opened:
        await connection.say_goodbye(5.0)


@pytest_twisted.async_yield_fixture
async def link(rabbitmq: RabbitServer) -> AsyncIterator[Link]:
    """A network to the broker that the test may cut, freeze and mend."""
    made = Link(rabbitmq.port)
    made.mend()
    yield made
    await made.close()


@pytest.fixture
def peer(amqp_url: str) -> Iterator[Any]:
    """Somebody else on this test's virtual host: a channel of pika's."""
    connection = pika.BlockingConnection(pika.URLParameters(amqp_url))
    yield connection.channel()
    connection.close()


@pytest.fixture
def queue(peer: Any) -> str:
    """A queue with a name that is not ASCII."""
    peer.queue_declare("Aufträge 💾", exclusive=False)
    return "Aufträge 💾"


@pytest.fixture
def work() -> Work:
    """Requests in work, which the test finishes."""
    return Work()


@pytest.fixture
def desk() -> Desk:
    """Where the requests come in that a new broker brings."""
    return Desk()


@pytest_twisted.async_yield_fixture
async def new_broker(
    desk: Desk, link: Link, vhost: str, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[NewBroker]:
    """Makes front-end connections through the link, not started; stops them after the test.

    They do not wait long before they try again, and as long as it takes for a broker that is
    slow to answer their goodbye.
    """
    monkeypatch.setattr(broker, "GOODBYE", PATIENCE)
    monkeypatch.setattr(broker, "FIRST_DELAY", 0.01)
    monkeypatch.setattr(broker, "LONGEST_DELAY", 0.1)
    made: list[Broker] = []

    def make(port: int | None = None, **settings: Any) -> Broker:
        address = Address("127.0.0.1", port or link.port, "guest", "guest", vhost)
        config = AmqpConfig(**settings)
        made.append(Broker(reactor, address, config, sender_by_message, desk.handler_for))
        return made[-1]

    yield make
    for each in made:
        await each.stop(0.1)


@pytest_twisted.async_yield_fixture
async def engine(module_database_dsn: str, store: DiskStore) -> AsyncIterator[Engine]:
    """A real engine that hears of no others; its database is shared by the tests of a module."""
    database = Database(reactor, DatabaseConfig(url=module_database_dsn, pool_size=2))
    database.start()
    made = engine_on(database, reactor, ServiceConfig(), LimitsConfig(), lanes=2, store=store)
    yield made
    made.notifier.stop()
    database.stop()


@define
class User:
    """Somebody with an account, a workspace and a device, who calls methods."""

    account: Account
    workspace_id: str
    device_id: str
    caller: Caller

    @property
    def id(self) -> str:
        return str(self.account.id)

    async def call(self, method: str, **fields: Any) -> Any:
        """The result of a method, called as this user."""
        return await self.caller.call(method, **self.signed(fields))

    async def refusal(self, method: str, **fields: Any) -> tuple[str, str]:
        """Type and message of the error that a method meets."""
        return await self.caller.refusal(method, **self.signed(fields))

    async def commit(self, *items: dict[str, Any], **fields: Any) -> Any:
        """What a synchronous commit answers."""
        return await self.call("commit", **self.batch(*items, **fields))

    def batch(self, *items: dict[str, Any], **fields: Any) -> dict[str, Any]:
        """The fields of a commit."""
        return {
            "workspaceId": self.workspace_id,
            "deviceId": self.device_id,
            "items": items,
            **fields,
        }

    def signed(self, fields: dict[str, Any]) -> dict[str, Any]:
        return {"userId": self.id, "requestId": f"request {next(numbers)}", **fields}


@pytest.fixture
def recorder() -> Recorder:
    """What would be published."""
    return Recorder()


@pytest.fixture
def new_user(engine: Engine, recorder: Recorder) -> Callable[[], Awaitable[User]]:
    """Makes accounts whose owners call methods of the real engine."""
    publisher: Any = recorder
    principal_of = MessageIdentity(engine.accounts).principal
    server = ObjectServer(reactor, methods_of(engine), principal_of, publisher, DEAD_LETTERS)

    async def make() -> User:
        email = f"user-{next(numbers)}-{uuid4()}@example.org"
        account = await engine.accounts.create(
            email, name="Änne", quota_limit=10**9, password_hash=None
        )
        principal = Principal(account.id, SignIn.MESSAGE)
        device = await engine.devices.register(principal, DeviceDescription(name="laptop"))
        (workspace,) = await engine.workspaces.list(principal)
        return User(account, str(workspace.id), str(device.id), Caller(server, recorder))

    return make


@pytest_twisted.async_fixture
async def anna(new_user: Callable[[], Awaitable[User]]) -> User:
    return await new_user()


@pytest_twisted.async_fixture
async def bert(new_user: Callable[[], Awaitable[User]]) -> User:
    return await new_user()
