"""What ``stacksync-admin check`` says of a broker that is not as it has to be.

Of one that is: ``tests/integration/test_broker_asks.py``, ``tests/embedded/test_default.py``.
"""

from __future__ import annotations

import json
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import pytest_twisted
from attrs import define, evolve
from pytest_twisted import ensureDeferred
from twisted.internet import reactor
from twisted.web import http, server
from twisted.web.resource import Resource

from stacksync.admin_cli import findings, question_readiness
from stacksync.admin_cli.broker_readiness import look_at_broker
from stacksync.admin_cli.findings import Findings
from stacksync.config import AmqpConfig, Config
from stacksync.db.database import Database
from stacksync.embedded import rabbitmq as embedded
from stacksync.embedded.ports import choose
from stacksync.embedded.questions import Questions
from stacksync.engine.audit import audit_on
from tests.db.conftest import database, start_database
from tests.servers.certificates import new_authority, self_signed
from tests.servers.rabbitmq import RabbitServer
from tests.servers.run import TestRun

__all__ = ["database", "start_database"]

SECRET = "open-sesame"

Look = Callable[..., Awaitable[Findings]]


@pytest.fixture
def look(database: Database, tmp_path: Path) -> Look:
    """Looks at the broker of these settings; they may tell everybody but their secrets."""

    async def looked(url: str, **amqp: Any) -> Findings:
        config = Config.embedded(tmp_path / "home")
        config = evolve(config, amqp=AmqpConfig(url=url, **amqp))
        found = await look_at_broker(reactor, config, audit_on(reactor, database))
        assert SECRET not in repr(found)
        return found

    return looked


@pytest.fixture(scope="module")
def user(rabbitmq: RabbitServer) -> Iterator[str]:
    """A user of the shared broker's who may do everything in its virtual host."""
    rabbitmq.add_user("readiness", SECRET)
    yield f"readiness:{SECRET}@127.0.0.1"
    rabbitmq.delete_user("readiness")


