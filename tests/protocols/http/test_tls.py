"""The front-end with TLS: HSTS, what a proxy says, and who mistakes one for the other."""

from __future__ import annotations

import json
import socket
import ssl
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_twisted
import requests
from pytest_twisted import ensureDeferred
from twisted.internet import reactor
from twisted.internet.endpoints import TCP4ServerEndpoint
from twisted.internet.threads import deferToThread
from twisted.logger import capturedLogs
from zope.interface import implementer

from stacksync.config import HttpConfig
from stacksync.interfaces import IAuthenticator
from stacksync.model import Principal, SignIn
from stacksync.protocols.http.edge.mistaken import PLAIN_TO_TLS
from stacksync.protocols.http.resource import JSONResource
from stacksync.protocols.http.site import ApiSite, make_site
from stacksync.tls import HangUp, Listening
from tests.protocols.http.client import Client, eventually
from tests.protocols.http.engines import ANNA, MadeUpEngine, Noun, returning
from tests.servers.certificates import Authority, new_authority
from tests.tls.conftest import said_to

YEAR = "max-age=31536000"


@implementer(IAuthenticator)
class Doorkeeper:
    """Lets everybody in, and remembers where they came from."""

    def __init__(self) -> None:
        self.addresses: list[str] = []

    async def authenticate(self, email: str, password: str, address: str) -> Principal:
        self.addresses.append(address)
        return Principal(ANNA, SignIn.PASSWORD)


class Scene:
    """The front-end on two ports, with TLS and without.

    :ivar described: what the last request to ``/told`` said of itself.
    """

    def __init__(self, authority: Authority) -> None:
        self.authority = authority
        self.doorkeeper = Doorkeeper()
        engine = MadeUpEngine(devices=Noun(list=returning(())))
        settings = HttpConfig(trusted_proxies=("127.0.0.2", "unix"))
        self.site: ApiSite = make_site(reactor, engine, self.doorkeeper, [], settings)  # type: ignore[arg-type]
        self.site.resource.putChild(b"told", JSONResource({b"GET": self._tell}))
        self.described: dict[str, Any] = {}
        self.ports: list[Any] = []

    async def _tell(self, request: Any) -> Any:
        self.described = {
            name: getattr(request, name)
            for name in ("peer", "is_secure", "is_secure_for_secrets", "external_url")
        }
        request.site.resource.children[b"healthz"].render(request)

    async def listen(self) -> None:
        pem = self.authority.issue("localhost")
        place = Listening("http", "listen", "tcp:0:interface=127.0.0.1", pem, pem)
        self.hang_up = HangUp(reactor)
        protocols = self.site.acceptableProtocols()
        secured = place.open(reactor, self.hang_up, PLAIN_TO_TLS, protocols)
        plain = TCP4ServerEndpoint(reactor, 0, interface="127.0.0.1")
        self.ports = [await each.listen(self.site) for each in (secured, plain)]
        self.tls_port, self.plain_port = (port.getHost().port for port in self.ports)

    async def close(self) -> None:
        self.hang_up.stop()
        for port in self.ports:
            await port.stopListening()
        await self.site.drain(within=0.1)

    async def get(self, path: str, *, is_tls: bool = True, **headers: str) -> requests.Response:
        """Ask, through the TLS port or the other one."""
        scheme, port = ("https", self.tls_port) if is_tls else ("http", self.plain_port)

        def ask() -> requests.Response:
            return requests.get(
                f"{scheme}://localhost:{port}{path}",
                headers={name.replace("_", "-"): value for name, value in headers.items()},
                auth=("anna@example.org", "x"),
                verify=str(self.authority.file),
                timeout=10,
            )

        return await deferToThread(ask)


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return new_authority(tmp_path_factory.mktemp("authority"))


@pytest_twisted.async_yield_fixture
async def scene(authority: Authority) -> AsyncIterator[Scene]:
    scene = Scene(authority)
    await scene.listen()
    yield scene
    await scene.close()


@ensureDeferred
async def test_with_tls_browsers_are_told_to_come_by_tls_only(scene: Scene) -> None:
    secured, plain = await scene.get("/healthz"), await scene.get("/healthz", is_tls=False)

    assert secured.headers["Strict-Transport-Security"] == YEAR
    assert "Strict-Transport-Security" not in plain.headers


@ensureDeferred
async def test_browsers_are_not_told_so_where_the_settings_do_not_want_it(scene: Scene) -> None:
    scene.site.hsts = b""

    assert "Strict-Transport-Security" not in (await scene.get("/healthz")).headers


@ensureDeferred
async def test_what_a_page_leaves_with_a_browser_stays_with_tls(scene: Scene) -> None:
    path = "/oauth/applications"
    secured, plain = await scene.get(path), await scene.get(path, is_tls=False)

    assert secured.headers["Set-Cookie"].endswith("; SameSite=Strict; Secure")
    assert plain.headers["Set-Cookie"].endswith("; SameSite=Strict")


