"""Whom our connections are made to, and what is told of the others."""

from __future__ import annotations

from pathlib import Path

import pytest
import pytest_twisted
from pytest_twisted import ensureDeferred
from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.internet.endpoints import HostnameEndpoint, TCP4ServerEndpoint
from twisted.internet.protocol import Factory, Protocol
from twisted.python.failure import Failure

from stacksync.errors import ConfigurationError
from stacksync.tls import ClientSecurity, tls_problem, trust_of
from tests.servers.certificates import Authority, new_authority, self_signed
from tests.tls.conftest import AnsweringFactory, Serve


class Asking(Protocol):
    """Says hi, and hears an answer or why there is none."""

    def __init__(self) -> None:
        self.heard: Deferred[str] = Deferred()

    def connectionMade(self) -> None:
        self.transport.write(b"hi")

    def dataReceived(self, data: bytes) -> None:
        heard, self.heard = self.heard, Deferred()
        heard.callback(data.decode())
        self.transport.loseConnection()

    def connectionLost(self, reason: Failure | None = None) -> None:
        assert reason is not None
        if not self.heard.called:
            self.heard.callback(tls_problem(reason.value, "[amqp] certificate") or str(reason))


async def asked(port: int, security: ClientSecurity, host: str = "127.0.0.1") -> str:
    """What a server says to us, or what is wrong with it."""
    asking = Asking()
    heard = asking.heard
    endpoint = HostnameEndpoint(reactor, "127.0.0.1", port)
    await security.secured(endpoint, host, reactor).connect(Factory.forProtocol(lambda: asking))
    return await heard.addTimeout(10, reactor)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "stäcksync.test", "::1"])
@ensureDeferred
async def test_who_proves_to_be_the_host_is_spoken_with(
    authority: Authority, serve: Serve, host: str
) -> None:
    server = await serve(authority.issue(host.encode("idna").decode()))

    assert await asked(server.port, ClientSecurity("amqp", authority.file), host) == "HI"


@ensureDeferred
async def test_who_does_not_is_told_of(authority: Authority, serve: Serve, tmp_path: Path) -> None:
    ours = ClientSecurity("amqp", authority.file)
    strangers = new_authority(tmp_path, "strangers")
    alike = tmp_path / "alike"
    alike.mkdir()
    unknown = "signed by nobody whom we trust: let [amqp] ca_file name the certificate of who"
    right = authority.issue("127.0.0.1")
    for pem, security, host, problem in [
        (right, ours, "localhost", "is for another host name than localhost"),
        (authority.issue("localhost"), ours, "127.0.0.1", "is for another host name than 127.0.0"),
        (authority.issue("127.0.0.1", days=-1), ours, "127.0.0.1", "certificate has expired on 20"),
        (strangers.issue("127.0.0.1"), ours, "127.0.0.1", unknown),
        (new_authority(alike).issue("127.0.0.1"), ours, "127.0.0.1", unknown),
        (right, ClientSecurity("amqp"), "127.0.0.1", unknown),
        (self_signed(tmp_path, "127.0.0.1"), ours, "127.0.0.1", "is signed by itself"),
    ]:
        server = await serve(pem)
        assert problem in await asked(server.port, security, host)


@ensureDeferred
async def test_one_that_has_signed_itself_is_trusted_if_it_is_named(
    serve: Serve, tmp_path: Path
) -> None:
    pem = self_signed(tmp_path, "127.0.0.1")
    server = await serve(pem)

    assert await asked(server.port, ClientSecurity("amqp", pem)) == "HI"


@ensureDeferred
async def test_a_new_file_counts_from_its_reload_on_and_a_bad_one_does_not(
    authority: Authority, serve: Serve, tmp_path: Path
) -> None:
    server = await serve(authority.issue("127.0.0.1"))
    file = tmp_path / "trusted.pem"
    file.write_bytes(self_signed(tmp_path, "elsewhere").read_bytes())
    security = ClientSecurity("amqp", file)
    assert "nobody whom we trust" in await asked(server.port, security)

    file.write_bytes(authority.file.read_bytes())
    security.reload()
    assert await asked(server.port, security) == "HI"
    file.write_text("")
    security.reload()
    assert await asked(server.port, security) == "HI"


@pytest_twisted.async_fixture
async def in_plain_text(request: pytest.FixtureRequest) -> int:
    """The port of a server without TLS."""
    factory = AnsweringFactory()
    port = await TCP4ServerEndpoint(reactor, 0, interface="127.0.0.1").listen(factory)
    request.addfinalizer(lambda: pytest_twisted.blockon(port.stopListening()))
    return port.getHost().port


@ensureDeferred
async def test_a_server_without_tls_is_told_of(authority: Authority, in_plain_text: int) -> None:
    told = await asked(in_plain_text, ClientSecurity("amqp", authority.file))

    assert "what listens there may not speak TLS" in told


def test_files_that_cannot_be_used_are_told_with_their_option(tmp_path: Path) -> None:
    missing = tmp_path / "missing.pem"
    with pytest.raises(ConfigurationError, match=r"^\[keystone\] ca_file: .* can't be read: No su"):
        trust_of(missing, "[keystone] ca_file")
    with pytest.raises(ConfigurationError, match=r"^\[amqp\] certificate: .* can't be read"):
        ClientSecurity("amqp", Path(), missing, missing)


def test_other_trouble_is_no_trouble_of_tls() -> None:
    assert tls_problem(ConnectionResetError("by peer")) is None
