"""The head of a request: how large it may be, and how long it may take."""

from __future__ import annotations

import json
import time

import pytest
from pytest_twisted import ensureDeferred
from twisted.internet import reactor
from twisted.internet.task import Clock, deferLater

from stacksync.protocols.http.edge.channel import FIELDS_BYTES, FIELDS_MAX, LINE_BYTES
from tests.protocols.http.client import Conversation, eventually
from tests.protocols.http.conftest import StartSite
from tests.protocols.http.engines import MadeUpEngine, Noun, returning

LINE = "GET /healthz HTTP/1.1\r\n"
SHORT = 0.15
"""Seconds of a time limit that a test waits for."""


def engine() -> MadeUpEngine:
    return MadeUpEngine(devices=Noun(list=returning(()), register=returning(None)))


async def drip(connection: Conversation, pause: float = 0.01) -> None:
    """Send byte by byte until the server has enough of it, sooner than it would by default."""
    began = time.monotonic()
    while not connection.closed and not connection.received:
        assert time.monotonic() - began < 15
        connection.send("x")
        await deferLater(reactor, pause)


@pytest.mark.parametrize(
    ("head", "code", "problem"),
    [
        ("GET /" + "x" * LINE_BYTES, 414, "a request line of more than"),
        ("GET /" + "x" * LINE_BYTES + " HTTP/1.1\r\n", 414, "a request line of more than"),
        (LINE + "X: " + "x" * LINE_BYTES, 431, "a header field of more than"),
        (LINE + "X: " + "x" * LINE_BYTES + "\r\n\r\n", 431, "a header field of more than"),
        (LINE + "X: a" + ("\r\n " + "x" * 9000) * 2 + "\r\n\r\n", 431, "a header field of more"),
        (LINE + "X: a\r\n" * (FIELDS_MAX + 1), 431, f"more than {FIELDS_MAX} header fields"),
        (LINE + ("X: " + "x" * 1000 + "\r\n") * 33, 431, f"{FIELDS_BYTES} bytes together"),
    ],
)
@ensureDeferred
async def test_a_head_that_is_too_large_is_refused_with_what_is(
    start_site: StartSite, head: str, code: int, problem: str
) -> None:
    site, client = await start_site(engine())
    connection = await client.raw()
    # What follows is not taken for a request any more.
    connection.send(head + "\r\n\r\nGET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")

    answer = await connection.until(b"}")

    told, _, body = answer.partition(b"\r\n\r\n")
    assert told.startswith(b"HTTP/1.1 %d " % code)
    assert b"\r\nConnection: close\r\n" in told
    assert b"\r\nContent-Length: %d" % len(body) in told
    assert json.loads(body)["error"] == code
    assert problem in json.loads(body)["description"]
    await deferLater(reactor, 0.02)
    assert not connection.received
    connection.hang_up()
    await eventually(lambda: not site.channels)
    assert (await client.get("/healthz")).code == 200


@pytest.mark.parametrize(
    "head",
    [
        "GET /healthz?" + "x" * (LINE_BYTES - 30) + " HTTP/1.1\r\nHost: x\r\n\r\n",
        LINE + "X: " + "x" * (LINE_BYTES - 3) + "\r\n\r\n",
        LINE + "X: a\r\n" * FIELDS_MAX + "\r\n",
        (LINE + ("X: " + "x" * 1000 + "\r\n") * 32 + "\r\n") * 3,
    ],
)
@ensureDeferred
async def test_a_large_head_within_the_bounds_is_read(start_site: StartSite, head: str) -> None:
    _, client = await start_site(engine())
    connection = await client.raw()
    connection.send(head)

    for _ in range(head.count("HTTP/1.1")):
        assert (await connection.until(b"}")).startswith(b"HTTP/1.1 200 ")


