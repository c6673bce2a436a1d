"""What the server's end offers and refuses, and how it changes its certificate."""

from __future__ import annotations

import socket
import ssl
from pathlib import Path
from typing import Any

import pytest
from OpenSSL import SSL
from pytest_twisted import ensureDeferred
from twisted.internet.threads import deferToThread
from twisted.logger import LogLevel, capturedLogs

from tests.servers.certificates import Authority
from tests.servers.client_hello import (
    HANDSHAKE_FAILURE,
    PROTOCOL_VERSION,
    SSL_3,
    TLS_1_0,
    TLS_1_1,
    TLS_1_2,
    hello,
    reaction,
)
from tests.tls.conftest import Serve

GOOD_WITH_EC = [0xC02B, 0xC02C, 0xCCA9]
GOOD_WITH_RSA = [0xC02F, 0xC030, 0xCCA8]
WEAK = {
    "RSA key exchange": [0x009C, 0x009D, 0x002F, 0x0035, 0x003C],
    "CBC": [0xC009, 0xC00A, 0xC013, 0xC014, 0xC023, 0xC024, 0xC027, 0xC028],
    "finite fields": [0x009E, 0x009F, 0x0033, 0x0039],
    "3DES, RC4": [0x000A, 0xC008, 0xC012, 0x0005, 0xC007, 0xC011],
    "no encryption, export": [0x0001, 0x0002, 0x003B, 0x0003, 0x0008, 0xC006, 0xC010],
    "nobody's": [0x0034, 0x006C, 0x00A6, 0xC018],
    "pre-shared keys": [0x00A8, 0xC037, 0x008C],
}


def trusting(authority: Authority) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=authority.file)


def conversation(port: int, context: ssl.SSLContext, said: bytes = b"hi") -> dict[str, Any]:
    """Say something over TLS; what was agreed on, whose certificate it was, and the answer."""
    with (
        socket.create_connection(("127.0.0.1", port), timeout=10) as plain,
        context.wrap_socket(plain, server_hostname="localhost") as secure,
    ):
        secure.sendall(said)
        answer = secure.recv(100)
        return {
            "version": secure.version(),
            "cipher": (secure.cipher() or ("",))[0],
            "protocol": secure.selected_alpn_protocol(),
            "serial": (secure.getpeercert() or {})["serialNumber"],
            "answer": answer,
        }


@ensureDeferred
async def test_todays_clients_get_the_newest_version(authority: Authority, serve: Serve) -> None:
    server = await serve(authority.issue("localhost"))
    context = trusting(authority)
    context.set_alpn_protocols(["h2", "http/1.1"])

    told = await deferToThread(conversation, server.port, context)

    assert (told["version"], told["answer"]) == ("TLSv1.3", b"HI")
    assert told["protocol"] == "http/1.1"


@pytest.mark.parametrize("is_rsa", [False, True])
@ensureDeferred
async def test_version_1_2_is_spoken_with_forward_secrecy_and_authenticated_encryption(
    authority: Authority, serve: Serve, is_rsa: bool
) -> None:
    server = await serve(authority.issue("localhost", is_rsa=is_rsa))
    for cipher in GOOD_WITH_RSA if is_rsa else GOOD_WITH_EC:
        # All kinds of compression are offered, and none is taken.
        offered = hello(TLS_1_2, [cipher], b"\x01\x40\0")
        told = await deferToThread(reaction, server.port, offered)
        assert (told.alert, told.cipher, told.compression) == (None, cipher, 0)
    context = trusting(authority)
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    told = await deferToThread(conversation, server.port, context)
    assert told["version"] == "TLSv1.2"


@ensureDeferred
async def test_what_is_older_is_refused(authority: Authority, serve: Serve) -> None:
    server = await serve(authority.issue("localhost", is_rsa=True))
    everything = [*GOOD_WITH_RSA, *(each for weak in WEAK.values() for each in weak)]
    for version in (SSL_3, TLS_1_0, TLS_1_1):
        told = await deferToThread(reaction, server.port, hello(version, everything))
        assert told.alert == PROTOCOL_VERSION, hex(version)


