"""A Keystone that is away, slow, ill or somebody else: told as it is, and tried again."""

from __future__ import annotations

import asyncio
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
import pytest_twisted
from twisted.internet import reactor
from twisted.internet.defer import CancelledError, Deferred

from stacksync.errors import ConfigurationError, Unavailable
from stacksync.http_client import CertificateRefused
from stacksync.storage.keystone import Identities, Keystone, KeystoneRefuses
from tests.db.observation import until
from tests.servers.certificates import Authority, new_authority
from tests.servers.openstack.cloud import CloudProject
from tests.servers.openstack.server import OpenStackServer
from tests.servers.proxy import Proxy
from tests.storage.keystone.conftest import Wire

Connect = Callable[..., Keystone]
TLS_HANDSHAKE = b"\x16"


class Answerer:
    """A server that says the same to everything, and then closes the connection."""

    def __init__(self, answers: list[bytes]) -> None:
        self.answers = answers
        self.asked = 0
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        serving = asyncio.run_coroutine_threadsafe(
            asyncio.start_server(self._answer, "127.0.0.1", 0), self._loop
        )
        self._server = serving.result(60)
        self.url = f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}/v3"

    def close(self) -> None:
        self._loop.call_soon_threadsafe(self._server.close)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(60)
        self._loop.close()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if await reader.readexactly(1) != TLS_HANDSHAKE:
            head = await reader.readuntil(b"\r\n\r\n")
            # What is left unread would make the system reset the connection.
            length = re.search(rb"(?i)\r\ncontent-length: (\d+)", head)
            await reader.readexactly(int(length[1]) if length else 0)
        answer = self.answers[min(self.asked, len(self.answers) - 1)]
        self.asked += 1
        writer.write(answer)
        writer.close()


@pytest.fixture
def answering() -> Iterator[Callable[..., Answerer]]:
    """Servers that say these, one after the other and then the last one for ever."""
    with ExitStack() as servers:

        def start(*answers: bytes) -> Answerer:
            server = Answerer(list(answers))
            servers.callback(server.close)
            return server

        yield start


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return new_authority(tmp_path)


def http(status: str, body: bytes = b"", *headers: str) -> bytes:
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", "Connection: close", *headers]
    return "\r\n".join([*lines, "", ""]).encode() + body


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (b"SSH-2.0-OpenSSH_9.9\r\n", "without an answer that is HTTP"),
        (b"\x00\x01\x02" * 100, "without an answer that is HTTP"),
        (b"", "lost before|without an answer"),
        (http("200 OK", b"<html>Welcome!</html>"), "answered 200 OK, but not with JSON"),
        (http("200 OK", b"{}"), "answered 200 OK, but not with a token for a project"),
        (http("201 Created", b"[1]", "X-Subject-Token: x"), "but not with a token for a project"),
        (b"HTTP/1.1 201 Created\r\nContent-Length: 999\r\n\r\n{", "lost before|without an answer"),
        (http("503 Service Unavailable"), "answered 503 Service Unavailable"),
        (http("429 Too Many Requests"), "answered 429 Too Many Requests"),
        (http("302 Found", b"", "Location: http://127.0.0.1:1/"), "answered 302 Found"),
        (http("404 Not Found"), "answered 404 Not Found"),
    ],
)
@pytest_twisted.ensureDeferred
async def test_what_is_no_keystone_is_told_as_what_it_is(
    project: CloudProject,
    connect: Connect,
    answering: Callable[..., Answerer],
    answer: bytes,
    told: str,
) -> None:
    server = answering(answer)
    keystone = connect(project, url=server.url)
    with pytest.raises(Unavailable, match=told) as outage:
        await keystone.token()
    assert outage.value.part == "keystone"
    assert server.url in str(outage.value)
    assert project.service.password not in str(outage.value)


@pytest_twisted.ensureDeferred
async def test_a_keystone_that_stumbles_is_asked_again(
    project: CloudProject, connect: Connect, answering: Callable[..., Answerer]
) -> None:
    server = answering(http("503 Service Unavailable"), b"", http("404 Not Found"))
    with pytest.raises(KeystoneRefuses, match="404"):
        await connect(project, url=server.url).token()
    assert server.asked == 3


@pytest_twisted.ensureDeferred
async def test_a_busy_keystone_gets_the_pause_that_it_asks_for(
    project: CloudProject, connect: Connect, answering: Callable[..., Answerer]
) -> None:
    server = answering(
        http("503 Service Unavailable", b"", "Retry-After: 1"), http("404 Not Found")
    )
    begun = reactor.seconds()
    with pytest.raises(KeystoneRefuses, match="404"):
        await connect(project, url=server.url).token()
    assert 1.0 <= reactor.seconds() - begun < 30


@pytest_twisted.ensureDeferred
async def test_connections_that_break_are_made_anew(
    project: CloudProject, connect: Connect, wire: Wire
) -> None:
    identities = Identities(connect(project, url=wire.url))
    for _ in range(3):
        assert await identities.find(project.service.name) is not None
        wire.proxy.cut()


