"""Connections: bodies that are too large, clients that are too slow, requests that are none."""

from __future__ import annotations

import time
from typing import Any

import pytest
from pytest_twisted import ensureDeferred
from twisted.internet import reactor
from twisted.internet.error import ConnectionDone
from twisted.internet.task import Clock, deferLater
from twisted.internet.testing import StringTransport
from twisted.python.failure import Failure

from stacksync.config import HttpConfig
from stacksync.protocols.http.edge import channel
from stacksync.protocols.http.site import make_site
from tests.protocols.http.client import Client, Conversation, Patience, eventually
from tests.protocols.http.conftest import StartSite
from tests.protocols.http.engines import ANNA, AnybodyIsAnna, MadeUpEngine, Noun, returning

POST = "POST /api/devices HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"


async def posting(client: Client, more: str) -> Conversation:
    """A connection on which the head of a POST was sent."""
    connection = await client.raw()
    connection.send(POST + client.authorization_line + more + "\r\n")
    return connection


async def assert_serves(client: Client) -> None:
    assert (await client.get("/healthz")).code == 200


@ensureDeferred
async def test_a_body_that_says_it_is_too_large_is_refused_before_it_is_sent(
    start_site: StartSite,
) -> None:
    _, client = await start_site(MadeUpEngine(), max_body=10_000)
    connection = await posting(client, "Content-Length: 10001\r\nExpect: 100-continue\r\n")

    answer = await connection.until(b"}")

    assert answer.startswith(b"HTTP/1.1 413 ")
    assert b"\r\nConnection: close\r\n" in answer
    assert b'"a body may have 10000 bytes at most"' in answer
    connection.hang_up()
    await assert_serves(client)


@ensureDeferred
async def test_a_body_of_16_mib_gets_its_answer_though_it_is_sent_regardless(
    start_site: StartSite,
) -> None:
    # However long it takes to send it here.
    site, client = await start_site(MadeUpEngine(), clock=Clock())

    answer = await client.post("/api/devices", body=b"x" * 16 * 1024**2)

    assert answer.code == 413
    await eventually(lambda: not site.channels)
    await assert_serves(client)


@ensureDeferred
async def test_a_chunked_body_is_refused_as_soon_as_it_is_too_large(
    start_site: StartSite,
) -> None:
    site, client = await start_site(MadeUpEngine(), max_body=100_000)
    connection = await posting(client, "Transfer-Encoding: chunked\r\n")
    sent = 0
    while not connection.received and sent < 50 * 1024**2:
        connection.send(b"8000\r\n" + b"x" * 0x8000 + b"\r\n")
        sent += 0x8000
        await deferLater(reactor, 0)

    answer = await connection.until(b"}")
    assert answer.startswith(b"HTTP/1.1 413 ")
    connection.hang_up()
    await eventually(lambda: not site.channels)
    await assert_serves(client)


@ensureDeferred
async def test_a_chunked_body_that_is_too_large_in_one_piece_with_its_end_is_refused_once(
    start_site: StartSite,
) -> None:
    site, client = await start_site(MadeUpEngine(), max_body=5000)
    connection = await client.raw()
    chunks = b"1000\r\n" + b"x" * 0x1000 + b"\r\n"
    connection.send(
        (POST + client.authorization_line + "Transfer-Encoding: chunked\r\n\r\n").encode()
        + chunks * 4
        + b"0\r\n\r\n"
        + b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"
    )

    answer = await connection.until(b"}")
    await deferLater(reactor, 0.05)

    assert answer.startswith(b"HTTP/1.1 413 ")
    assert not connection.received
    connection.hang_up()
    await eventually(lambda: not site.channels)


@pytest.mark.parametrize("chunked", [False, True])
@ensureDeferred
async def test_a_body_of_just_the_size_is_read(start_site: StartSite, chunked: bool) -> None:
    devices = Noun(register=returning(None))
    _, client = await start_site(MadeUpEngine(devices=devices), max_body=20_000)
    body = b'{"name":' + b" " * (20_000 - 11) + b"3}"
    length = "Transfer-Encoding: chunked\r\n" if chunked else f"Content-Length: {len(body) + 1}\r\n"
    connection = await posting(client, length)
    connection.send(b"4e20\r\n " + body + b"\r\n0\r\n\r\n" if chunked else b" " + body)

    assert b'"name: must be a string"' in await connection.until(b'string"')