@pytest.mark.parametrize("is_rsa", [False, True])
@ensureDeferred
async def test_weak_ciphers_are_refused(authority: Authority, serve: Serve, is_rsa: bool) -> None:
    server = await serve(authority.issue("localhost", is_rsa=is_rsa))
    for ciphers in WEAK.values():
        for cipher in ciphers:
            told = await deferToThread(reaction, server.port, hello(TLS_1_2, [cipher]))
            assert told.alert == HANDSHAKE_FAILURE, hex(cipher)


@ensureDeferred
async def test_nobody_may_begin_anew_within_a_connection(
    authority: Authority, serve: Serve
) -> None:
    server = await serve(authority.issue("localhost"))

    def renegotiate() -> None:
        context = SSL.Context(SSL.TLS_METHOD)
        context.set_max_proto_version(SSL.TLS1_2_VERSION)
        with socket.create_connection(("127.0.0.1", server.port), timeout=10) as plain:
            plain.settimeout(None)
            connection = SSL.Connection(context, plain)
            connection.set_connect_state()
            connection.do_handshake()
            connection.send(b"hi")
            assert connection.recv(100) == b"HI"
            connection.renegotiate()
            connection.do_handshake()

    with pytest.raises(SSL.Error, match="no renegotiation"):
        await deferToThread(renegotiate)


@ensureDeferred
async def test_a_ticket_spares_the_next_connection_half_the_work(
    authority: Authority, serve: Serve
) -> None:
    server = await serve(authority.issue("localhost"))
    context = trusting(authority)

    def resumed() -> bool:
        session = None
        for _ in range(2):
            with (
                socket.create_connection(("127.0.0.1", server.port), timeout=10) as plain,
                context.wrap_socket(plain, server_hostname="localhost", session=session) as secure,
            ):
                secure.sendall(b"hi")
                assert secure.recv(100) == b"HI"
                session = secure.session
                was_resumed = secure.session_reused
        return bool(was_resumed)

    assert await deferToThread(resumed)


@ensureDeferred
async def test_new_connections_get_the_new_certificate_and_open_ones_live_on(
    authority: Authority, serve: Serve, tmp_path: Path
) -> None:
    file = authority.issue("localhost", file=tmp_path / "server.pem")
    server = await serve(file)
    context = trusting(authority)
    before = await deferToThread(conversation, server.port, context)
    plain = await deferToThread(socket.create_connection, ("127.0.0.1", server.port), 10)
    with await deferToThread(context.wrap_socket, plain, server_hostname="localhost") as old:
        authority.issue("localhost", days=90, is_rsa=True, file=file)
        with capturedLogs() as lines:
            server.security.reload()

        def talk() -> bytes:
            old.sendall(b"still here")
            return old.recv(100)

        assert await deferToThread(talk) == b"STILL HERE"
    after = await deferToThread(conversation, server.port, context)
    assert after["serial"] != before["serial"]
    assert [line["log_level"] for line in lines] == [LogLevel.info]
    assert lines[0]["file"] == str(file)


@pytest.mark.parametrize("content", ["", "-----BEGIN CERTIFICATE-----\nAAAA\n", None])
@ensureDeferred
async def test_a_bad_new_file_keeps_the_old_one(
    authority: Authority, serve: Serve, tmp_path: Path, content: str | None
) -> None:
    file = authority.issue("localhost", file=tmp_path / "server.pem")
    server = await serve(file)
    context = trusting(authority)
    before = await deferToThread(conversation, server.port, context)
    file.unlink()
    if content is not None:
        file.write_text(content)

    with capturedLogs() as lines:
        server.security.reload()

    after = await deferToThread(conversation, server.port, context)
    assert after["serial"] == before["serial"]
    assert [line["log_level"] for line in lines] == [LogLevel.error]
    assert lines[0]["problem"].startswith(f"[http] certificate: {file} ")
