"""A RabbitMQ that asks StackSync whom it may let in, set up as ``etc/rabbitmq.conf`` says."""

from __future__ import annotations

import re
import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pika
import pika.exceptions
import requests
from attrs import define, field, frozen

from stacksync.embedded.ports import choose
from tests.integration.clients.amqp_device import AmqpDevice
from tests.integration.surroundings.fleet import Fleet
from tests.integration.surroundings.people import People
from tests.servers.certificates import new_authority
from tests.servers.rabbitmq import RabbitServer
from tests.servers.stacksync import KnownUser, StackSyncProcess

CONFIGURATION = Path(__file__).parents[3] / "etc" / "rabbitmq.conf"
PLUGINS = ("rabbitmq_auth_backend_cache", "rabbitmq_auth_backend_http", "rabbitmq_management")
WITHIN = 30.0
REFUSED, NOT_FOUND = 403, 404
PASSWORD = "service-password"

Channel = Any


def settings_of(text: str) -> dict[str, str]:
    """The options of a ``rabbitmq.conf``."""
    lines = (line.strip() for line in text.splitlines())
    options = [line.partition(" = ") for line in lines if line and not line.startswith("#")]
    return {name: value for name, _, value in options}


@frozen
class Token:
    """What a device has of ``POST /tokens``."""

    user: KnownUser
    id: str
    device_id: str
    secret: str = field(repr=False)


@define
class Stage:
    """One broker, one service, and what tests do with both."""

    rabbit: RabbitServer
    server: StackSyncProcess
    people: People
    tls_port: int
    ca_file: Path
    _connections: ExitStack = field(factory=ExitStack)

    def token(self, user: KnownUser, **order: Any) -> Token:
        """A token of a new device of a user's."""
        told = self._http("POST", "/api/tokens", user, json={"name": "laptop", **order})
        return Token(user, told["id"], told["device_id"], told["token"])

    def revoke(self, token: Token) -> None:
        self._http("DELETE", f"/api/tokens/{token.id}", token.user)

    def url(self, login: str, secret: str) -> str:
        return self.rabbit.url("/", login, secret)

    def laptop(self, token: Token, *, by: str = "id", user_id: bool = True) -> AmqpDevice:
        """A device at work, which has logged in by its account's id or e-mail."""
        login = str(token.user.id) if by == "id" else token.user.email
        device = AmqpDevice(self.url(login, token.secret), token.user, login if user_id else None)
        self._connections.callback(device.close)
        return device

    def device(self, user: KnownUser) -> AmqpDevice:
        """A device whose connection is the caller's to close."""
        token, login = self.token(user), str(user.id)
        return AmqpDevice(self.url(login, token.secret), user, login)

    @contextmanager
    def somebody_at_work(self) -> Iterator[AmqpDevice]:
        """A new user's device, which listens."""
        with closing(self.device(self.people.add())) as device:
            device.register()
            device.listen()
            assert device.workspace
            yield device

    def connect(self, login: str, secret: str) -> pika.BlockingConnection:
        parameters = pika.URLParameters(self.url(login, secret))
        parameters.heartbeat = 0
        connection = pika.BlockingConnection(parameters)
        self._connections.callback(closed_quietly, connection)
        return connection

    def client(self, token: Token) -> Client:
        return Client(self.connect(str(token.user.id), token.secret), token)

    def operator(self) -> pika.BlockingConnection:
        """Somebody whom the broker knows without asking."""
        return self.connect("stacksync", PASSWORD)

    def until_refused(self, login: str, secret: str) -> None:
        """The broker forgets what it remembers, and then lets nobody in."""
        end = time.monotonic() + WITHIN
        while time.monotonic() < end:
            try:
                self.connect(login, secret).close()
            except pika.exceptions.ProbableAuthenticationError:
                return
            except pika.exceptions.AMQPConnectionError:
                # Let in, and sent away with the others.
                continue
        raise AssertionError("the broker still lets it in")

    def has_queue(self, queue: str) -> bool:
        """Whether the broker has such a queue."""
        try:
            self.operator().channel().queue_declare(queue, passive=True)
        except pika.exceptions.ChannelClosedByBroker as refused:
            if refused.reply_code != NOT_FOUND:
                raise
            return False
        return True

    def policed(self, queue: str) -> str:
        """The operator policy that holds for a queue."""
        resource = f'rabbit_misc:r(<<"/">>, queue, <<"{queue}">>)'
        found = self.rabbit.evaluate(
            f"{{ok, Q}} = rabbit_amqqueue:lookup({resource}), "
            "case amqqueue:get_operator_policy(Q) of undefined -> undefined; "
            "P -> proplists:get_value(name, P) end"
        )
        name: str = found.strip()
        if name.startswith("#Bin<"):
            # How erl_call writes binaries.
            name = bytes(map(int, name.removeprefix("#Bin<").rstrip(">").split(","))).decode()
        return name

    def bounds(self, queue: str) -> set[str]:
        """What the operator policy bounds that holds for a queue."""
        management = self.server.configuration.read_text().split("management_url = ")[1].split()[0]
        told = requests.get(f"{management}/api/operator-policies/%2F", timeout=10).json()
        bounds = {policy["name"]: set(policy["definition"]) for policy in told}
        return bounds.get(self.policed(queue), set())

    def buried(self, correlation_id: str) -> dict[str, Any]:
        """The headers of a dead letter, once it is there; others are thrown away."""
        channel = self.operator().channel()
        letters = channel.consume("ISyncService.dead-letter", True, inactivity_timeout=WITHIN)
        for _, properties, _ in letters:
            assert properties is not None, "no such dead letter"
            if properties.correlation_id == correlation_id:
                return dict(properties.headers)
        raise AssertionError("no such dead letter")

    def close(self) -> None:
        self._connections.close()

    def _http(self, method: str, path: str, user: KnownUser, **content: Any) -> Any:
        answer = requests.request(
            method,
            self.server.http_url + path,
            auth=(user.email, user.password),
            timeout=30,
            **content,
        )
        assert answer.ok, answer.text
        return answer.json() if answer.content else None


