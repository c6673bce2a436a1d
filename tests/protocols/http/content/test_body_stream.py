"""Bodies that are taken while they arrive."""

from __future__ import annotations

import os
from hashlib import sha256
from http import HTTPStatus

import pytest
from pytest_twisted import ensureDeferred
from twisted.internet import reactor
from twisted.internet.task import Clock, deferLater

from stacksync.errors import QuotaExceeded
from stacksync.protocols.http.content.body_stream import BUFFER, BodyStream
from stacksync.protocols.http.edge import channel
from tests.protocols.http.client import Patience, eventually
from tests.protocols.http.sinks import (
    MIB,
    Sink,
    StartSink,
    posting,
    start_sink,
)

__all__ = ["start_sink"]


@ensureDeferred
async def test_a_body_beyond_the_largest_of_others_is_taken_whole(start_sink: StartSink) -> None:
    _, client = await start_sink(Sink(), max_body=10_000)
    body = os.urandom(5 * MIB + 17)

    answer = await client.post("/sink", body=body)

    assert answer.json == {"sha256": sha256(body).hexdigest(), "length": len(body)}


@ensureDeferred
async def test_a_chunked_body_has_no_length_and_is_taken_whole(start_sink: StartSink) -> None:
    _, client = await start_sink(Sink())
    connection = await posting(client, "Transfer-Encoding: chunked\r\n")
    for piece in (b"alpha", b"beta", b"gamma"):
        connection.send(b"%x\r\n%b\r\n" % (len(piece), piece))
        await deferLater(reactor, 0)
    connection.send(b"0\r\n\r\n")

    answer = await connection.until(b"}")

    assert sha256(b"alphabetagamma").hexdigest().encode() in answer
    assert b'"length":null' in answer


@pytest.mark.parametrize("head", ["Content-Length: 0\r\n", ""])
@ensureDeferred
async def test_an_empty_body_is_empty(start_sink: StartSink, head: str) -> None:
    _, client = await start_sink(Sink())
    connection = await posting(client, head)

    assert sha256().hexdigest().encode() in await connection.until(b"}")


@ensureDeferred
async def test_the_connection_serves_the_next_request_after_a_streamed_one(
    start_sink: StartSink,
) -> None:
    _, client = await start_sink(Sink())
    connection = await posting(client, "Content-Length: 5\r\n")
    connection.send(
        b"helloPOST /sink HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nyes"
        b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"
    )

    assert sha256(b"hello").hexdigest().encode() in await connection.until(b"}")
    assert sha256(b"yes").hexdigest().encode() in await connection.until(b"}")
    assert b"200 OK" in await connection.until(b"}")


@ensureDeferred
async def test_a_client_that_is_faster_than_the_reader_is_made_to_wait(
    start_sink: StartSink,
) -> None:
    sink = Sink(patience=Patience())
    site, client = await start_sink(sink)
    connection = await posting(client, f"Content-Length: {64 * MIB}\r\n")
    connection.send(b"x" * 64 * MIB)
    await eventually(lambda: sink.seen)
    stream = sink.seen[0].body
    assert isinstance(stream, BodyStream)
    (open_channel,) = site.channels

    await eventually(lambda: stream._paused)

    assert stream.received < BUFFER + sink.taken + 2 * 65536
    assert id(open_channel.transport) not in map(id, reactor.getReaders())
    while sink.taken < 64 * MIB:
        sink.patience.go_on()
        await deferLater(reactor, 0)
    sink.patience.go_on()
    assert b"200 OK" in await connection.until(b"}")


