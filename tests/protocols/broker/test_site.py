"""What the broker is answered, over HTTP as it asks."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

import pytest
import requests
from attrs import define, evolve, field, frozen
from pytest_twisted import ensureDeferred
from twisted.internet import reactor
from twisted.internet.interfaces import IReactorTCP
from twisted.internet.threads import deferToThread
from twisted.web.server import Site

from stacksync.engine.sign_in.broker_access import BrokerQuestion, Grant
from stacksync.errors import Unavailable
from stacksync.http_client import Answer, NoAnswer, WebSession
from stacksync.model import ClientExchange, ExchangePurpose
from stacksync.protocols.broker.fields import fields_of, query_of
from stacksync.protocols.broker.site import LONGEST_BODY, questions_site
from tests.db.conftest import logged
from tests.db.observation import CapturedLog

__all__ = ["logged"]

OWN = ClientExchange(ExchangePurpose.REQUESTS, UUID(int=1))
SERVICE = {"username": "stacksync-service", "vhost": "/"}
ANNA = {"username": "anna@example.org", "vhost": "/"}
WRITES = {**ANNA, "resource": "exchange", "name": OWN.name, "permission": "write", "tags": ""}


@frozen
class Names:
    request_exchange: str = "rpc_global_exchange"
    request_queue: str = "ISyncService"
    dead_letter_queue: str = "ISyncService.dead-letter"


@define
class World:
    """Stands for the engine, for tokens and for the broker, which may all be away."""

    grants: dict[str, Grant] = field(factory=lambda: {OWN.name: Grant(OWN)})
    exclusive: bool = True
    problem: Exception | None = None
    prepared: list[ClientExchange] = field(factory=list)
    no_broker: bool = False

    @property
    def broker_access(self) -> World:
        return self

    async def allows(self, login: str, password: str) -> bool:
        self.work()
        return (login, password) == ("anna@example.org", "päß&=% +")

    async def is_known(self, login: str) -> bool:
        self.work()
        return login == "anna@example.org"

    async def grant(self, question: BrokerQuestion, service: object) -> Grant | None:
        self.work()
        return self.grants.get(question.name) if question.login == "anna@example.org" else None

    async def prepare(self, exchange: ClientExchange) -> None:
        if self.no_broker:
            raise Unavailable("broker", "not connected")
        self.prepared.append(exchange)

    async def is_exclusive(self, queue: str) -> bool:
        return self.exclusive

    def work(self) -> None:
        if self.problem is not None:
            raise self.problem


@define
class Asker:
    """Asks as RabbitMQ does."""

    url: str
    secret: str = ""
    method: str = "POST"

    async def asked(self, kind: str, fields: dict[str, str]) -> Answer:
        url = f"{self.url}/broker/{kind}" + (f"?secret={self.secret}" if self.secret else "")
        encoded = urlencode(fields)
        session = WebSession(reactor, "us", 10.0)
        if self.method == "GET":
            return await session.request("GET", f"{url}?{encoded}")
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        return await session.request("POST", url, headers=headers, body=encoded.encode())

    async def told(self, kind: str, fields: dict[str, str]) -> str:
        answer = await self.asked(kind, fields)
        assert answer.status == 200
        assert str(answer.header("Content-Type")).startswith("text/plain")
        return answer.body.decode()


@pytest.fixture
def world() -> World:
    return World()


def listening(world: World, **options: Any) -> tuple[Any, Asker]:
    anything: Any = world
    site: Site = questions_site(
        reactor, anything, Names(), anything, anything, vhost="/", **options
    )
    tcp: Any = IReactorTCP(reactor)
    port = tcp.listenTCP(0, site, interface="127.0.0.1")
    return port, Asker(f"http://127.0.0.1:{port.getHost().port}", options.get("secret", ""))


@pytest.fixture(params=["POST", "GET"])
def asker(world: World, request: pytest.FixtureRequest) -> Iterator[Asker]:
    """Asks where a secret is wanted, and our own login is not known otherwise."""
    port, asker = listening(
        world,
        secret="s3cret",
        service_login="stacksync-service",
        service_password="long",
    )
    yield evolve(asker, method=request.param)
    port.stopListening()


@ensureDeferred
async def test_who_has_the_right_password_comes_in(asker: Asker) -> None:
    anna = {"username": "anna@example.org", "password": "päß&=% +"}

    assert await asker.told("user", anna) == "allow"
    assert await asker.told("user", {**anna, "password": "wrong"}) == "deny"
    assert await asker.told("user", {"username": "anna@example.org"}) == "deny"


@ensureDeferred
async def test_the_service_itself_may_do_everything(asker: Asker) -> None:
    password = {"username": "stacksync-service", "password": "long"}

    assert await asker.told("user", password) == "allow administrator"
    assert await asker.told("user", {**password, "password": "short"}) == "deny"
    for kind in ("vhost", "resource", "topic"):
        assert await asker.told(kind, SERVICE) == "allow"


@ensureDeferred
async def test_devices_may_enter_one_virtual_host(asker: Asker) -> None:
    assert await asker.told("vhost", {**ANNA, "ip": "127.0.0.1"}) == "allow"
    assert await asker.told("vhost", {**ANNA, "vhost": "/other"}) == "deny"
    assert await asker.told("vhost", {**ANNA, "username": "nobody"}) == "deny"
    assert await asker.told("resource", {**WRITES, "vhost": "/other"}) == "deny"


@ensureDeferred
async def test_what_is_granted_is_prepared_before(asker: Asker, world: World) -> None:
    assert await asker.told("resource", WRITES) == "allow"
    assert world.prepared == [OWN]

    world.no_broker = True
    assert await asker.told("resource", WRITES) == "deny"


@ensureDeferred
async def test_only_an_exclusive_queue_may_be_bound(asker: Asker, world: World) -> None:
    world.grants["mine"] = Grant(bound="mine")
    question = {**WRITES, "resource": "queue", "name": "mine"}
    assert await asker.told("resource", question) == "allow"

    world.exclusive = False
    assert await asker.told("resource", question) == "deny"


@pytest.mark.parametrize("without", ["username", "resource", "name", "permission", "vhost"])
@ensureDeferred
async def test_half_a_question_is_denied(asker: Asker, without: str) -> None:
    question = {name: value for name, value in WRITES.items() if name != without}

    assert await asker.told("resource", question) == "deny"


@ensureDeferred
async def test_nobody_has_topics(asker: Asker) -> None:
    topic = {**WRITES, "resource": "topic", "routing_key": "a.b"}

    assert await asker.told("topic", topic) == "deny"
    assert await asker.told("resource", topic) == "deny"


@pytest.mark.parametrize("problem", [Unavailable("database", "away"), ZeroDivisionError()])
@ensureDeferred
async def test_what_cannot_be_told_is_denied(
    asker: Asker, world: World, problem: Exception
) -> None:
    world.problem = problem

    for kind, question in (("user", ANNA), ("vhost", ANNA), ("resource", WRITES)):
        assert await asker.told(kind, question) == "deny"

    world.problem = None
    assert await asker.told("resource", WRITES) == "allow"


@ensureDeferred
async def test_an_outage_is_told_once(world: World, logged: CapturedLog) -> None:
    port, asker = listening(world)
    world.problem = Unavailable("database", "away")

    for _ in range(3):
        await asker.told("vhost", ANNA)

    port.stopListening()
    assert len(logged.lines_about("devices are denied")) == 1


@pytest.mark.parametrize("secret", ["", "guessed", "s3cret2"])
@ensureDeferred
async def test_without_the_secret_nothing_is_told(asker: Asker, secret: str) -> None:
    answer = await evolve(asker, secret=secret).asked("vhost", ANNA)

    assert (answer.status, answer.body) == (403, b"deny")


@ensureDeferred
async def test_each_answer_ends_its_connection(asker: Asker) -> None:
    # twisted.web's own client shows no such header.
    answer = await deferToThread(requests.get, f"{asker.url}/broker/vhost", timeout=10)

    assert answer.headers["Connection"] == "close"


@ensureDeferred
async def test_nothing_else_is_there(asker: Asker) -> None:
    assert (await asker.asked("queue", ANNA)).status == 404


@ensureDeferred
async def test_a_question_of_any_length_is_not_listened_to(world: World) -> None:
    port, asker = listening(world)

    with pytest.raises(NoAnswer):
        await asker.asked("vhost", {**ANNA, "x": "x" * LONGEST_BODY})

    port.stopListening()


@pytest.mark.parametrize("encoded", [b"a=%ff", b"\xff=1", b"a=1&a=2", b"&".join([b"a=1"] * 99)])
def test_what_is_no_form_has_no_fields(encoded: bytes) -> None:
    assert fields_of(encoded) is None


def test_rabbitmqs_second_question_mark_is_none() -> None:
    assert fields_of(query_of(b"/broker/user?secret=s?username=a%3F")) == {
        "secret": "s",
        "username": "a?",
    }