@pytest.mark.parametrize("begun", ["G", "GET /healthz", LINE, LINE + "Host: x\r\nX-Slow: "])
@ensureDeferred
async def test_a_head_that_drips_in_is_not_waited_for(start_site: StartSite, begun: str) -> None:
    site, client = await start_site(engine(), header_timeout=SHORT)
    connection = await client.raw()
    connection.send(begun)

    await drip(connection)

    assert b" 200 " not in connection.received
    connection.hang_up()
    await eventually(lambda: not site.channels)


@ensureDeferred
async def test_the_next_head_on_a_connection_is_not_waited_for_longer(
    start_site: StartSite,
) -> None:
    site, client = await start_site(engine(), header_timeout=SHORT)
    connection = await client.raw()
    connection.send(LINE + "\r\nGET /heal")
    assert (await connection.until(b"}")).startswith(b"HTTP/1.1 200 ")

    await connection.until_closed()
    await eventually(lambda: not site.channels)


@ensureDeferred
async def test_large_pieces_of_a_head_win_no_time(start_site: StartSite) -> None:
    _, client = await start_site(engine(), header_timeout=SHORT)
    connection = await client.raw()
    connection.send(LINE)
    sent = 0
    while not connection.received and not connection.closed:
        sent += 1
        assert sent < FIELDS_MAX
        connection.send("X: " + "x" * 200 + "\r\n")
        await deferLater(reactor, 0.03)

    connection.hang_up()


@ensureDeferred
async def test_who_is_idle_between_requests_has_longer_than_for_a_head(
    start_site: StartSite,
) -> None:
    _, client = await start_site(engine(), header_timeout=0.05)
    connection = await client.raw()
    await deferLater(reactor, 0.15)
    for _ in range(2):
        connection.send(LINE + "\r\n")
        assert (await connection.until(b"}")).startswith(b"HTTP/1.1 200 ")
        await deferLater(reactor, 0.15)

    assert not connection.closed


@ensureDeferred
async def test_a_body_may_take_longer_than_a_head(start_site: StartSite) -> None:
    clock = Clock()
    site, client = await start_site(engine(), clock=clock, header_timeout=10, request_timeout=60)
    connection = await client.raw()
    head = f"POST /api/devices HTTP/1.1\r\nHost: x\r\n{client.authorization_line}"
    connection.send(head[:20])
    await eventually(lambda: any(each._head_is_timed for each in site.channels))
    (channel,) = site.channels
    clock.advance(9)
    connection.send(head[20:] + "Content-Type: application/json\r\nContent-Length: 9\r\n\r\n")
    await eventually(lambda: not channel._head_is_timed)
    for byte in b'{"name":3':
        clock.advance(5)
        connection.send(bytes((byte,)))

    assert (await connection.until(b"}")).startswith(b"HTTP/1.1 400 ")
    # And the time for an idle connection is what it was.
    clock.advance(59)
    connection.send(LINE + "\r\n")
    assert (await connection.until(b"}")).startswith(b"HTTP/1.1 200 ")


@ensureDeferred
async def test_who_wants_no_more_and_does_not_read_the_answer_is_cut_off(
    start_site: StartSite,
) -> None:
    large = Noun(list=returning(()), text=returning(b"x" * 30 * 1024**2))
    clock = Clock()
    site, client = await start_site(MadeUpEngine(metrics=large), clock=clock, request_timeout=60)
    connection = await client.raw()
    connection.transport.pauseProducing()
    connection.send("GET /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    await eventually(lambda: site.in_flight)

    clock.advance(61)

    await eventually(lambda: not site.channels)


@ensureDeferred
async def test_who_closes_with_the_last_bytes_of_an_answer_unread_is_cut_off(
    start_site: StartSite,
) -> None:
    clock = Clock()
    site, client = await start_site(engine(), clock=clock, request_timeout=60)
    connection = await client.raw()
    connection.transport.pauseProducing()
    await eventually(lambda: site.channels)
    (channel,) = site.channels
    channel.write(b"x" * 30 * 1024**2)

    connection.send("GET /healthz HTTP/1.0\r\n\r\n")
    # It is asked to close first, and that is not waited for for ever either.
    for _ in range(2):
        clock.advance(61)

    await eventually(lambda: not site.channels)