@define
class Client:
    """A connection that tries things, each on a channel of its own."""

    connection: pika.BlockingConnection
    token: Token

    def may(self, attempt: Callable[[Channel], object]) -> bool:
        """Whether the broker lets it do something; a refusal is 403, anything else an error."""
        channel = self.connection.channel()
        channel.confirm_delivery()
        try:
            attempt(channel)
        except pika.exceptions.ChannelClosedByBroker as error:
            if error.reply_code != REFUSED:
                raise
            return False
        with suppress(pika.exceptions.ChannelClosed):
            channel.close()
        return True

    def is_ended(self, within: float = WITHIN) -> bool:
        """Whether the broker ends the connection in time."""
        end = time.monotonic() + within
        while time.monotonic() < end:
            try:
                self.connection.process_data_events(0.1)
            except pika.exceptions.AMQPError:
                return True
        return False


def closed_quietly(connection: pika.BlockingConnection) -> None:
    with suppress(pika.exceptions.AMQPError):
        connection.close()


@contextmanager
def asking_broker(
    directory: Path, fleet: Fleet, database_url: str, remembers: float
) -> Iterator[Stage]:
    """A broker and a service as ``etc/rabbitmq.conf`` has them, on ports of their own.

    :param remembers: seconds for which the broker remembers answers.
    """
    answers, management, tls = choose(3)
    authority = new_authority(directory)
    certificate = authority.issue("127.0.0.1")
    secret = secrets.token_urlsafe(32)
    text = CONFIGURATION.read_text()
    text = text.replace("SECRET", secret).replace("PASSWORD", PASSWORD)
    text = text.replace("127.0.0.1:8089", f"127.0.0.1:{answers}")
    text = re.sub(r"/etc/rabbitmq/tls/(fullchain|key)\.pem", str(certificate), text)
    text = text.replace("/etc/rabbitmq/tls/chain.pem", str(authority.file))
    settings = settings_of(text)
    settings |= {
        "listeners.ssl.default": f"127.0.0.1:{tls}",
        "management.tcp.port": str(management),
        "auth_cache.cache_ttl": str(int(remembers * 1000)),
    }
    # The node has a port for that.
    del settings["listeners.tcp.local"]
    for path in (certificate, authority.file):
        path.chmod(0o644)
    rabbit = RabbitServer(directory, settings, PLUGINS)
    rabbit.start()
    try:
        login = f"stacksync:{quote(PASSWORD)}@127.0.0.1"
        server = fleet.start(
            database_url,
            f"amqp://{login}:{rabbit.port}/",
            amqp={
                "identity": "broker",
                "auth_listen": f"tcp:{answers}:interface=127.0.0.1",
                "auth_secret": secret,
                "auth_cache": f"{remembers:g}s",
                "management_url": f"http://{login}:{management}",
            },
            auth={"failure_delay": "0.05s"},
        )
        stage = Stage(rabbit, server, People(server), tls, authority.file)
        try:
            yield stage
        finally:
            stage.close()
    finally:
        rabbit.kill()