@ensureDeferred
async def test_100_continue_is_said_when_the_body_is_wanted(start_sink: StartSink) -> None:
    _, client = await start_sink(Sink())
    connection = await posting(client, "Content-Length: 2\r\nExpect: 100-continue\r\n")

    assert await connection.until(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
    connection.send(b"ok")
    assert sha256(b"ok").hexdigest().encode() in await connection.until(b"}")


@ensureDeferred
async def test_a_refused_body_is_not_asked_for(start_sink: StartSink) -> None:
    _, client = await start_sink(Sink(refuses=QuotaExceeded("no room")))
    connection = await posting(client, "Content-Length: 2\r\nExpect: 100-continue\r\n")

    answer = await connection.until(b"}")

    assert answer.startswith(b"HTTP/1.1 413 ")
    assert b"\r\nConnection: close\r\n" in answer


@ensureDeferred
async def test_the_rest_of_a_short_refused_body_is_read_and_the_connection_goes_on(
    start_sink: StartSink,
) -> None:
    _, client = await start_sink(Sink(refuses=QuotaExceeded("no room")))
    connection = await posting(client, "Content-Length: 10\r\n")
    answer = await connection.until(b"}")
    assert answer.startswith(b"HTTP/1.1 413 ")
    assert b"Connection: close" not in answer

    connection.send(b"0123456789GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")

    assert b"200 OK" in await connection.until(b"}")


@ensureDeferred
async def test_a_refused_body_that_is_sent_regardless_gets_its_answer(
    start_sink: StartSink,
) -> None:
    # However long it takes to send it here.
    site, client = await start_sink(Sink(refuses=QuotaExceeded("no room")), clock=Clock())

    answer = await client.post("/sink", body=b"x" * 16 * MIB)

    assert answer.code == HTTPStatus.REQUEST_ENTITY_TOO_LARGE
    await eventually(lambda: not site.channels)


@ensureDeferred
async def test_a_client_that_had_to_wait_before_it_was_refused_is_not_kept_waiting(
    start_sink: StartSink,
) -> None:
    patience = Patience()
    sink = Sink(patience, refuses=QuotaExceeded("no room"))
    _, client = await start_sink(sink)
    size = BUFFER + 20_000
    connection = await posting(client, f"Content-Length: {size}\r\n")
    connection.send(b"x" * BUFFER)
    await eventually(lambda: sink.seen and sink.seen[0]._stream.received == BUFFER)
    connection.send(b"x" * 20_000 + b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")

    patience.go_on()

    assert b" 413 " in await connection.until(b"}")
    assert b"200 OK" in await connection.until(b"}")


@ensureDeferred
async def test_a_client_that_vanishes_ends_the_body_and_does_not_cancel(
    start_sink: StartSink,
) -> None:
    sink = Sink()
    _, client = await start_sink(sink)
    connection = await posting(client, "Content-Length: 10\r\n")
    connection.send(b"01234")
    await eventually(lambda: sink.taken == 5)

    connection.hang_up()

    await eventually(lambda: sink.ended is not None)
    assert str(sink.ended) == "the client hung up before the end of the body"


@ensureDeferred
async def test_a_client_that_stalls_is_told_so(start_sink: StartSink) -> None:
    sink, clock = Sink(), Clock()
    site, client = await start_sink(sink, clock=clock, request_timeout=60)
    connection = await posting(client, "Content-Length: 10\r\n")
    connection.send(b"01234")
    await eventually(lambda: sink.taken == 5)

    clock.advance(61)

    answer = await connection.until(b"}")
    assert answer.startswith(b"HTTP/1.1 408 ")
    assert b"the body stopped coming before its end" in answer
    clock.advance(channel.LINGER_SECONDS)
    assert await connection.until_closed() == b""
    await eventually(lambda: not site.channels)


@ensureDeferred
async def test_a_client_that_stalls_after_it_had_to_wait_is_told_so(
    start_sink: StartSink,
) -> None:
    patience, clock = Patience(), Clock()
    sink = Sink(patience)
    _, client = await start_sink(sink, clock=clock, request_timeout=60)
    connection = await posting(client, f"Content-Length: {MIB}\r\n")
    connection.send(b"x" * (MIB - 1))
    await eventually(lambda: sink.seen and sink.seen[0]._stream._paused)

    while sink.taken < MIB - 1:
        patience.go_on()
        await deferLater(reactor, 0)
    patience.go_on()
    clock.advance(61)

    assert (await connection.until(b"}")).startswith(b"HTTP/1.1 408 ")


@ensureDeferred
async def test_a_connection_that_had_to_wait_is_closed_when_it_is_idle(
    start_sink: StartSink,
) -> None:
    patience, clock = Patience(), Clock()
    sink = Sink(patience, refuses=QuotaExceeded("no room"))
    _, client = await start_sink(sink, clock=clock, request_timeout=60)
    connection = await posting(client, f"Content-Length: {BUFFER}\r\n")
    connection.send(b"x" * BUFFER)
    await eventually(lambda: sink.seen and sink.seen[0]._stream.complete)
    assert sink.seen[0]._stream._paused

    patience.go_on()

    assert b" 413 " in await connection.until(b"}")
    clock.advance(61)
    assert await connection.until_closed() == b""


@ensureDeferred
async def test_a_slow_body_may_take_longer_than_an_answer(start_sink: StartSink) -> None:
    sink, clock = Sink(), Clock()
    _, client = await start_sink(sink, clock=clock, request_timeout=60)
    connection = await posting(client, f"Content-Length: {8 * channel.PROGRESS}\r\n")
    for count in range(1, 9):
        connection.send(b"x" * channel.PROGRESS)
        await eventually(lambda count=count: sink.taken == count * channel.PROGRESS)
        clock.advance(40)

    assert b"200 OK" in await connection.until(b"}")


@ensureDeferred
async def test_who_does_not_send_the_rest_of_a_refused_body_is_cut_off(
    start_sink: StartSink,
) -> None:
    sink, clock = Sink(refuses=QuotaExceeded("no room")), Clock()
    site, client = await start_sink(sink, clock=clock, request_timeout=60)
    connection = await posting(client, "Content-Length: 10\r\n")
    connection.send(b"0")
    assert (await connection.until(b"}")).startswith(b"HTTP/1.1 413 ")

    clock.advance(61)

    assert await connection.until_closed() == b""
    await eventually(lambda: not site.channels)
