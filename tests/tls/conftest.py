"""An authority, and a server that answers everything with TLS on a port of its own."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
import pytest_twisted
from attrs import define, field
from twisted.internet import reactor
from twisted.internet.endpoints import TCP4ServerEndpoint
from twisted.internet.protocol import Factory, Protocol
from twisted.python.failure import Failure

from stacksync.tls import IdentityFiles, ServerSecurity, secured
from tests.servers.certificates import Authority, new_authority

REFUSAL = b"in plain text? no\n"


class Answering(Protocol):
    """Says what it has heard, in capitals."""

    factory: AnsweringFactory

    def connectionMade(self) -> None:
        self.factory.latest = self

    def dataReceived(self, data: bytes) -> None:
        self.transport.write(data.upper())

    def connectionLost(self, reason: Failure | None = None) -> None:
        self.factory.ended += 1


class AnsweringFactory(Factory):
    protocol = Answering
    noisy = False
    ended = 0
    latest: Answering


def said_to(port: int, *pieces: bytes) -> bytes:
    """What comes back for these bytes until the server hangs up."""
    received = b""
    with socket.create_connection(("127.0.0.1", port), timeout=10) as plain:
        for piece in pieces:
            plain.sendall(piece)
        while part := plain.recv(4096):
            received += part
    return received


@define
class SecuredServer:
    """A server with TLS.

    :ivar security: shows the certificate in ``file``.
    """

    port: int
    security: ServerSecurity
    file: Path
    factory: AnsweringFactory = field(repr=False)


Serve = Callable[..., Awaitable[SecuredServer]]


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return new_authority(tmp_path_factory.mktemp("authority"))


def files_of(pem: Path) -> IdentityFiles:
    """The certificate and the key of one file."""
    return IdentityFiles.of_section("http", pem, pem)


@pytest_twisted.async_yield_fixture
async def serve() -> AsyncIterator[Serve]:
    """Starts servers that show the certificate in a file, and ends them."""
    ports: list[Any] = []

    async def start(pem: Path) -> SecuredServer:
        security = ServerSecurity(files_of(pem), [b"http/1.1"])
        factory = AnsweringFactory()
        plain = TCP4ServerEndpoint(reactor, 0, interface="127.0.0.1")
        port: Any = await secured(plain, security, REFUSAL, reactor).listen(factory)
        ports.append(port)
        return SecuredServer(port.getHost().port, security, pem, factory)

    yield start
    for port in ports:
        await port.stopListening()
