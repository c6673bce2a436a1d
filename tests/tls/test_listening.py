"""Places to listen at: endpoint strings, with the files that belong to them."""

from __future__ import annotations

import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
import pytest_twisted
from pytest_twisted import ensureDeferred
from twisted.internet import reactor
from twisted.internet.endpoints import quoteStringArgument
from twisted.internet.threads import deferToThread

from stacksync.errors import ConfigurationError
from stacksync.tls import HangUp, Listening
from tests.servers.certificates import Authority
from tests.tls.conftest import REFUSAL, AnsweringFactory

Listen = Callable[[Listening], Awaitable[Any]]


@pytest_twisted.async_yield_fixture
async def listen(tmp_path: Path) -> AsyncIterator[Listen]:
    """Opens places, and closes them after the test."""
    hang_up = HangUp(reactor)
    ports: list[Any] = []

    async def open_one(place: Listening) -> Any:
        endpoint = place.open(reactor, hang_up, REFUSAL)
        ports.append(await endpoint.listen(AnsweringFactory()))
        return ports[-1]

    yield open_one
    hang_up.stop()
    for port in ports:
        await port.stopListening()


async def answer_from(connected: socket.socket, authority: Authority | None) -> bytes:
    """What the other end answers, by TLS if there is an authority to trust."""

    def ask() -> bytes:
        connection = connected
        if authority is not None:
            context = ssl.create_default_context(cafile=authority.file)
            connection = context.wrap_socket(connection, server_hostname="localhost")
        with connection:
            connection.sendall(b"hi")
            return connection.recv(100)

    return await deferToThread(ask)


def to(port: Any) -> socket.socket:
    return socket.create_connection(("127.0.0.1", port.getHost().port), timeout=10)


@ensureDeferred
async def test_without_a_certificate_there_is_no_tls(listen: Listen) -> None:
    place = Listening("http", "listen", "tcp:0:interface=127.0.0.1")

    assert not place.is_secured
    assert await answer_from(to(await listen(place)), None) == b"HI"


@pytest.mark.parametrize("endpoint", ["tcp:0:interface=127.0.0.1", r"tcp6:0:interface=\:\:"])
@ensureDeferred
async def test_a_certificate_brings_tls_to_an_endpoint(
    listen: Listen, authority: Authority, endpoint: str
) -> None:
    pem = authority.issue("localhost")
    place = Listening("http", "listen", endpoint, pem, pem)

    assert place.is_secured
    assert await answer_from(to(await listen(place)), authority) == b"HI"


@ensureDeferred
async def test_a_certificate_brings_tls_to_a_unix_socket(
    listen: Listen, authority: Authority, tmp_path: Path
) -> None:
    pem, path = authority.issue("localhost"), tmp_path / "socket"
    await listen(Listening("http", "listen", f"unix:{path}", pem, pem))
    connected = socket.socket(socket.AF_UNIX)
    connected.settimeout(10)
    connected.connect(str(path))

    assert await answer_from(connected, authority) == b"HI"


@ensureDeferred
async def test_an_ssl_endpoint_names_its_files(
    listen: Listen, authority: Authority, tmp_path: Path
) -> None:
    directory = tmp_path / "with:colon"
    directory.mkdir()
    pem = authority.issue("localhost", file=directory / "server.pem")
    quoted = quoteStringArgument(str(pem))
    text = (
        f"ssl:0:privateKey={quoted}:certKey={quoted}"
        f":extraCertChain={quoteStringArgument(str(authority.file))}:interface=127.0.0.1"
    )
    place = Listening("http", "listen", text)

    assert place.is_secured
    assert await answer_from(to(await listen(place)), authority) == b"HI"


def test_what_is_wrong_with_those_files_names_the_endpoint(tmp_path: Path) -> None:
    place = Listening("http", "listen", f"ssl:0:privateKey={tmp_path}/none.pem")
    with pytest.raises(
        ConfigurationError, match=r"^\[http\] listen: certKey: .*none.pem can't be read: No such"
    ):
        place.open(reactor, HangUp(reactor), REFUSAL)