@ensureDeferred
async def test_who_goes_on_sending_is_cut_off_after_a_while(
    start_site: StartSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(channel, "LINGER_SECONDS", 0.05)
    site, client = await start_site(MadeUpEngine(), max_body=10_000)
    await posting(client, "Content-Length: 10001\r\n")

    await eventually(lambda: not site.channels)


@ensureDeferred
async def test_who_goes_on_sending_megabytes_is_cut_off_after_some(
    start_site: StartSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(channel, "LINGER_BYTES", 1024**2)
    monkeypatch.setattr(channel, "LINGER_SECONDS", 60)
    site, client = await start_site(MadeUpEngine(), max_body=10_000)
    connection = await posting(client, f"Content-Length: {10**9}\r\n")
    for _ in range(200):
        connection.send(b"x" * 2**16)
        await deferLater(reactor, 0)
        if not site.channels:
            break

    await eventually(lambda: not site.channels)


@pytest.mark.parametrize(
    "begun",
    [
        "",
        "GET",
        "GET /healthz HTTP/1.1\r\nHost: x\r\nX-Slow: ",
    ],
)
@ensureDeferred
async def test_a_client_that_sends_byte_by_byte_is_not_waited_for(
    start_site: StartSite, begun: str
) -> None:
    site, client = await start_site(MadeUpEngine(), request_timeout=0.2)
    connection = await client.raw()
    connection.send(begun)
    began = time.monotonic()
    while not connection.closed and not connection.received:
        assert time.monotonic() - began < 10
        connection.send("x")
        await deferLater(reactor, 0.01)

    assert b" 200 " not in connection.received
    connection.hang_up()
    await eventually(lambda: not site.channels)


@ensureDeferred
async def test_a_body_that_does_not_come_is_told_that_it_took_too_long(
    start_site: StartSite,
) -> None:
    clock = Clock()
    site, client = await start_site(MadeUpEngine(), clock=clock, request_timeout=60)
    connection = await posting(client, "Content-Length: 100\r\n")
    await eventually(lambda: any(each.requests for each in site.channels))

    clock.advance(61)

    assert (await connection.until(b"}")).startswith(b"HTTP/1.1 408 ")
    connection.hang_up()


@ensureDeferred
async def test_an_idle_connection_is_closed(start_site: StartSite) -> None:
    clock = Clock()
    _, client = await start_site(MadeUpEngine(), clock=clock, request_timeout=60)
    connection = await client.raw()
    connection.send("GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
    assert (await connection.until(b"}")).startswith(b"HTTP/1.1 200 ")

    clock.advance(61)

    assert await connection.until_closed() == b""


@pytest.mark.parametrize(
    "request_line",
    [
        "nonsense",
        "GET  /healthz HTTP/1.1",
        "GET /healthz HTTP/9.9",
        "GET /healthz HTTP/1.1\r\nno colon",
        "GET /healthz HTTP/1.1\r\nContent-Length: -1",
        "GET /healthz HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2",
        "GET /healthz HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked",
        "GET /healthz HTTP/1.1\r\nTransfer-Encoding: gzip",
        "GET /healthz HTTP/1.1\r\nX-NUL: a\0b",
        "POST /healthz HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nnonsense",
    ],
)
@ensureDeferred
async def test_what_is_no_http_is_a_bad_request(start_site: StartSite, request_line: str) -> None:
    _, client = await start_site(MadeUpEngine())
    connection = await client.raw()
    connection.send(request_line + "\r\n\r\n")

    assert (await connection.until_closed()).startswith(b"HTTP/1.1 400 ")
    await assert_serves(client)


@ensureDeferred
async def test_who_neither_speaks_http_nor_hears_the_answer_is_cut_off(
    start_site: StartSite,
) -> None:
    site, client = await start_site(MadeUpEngine(), request_timeout=0.1)
    connection = await client.raw()
    connection.transport.pauseProducing()
    connection.send("nonsense\r\n\r\n")

    await eventually(lambda: not site.channels)


@ensureDeferred
async def test_the_connection_is_kept_for_the_next_request(start_site: StartSite) -> None:
    site, client = await start_site(MadeUpEngine(devices=Noun(list=returning(()))))
    connection = await client.raw()
    for _ in range(3):
        connection.send(f"GET /api/devices HTTP/1.1\r\nHost: x\r\n{client.authorization_line}\r\n")
        assert (await connection.until(b"}")).startswith(b"HTTP/1.1 200 ")

    assert len(site.channels) == 1
    assert str(ANNA) not in str(connection.received)


def test_a_request_that_takes_long_does_not_end_the_connection_nor_its_timeout() -> None:
    clock: Any = Clock()
    patience = Patience()

    async def find(*_: Any) -> Any:
        await patience.wait()
        return ()

    engine: Any = MadeUpEngine(devices=Noun(list=find))
    site = make_site(clock, engine, AnybodyIsAnna(), [], HttpConfig(request_timeout=60))
    connection = site.buildProtocol(None)
    transport: Any = StringTransport()
    connection.makeConnection(transport)
    asked = f"GET /api/devices HTTP/1.1\r\n{Client(0, ('anna', 'x')).authorization_line}\r\n"
    for _ in range(3):
        connection.dataReceived(asked.encode())
        clock.advance(61)
        assert not transport.disconnecting
        patience.go_on()
        assert transport.value().startswith(b"HTTP/1.1 200 ")
        transport.clear()
        clock.advance(59)
    assert not transport.disconnecting

    clock.advance(2)

    assert transport.disconnecting
    connection.connectionLost(Failure(ConnectionDone()))
    assert not clock.getDelayedCalls()