@ensureDeferred
async def test_a_request_knows_that_it_came_by_tls(scene: Scene) -> None:
    await scene.get("/told")

    assert scene.described == {
        "peer": "127.0.0.1",
        "is_secure": True,
        "is_secure_for_secrets": True,
        "external_url": f"https://localhost:{scene.tls_port}",
    }


@ensureDeferred
async def test_a_request_from_this_machine_needs_no_tls_for_secrets(scene: Scene) -> None:
    await scene.get("/told", is_tls=False)

    assert scene.described == {
        "peer": "127.0.0.1",
        "is_secure": False,
        "is_secure_for_secrets": True,
        "external_url": f"http://localhost:{scene.plain_port}",
    }


async def by_proxy(scene: Scene, path: str, host: str, **headers: str) -> bytes:
    """What is answered to the proxy that the settings name."""
    told = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in headers.items())
    client = Client(scene.plain_port, ("anna@example.org", "x"))
    request = (
        f"GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n{told}"
        f"{client.authorization_line}\r\n"
    )

    def ask() -> bytes:
        with socket.create_connection(
            ("127.0.0.1", scene.plain_port), timeout=10, source_address=("127.0.0.2", 0)
        ) as connection:
            connection.sendall(request.encode())
            received = b""
            while part := connection.recv(4096):
                received += part
            return received

    return await deferToThread(ask)


@ensureDeferred
async def test_our_proxy_says_who_the_client_is_and_that_it_speaks_tls(scene: Scene) -> None:
    said = {"X_Forwarded_For": "6.6.6.6, 198.51.100.1", "X_Forwarded_Proto": "https"}
    answer = await by_proxy(scene, "/told", "cloud.example.org", **said)
    await by_proxy(scene, "/api/devices", "cloud.example.org", **said)

    assert f"Strict-Transport-Security: {YEAR}".encode() in answer
    assert scene.described == {
        "peer": "198.51.100.1",
        "is_secure": True,
        "is_secure_for_secrets": True,
        "external_url": "https://cloud.example.org",
    }
    # So guessers are slowed down one by one, and not all who come through the proxy.
    assert scene.doorkeeper.addresses == ["198.51.100.1"]


@ensureDeferred
async def test_nobody_else_says_so(scene: Scene) -> None:
    said = {"X_Forwarded_For": "198.51.100.1", "X_Forwarded_Proto": "https"}
    answer = await scene.get("/told", is_tls=False, **said)

    assert "Strict-Transport-Security" not in answer.headers
    assert scene.described["peer"] == "127.0.0.1"
    assert not scene.described["is_secure"]
    assert not scene.described["is_secure_for_secrets"]


@ensureDeferred
async def test_plain_http_on_the_tls_port_is_told_so(scene: Scene) -> None:
    request = b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"
    with capturedLogs() as lines:
        answer = await deferToThread(said_to, scene.tls_port, request)
        head, _, body = answer.partition(b"\r\n\r\n")
        await eventually(lambda: not scene.site.channels)

    assert head.startswith(b"HTTP/1.1 400 Bad Request\r\n")
    assert json.loads(body) == {"error": 400, "description": "this port speaks TLS: https://"}
    assert not lines


@ensureDeferred
async def test_tls_on_the_plain_port_is_hung_up_on_quietly(scene: Scene) -> None:
    def greet() -> None:
        with socket.create_connection(("127.0.0.1", scene.plain_port), timeout=10) as connection:
            ssl.create_default_context().wrap_socket(connection, server_hostname="localhost")

    with capturedLogs() as lines:
        with pytest.raises(ssl.SSLError, match=r"(?i)wrong.version.number|record layer failure"):
            await deferToThread(greet)
        await eventually(lambda: not scene.site.channels)

    assert not lines


@ensureDeferred
async def test_a_large_body_goes_both_ways(scene: Scene) -> None:
    content = bytes(range(256)) * 20_000
    received = []

    async def answer(request: Any) -> Any:
        received.append(request.content.getvalue())
        request.setHeader(b"Content-Length", b"%d" % len(content))
        request.write(content)
        request.finish()

    scene.site.resource.putChild(b"large", JSONResource({b"POST": answer}))

    def post() -> bytes:
        url = f"https://localhost:{scene.tls_port}/large"
        answer = requests.post(url, data=content, verify=str(scene.authority.file), timeout=20)
        return answer.content

    assert await deferToThread(post) == content
    assert received == [content]


@ensureDeferred
async def test_where_there_is_no_room_a_connection_ends_before_tls_begins(scene: Scene) -> None:
    scene.site.connections._most = 0

    def connect() -> None:
        with socket.create_connection(("127.0.0.1", scene.tls_port), timeout=10) as connection:
            ssl.create_default_context().wrap_socket(connection, server_hostname="localhost")

    with capturedLogs() as lines, pytest.raises((ssl.SSLError, ConnectionResetError)):
        await deferToThread(connect)
    assert not [line for line in lines if "log_failure" in line]
