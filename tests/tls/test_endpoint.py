"""Who does not speak TLS where it is spoken."""

from __future__ import annotations

import socket
import ssl

import pytest
from pytest_twisted import ensureDeferred
from twisted.internet.threads import deferToThread
from twisted.logger import capturedLogs

from stacksync.tls import endpoint
from tests.protocols.http.client import eventually
from tests.servers.certificates import Authority
from tests.tls.conftest import REFUSAL, Serve, said_to


@ensureDeferred
async def test_plain_text_is_answered_in_plain_text(
    authority: Authority, serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    # However slowly it is sent and read here.
    monkeypatch.setattr(endpoint, "LINGER", 60.0)
    server = await serve(authority.issue("localhost"))
    with capturedLogs() as lines:
        request = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 300000\r\n\r\n"
        # More than is read before the answer: it is not to be lost to a reset.
        told = await deferToThread(said_to, server.port, request, bytes(300_000))
        await eventually(lambda: server.factory.ended == 1)

    assert told == REFUSAL
    assert not lines


@pytest.mark.parametrize(
    "garbage",
    [
        b"\x16" + bytes(range(200)),
        b"\x16\x03\x01\x00\x05hello",
        b"\x16\x03\x01\xff\xff" + bytes(300),
        b"\x16",
    ],
)
@ensureDeferred
async def test_what_only_begins_like_tls_is_hung_up_on_quietly(
    authority: Authority, serve: Serve, garbage: bytes
) -> None:
    server = await serve(authority.issue("localhost"))

    def say() -> None:
        with socket.create_connection(("127.0.0.1", server.port), timeout=10) as plain:
            plain.sendall(garbage)
            plain.shutdown(socket.SHUT_WR)
            while plain.recv(4096):
                pass

    with capturedLogs() as lines:
        await deferToThread(say)
        await eventually(lambda: server.factory.ended == 1)
    assert not lines


@ensureDeferred
async def test_a_client_that_does_not_trust_us_leaves_no_trace(
    authority: Authority, serve: Serve
) -> None:
    server = await serve(authority.issue("localhost"))

    def connect() -> None:
        with socket.create_connection(("127.0.0.1", server.port), timeout=10) as plain:
            ssl.create_default_context().wrap_socket(plain, server_hostname="localhost")

    with capturedLogs() as lines:
        with pytest.raises(ssl.SSLCertVerificationError):
            await deferToThread(connect)
        await eventually(lambda: server.factory.ended == 1)
    assert not lines


@ensureDeferred
async def test_who_says_no_goodbye_is_not_waited_for(authority: Authority, serve: Serve) -> None:
    server = await serve(authority.issue("localhost"))
    context = ssl.create_default_context(cafile=authority.file)

    def begin() -> ssl.SSLSocket:
        plain = socket.create_connection(("127.0.0.1", server.port), timeout=10)
        secure = context.wrap_socket(plain, server_hostname="localhost")
        secure.sendall(b"hi")
        assert secure.recv(100) == b"HI"
        return secure

    with await deferToThread(begin):
        server.factory.latest.transport.loseConnection()
        await eventually(lambda: server.factory.ended == 1)


@ensureDeferred
async def test_who_was_refused_can_be_hung_up_on(authority: Authority, serve: Serve) -> None:
    server = await serve(authority.issue("localhost"))

    def begin() -> socket.socket:
        plain = socket.create_connection(("127.0.0.1", server.port), timeout=10)
        plain.sendall(b"GET / HTTP/1.1\r\n\r\n")
        assert plain.recv(100) == REFUSAL
        return plain

    with await deferToThread(begin):
        server.factory.latest.transport.loseConnection()
        await eventually(lambda: server.factory.ended == 1)