@pytest.fixture
def quickly(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody has to wait for a line of the audit that does not come."""
    monkeypatch.setattr(question_readiness, "NOTED", 0.1)


@ensureDeferred
async def test_a_broker_that_is_as_it_has_to_be(
    look: Look, rabbitmq: RabbitServer, user: str
) -> None:
    assert await look(f"amqp://{user}:{rabbitmq.port}/") == Findings(
        notes=[
            f"broker: 127.0.0.1:{rabbitmq.port} lets readiness in, with the permissions that it"
            " needs"
        ]
    )


@pytest.mark.parametrize(
    ("login", "vhost", "told"),
    [
        (f"readiness:not{SECRET}", "", "rabbitmqctl change_password readiness"),
        (f"nobody:{SECRET}", "", "if there is no such user: rabbitmqctl add_user nobody"),
        (f"readiness:{SECRET}", "nowhere", "rabbitmqctl add_vhost nowhere, if there is none"),
        (f"guest:not{SECRET}", "", "RabbitMQ lets guest in from its own machine only"),
    ],
)
@pytest.mark.usefixtures("user")
@ensureDeferred
async def test_a_login_that_is_refused(
    look: Look, rabbitmq: RabbitServer, login: str, vhost: str, told: str
) -> None:
    found = await look(f"amqp://{login}@127.0.0.1:{rabbitmq.port}/{vhost}")

    (problem,) = found.problems
    assert problem.startswith(f"broker: 127.0.0.1:{rabbitmq.port} ")
    assert told in problem
    assert not found.notes


@ensureDeferred
async def test_a_login_that_may_do_nothing(look: Look, rabbitmq: RabbitServer) -> None:
    url = rabbitmq.add_user("idle", SECRET)
    none = ", ".join(['<<"">>'] * 3)
    rabbitmq.evaluate(
        f'rabbit_auth_backend_internal:set_permissions(<<"idle">>, <<"/">>, {none}, <<"test">>)'
    )

    (problem,) = (await look(url)).problems

    rabbitmq.delete_user("idle")
    assert "403" in problem
    assert problem.endswith("rabbitmqctl set_permissions -p / idle '.*' '.*' '.*'")


@ensureDeferred
async def test_a_broker_that_is_away(look: Look) -> None:
    (port,) = choose(1)

    (problem,) = (await look(f"amqp://x:{SECRET}@127.0.0.1:{port}/")).problems

    assert problem.startswith(f"broker: cannot connect to 127.0.0.1:{port}: ")
    assert problem.endswith("refused. Is [amqp] url right?")


@ensureDeferred
async def test_something_that_never_answers_is_not_waited_for(
    look: Look, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(findings, "PATIENCE", 0.3)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"127.0.0.1:{silent.getsockname()[1]}"
        found = await look(f"amqp://x:{SECRET}@{url}/", management_url=f"http://x:{SECRET}@{url}")

    assert found.problems == [
        f"broker: {url} does not answer in 0.3 s",
        f"broker: the management API at {url} does not answer in 0.3 s",
    ]


@ensureDeferred
async def test_tls_with_whom_we_trust_and_with_others(
    look: Look, rabbitmq: RabbitServer, user: str, test_run: TestRun
) -> None:
    directory = test_run.new_directory("authority")
    authority = new_authority(directory)
    certificate = authority.issue("127.0.0.1")
    certificate.chmod(0o644)
    with rabbitmq.tls_listener(certificate) as port:
        url = f"amqps://{user}:{port}/"
        trusted = await look(url, ca_file=authority.file)
        other = await look(url, ca_file=self_signed(directory, "elsewhere"))
        unread = await look(url, ca_file=directory / "none.pem")
        plain = await look(url.replace("amqps", "amqp"))

    assert not trusted.problems
    assert "has proven by TLS who it is" in trusted.notes[0]
    assert "let [amqp] ca_file name the certificate of who signed it" in other.problems[0]
    assert "[amqp] ca_file: " in unread.problems[0]
    assert "that port speaks TLS: write amqps:// in [amqp] url" in plain.problems[0]


@define(eq=False)
class Api(Resource):
    """A management API."""

    port: int = 0
    status: int = 200
    tags: Any = ("administrator",)
    plugins: tuple[str, ...] | None = None
    isLeaf = True

    def __attrs_post_init__(self) -> None:
        super().__init__()

    def render(self, request: http.Request) -> bytes:
        request.setResponseCode(self.status)
        node = {} if self.plugins is None else {"enabled_plugins": self.plugins}
        told: Any = {"tags": self.tags} if request.path == b"/api/whoami" else [node]
        return json.dumps(told).encode()


@pytest_twisted.async_yield_fixture
async def api() -> AsyncIterator[Api]:
    tcp: Any = reactor
    made = Api()
    port = tcp.listenTCP(0, server.Site(made), interface="127.0.0.1")
    made.port = port.getHost().port
    yield made
    await port.stopListening()


@pytest.mark.parametrize(
    ("status", "tags", "told"),
    [
        (200, ["management"], "rabbitmqctl set_user_tags USER administrator"),
        (200, "monitoring", "rabbitmqctl set_user_tags USER administrator"),
        (401, [], "is that the right user and password in amqp.management_url?"),
        (404, [], "answered 404 Not Found"),
    ],
)
@ensureDeferred
async def test_a_management_api_that_is_of_no_use(
    look: Look, rabbitmq: RabbitServer, user: str, api: Api, status: int, tags: Any, told: str
) -> None:
    api.status, api.tags = status, tags

    found = await look(
        f"amqp://{user}:{rabbitmq.port}/", management_url=f"http://me:{SECRET}@127.0.0.1:{api.port}"
    )

    (problem,) = found.problems
    assert told in problem
    assert f"127.0.0.1:{api.port}" in problem


@pytest.mark.usefixtures("quickly")
@ensureDeferred
async def test_a_broker_that_does_not_ask(
    look: Look, rabbitmq: RabbitServer, user: str, api: Api
) -> None:
    """The shared one, where everybody's user is there and nobody is asked."""
    api.plugins = ("rabbitmq_management",)

    found = await look(
        f"amqp://{user}:{rabbitmq.port}/",
        auth_listen=f"tcp:{api.port}:interface=127.0.0.1",
        management_url=f"http://me:{SECRET}@127.0.0.1:{api.port}",
    )

    plugin, guest, stranger = found.problems
    assert "rabbitmq-plugins enable rabbitmq_auth_backend_http" in plugin
    assert "lets guest in from here" in guest
    assert "rabbitmqctl delete_user guest" in guest
    assert "without asking the service" in stranger
    assert f"127.0.0.1:{api.port} ([amqp] auth_listen)" in stranger


@pytest.mark.usefixtures("quickly")
@ensureDeferred
async def test_whether_it_asks_is_not_known_while_the_service_does_not_run(
    look: Look, rabbitmq: RabbitServer, user: str
) -> None:
    (port,) = choose(1)

    found = await look(f"amqp://{user}:{rabbitmq.port}/", auth_listen=f"tcp:{port}")

    (unknown,) = found.unknown
    assert "check again when the service is up" in unknown
    assert f"nothing listens at 127.0.0.1:{port}" in unknown
    assert "management_url is empty" in found.problems[0]


@pytest.mark.parametrize(
    ("standing", "told"),
    [
        (embedded.Found(None), "RabbitMQ is not installed, so the service does without"),
        (embedded.Found(embedded.Origin.PRIVATE), "starts a private one, which does not run now"),
        (
            embedded.Found(
                embedded.Origin.PRIVATE,
                f"amqp://x:{SECRET}@127.0.0.1:9/",
                f"http://x:{SECRET}@127.0.0.1:9",
                Questions(9, SECRET.ljust(43, "-"), SECRET.ljust(43, "-")),
            ),
            "a private one runs, but not the service, without which it lets nobody in",
        ),
    ],
)
@ensureDeferred
async def test_where_the_broker_is_left_to_us(
    look: Look, monkeypatch: pytest.MonkeyPatch, standing: embedded.Found, told: str
) -> None:
    async def find(*_: Any) -> embedded.Found:
        return standing

    monkeypatch.setattr(embedded, "look", find)

    found = await look("auto")

    assert told in "".join(found.notes + found.unknown)
    assert not found.problems


@ensureDeferred
async def test_looking_makes_no_state_directory(look: Look, tmp_path: Path) -> None:
    await look("auto")

    assert not (tmp_path / "home").exists()