@pytest_twisted.ensureDeferred
async def test_a_keystone_that_says_nothing_is_not_waited_for(
    project: CloudProject, connect: Connect, wire: Wire
) -> None:
    wire.proxy.hold_answers()
    begun = reactor.seconds()
    with pytest.raises(Unavailable, match="no answer in time"):
        await connect(project, url=wire.url, timeout=1.0).token()
    assert 2.5 < reactor.seconds() - begun < 30
    await until(lambda: wire.sign_ins == 3)


@pytest_twisted.ensureDeferred
async def test_a_keystone_that_is_away_is_no_wrong_password(
    own_openstack: OpenStackServer, connect: Connect
) -> None:
    project = own_openstack.cloud.project()
    anna = own_openstack.cloud.user("anna", project)
    keystone = connect(project)
    identities = Identities(keystone)
    await keystone.check()
    assert await identities.check_password(anna.id, anna.password)
    own_openstack.kill_keystone()
    for attempt in (
        keystone.check(),
        identities.check_password(anna.id, anna.password),
        identities.of_token("x"),
        identities.find(anna.name),
    ):
        with pytest.raises(Unavailable, match=r"keystone: .*nothing listens there"):
            await attempt
    own_openstack.start_keystone()
    await keystone.check()
    assert await identities.check_password(anna.id, anna.password)


@pytest_twisted.ensureDeferred
async def test_a_host_that_does_not_exist_is_told(project: CloudProject, connect: Connect) -> None:
    keystone = connect(project, url="http://keystone.invalid:5000/v3")
    with pytest.raises(Unavailable, match=r"keystone\.invalid.*: there is no host of this name"):
        await keystone.token()


@pytest_twisted.ensureDeferred
async def test_giving_up_a_request_asks_nothing_more(
    project: CloudProject, connect: Connect, wire: Wire
) -> None:
    identities = Identities(connect(project, url=wire.url))
    assert await identities.find("nobody") is None
    wire.proxy.hold_answers()
    asked = Deferred.fromCoroutine(identities.check_password("nobody", "secret"))
    asked.cancel()
    with pytest.raises(CancelledError):
        await asked
    wire.proxy.release()
    assert await identities.find("nobody") is None
    assert wire.sign_ins <= 2


def secured(project: CloudProject, certificate: Path, stack: ExitStack) -> str:
    """A TLS front of the run's Keystone; returns its URL."""
    port = int(project.keystone_url.rsplit(":", 1)[1].split("/")[0])
    proxy = Proxy(port, certificate=certificate)
    stack.callback(proxy.close)
    return f"https://127.0.0.1:{proxy.port}/v3"


@pytest_twisted.ensureDeferred
async def test_a_certificate_of_our_own_authority_is_taken(
    project: CloudProject, connect: Connect, authority: Authority
) -> None:
    with ExitStack() as stack:
        url = secured(project, authority.issue("127.0.0.1"), stack)
        keystone = connect(project, url=url, ca_file=authority.file)
        assert await keystone.project_id() == project.id
        by_name = url.replace("127.0.0.1", "localhost")
        with pytest.raises(CertificateRefused, match=r"localhost.*is for another host name"):
            await connect(project, url=by_name, ca_file=authority.file).token()


@pytest_twisted.ensureDeferred
async def test_whoever_cannot_prove_to_be_the_host_gets_no_password(
    project: CloudProject, connect: Connect, authority: Authority, tmp_path: Path
) -> None:
    (tmp_path / "strangers").mkdir()
    stranger = new_authority(tmp_path / "strangers")
    cases = [
        (authority.issue("127.0.0.2"), authority.file, "for another host name"),
        (authority.issue("keystone.test"), authority.file, "for another host name"),
        (stranger.issue("127.0.0.1"), authority.file, "signed by nobody whom we trust.*ca_file"),
        (authority.issue("127.0.0.1"), Path(), "signed by nobody whom we trust.*ca_file"),
        (authority.issue("127.0.0.1", days=-1), authority.file, "expired"),
    ]
    for certificate, ca_file, told in cases:
        with ExitStack() as stack:
            url = secured(project, certificate, stack)
            with pytest.raises(CertificateRefused, match=told):
                await connect(project, url=url, ca_file=ca_file).token()


@pytest_twisted.ensureDeferred
async def test_tls_where_there_is_none_is_told(
    project: CloudProject, connect: Connect, answering: Callable[..., Answerer]
) -> None:
    url = answering(http("400 Bad Request")).url.replace("http:", "https:")
    with pytest.raises(Unavailable, match="may not speak TLS"):
        await connect(project, url=url).token()


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (None, "can't be read: No such file"),
        ("", "has no certificate"),
        ("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "that can't be read"),
    ],
)
def test_a_wrong_file_of_authorities_is_told_at_once(
    project: CloudProject, connect: Connect, tmp_path: Path, text: str | None, told: str
) -> None:
    file = tmp_path / "authorities.pem"
    if text is not None:
        file.write_text(text)
    with pytest.raises(ConfigurationError, match=rf"\[keystone\] ca_file: {file} .*{told}"):
        connect(project, ca_file=file)
