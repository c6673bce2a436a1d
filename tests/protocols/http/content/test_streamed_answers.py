"""Answers that are sent while they are made."""

from __future__ import annotations

import os
from http import HTTPStatus

import pytest
from pytest_twisted import ensureDeferred
from twisted.internet import reactor
from twisted.internet.task import Clock, deferLater

from stacksync.errors import DamagedContent
from stacksync.protocols.http.answer import StreamedAnswer
from stacksync.streams import BytesStream
from tests.protocols.http.client import eventually
from tests.protocols.http.sinks import (
    MIB,
    Endless,
    MadeUpStream,
    Sink,
    StartSink,
    start_sink,
)

__all__ = ["start_sink"]


@ensureDeferred
async def test_a_stream_is_sent_whole(start_sink: StartSink) -> None:
    content = os.urandom(3 * MIB + 5)
    _, client = await start_sink(Sink(gives=StreamedAnswer(BytesStream(content), len(content))))

    answer = await client.get("/sink")

    assert answer.code == HTTPStatus.OK
    assert answer.length == len(content)
    assert answer.body == content


@ensureDeferred
async def test_a_head_has_the_length_and_leaves_the_stream_alone(start_sink: StartSink) -> None:
    stream = MadeUpStream([AssertionError("read")])
    _, client = await start_sink(Sink(gives=StreamedAnswer(stream, 12345)))

    answer = await client.request("HEAD", "/sink")

    assert (answer.header("Content-Length"), answer.body) == ("12345", b"")
    assert stream.closed


@pytest.mark.parametrize(
    "pieces",
    [[b"half"], [b"half", DamagedContent("chunk 2 is missing")], [b"half", b"and too much"]],
    ids=["ends early", "fails", "goes on"],
)
@ensureDeferred
async def test_a_stream_that_is_not_what_it_should_be_drops_the_connection(
    start_sink: StartSink, pieces: list[bytes | Exception]
) -> None:
    stream = MadeUpStream(pieces)
    site, client = await start_sink(Sink(gives=StreamedAnswer(stream, 8)))
    connection = await client.raw()
    connection.send("GET /sink HTTP/1.1\r\nHost: x\r\n\r\n")

    answer = await connection.until_closed()

    assert len(answer.partition(b"\r\n\r\n")[2]) < 8
    assert stream.closed
    assert not site.in_flight


@ensureDeferred
async def test_a_slow_reader_holds_up_the_stream(start_sink: StartSink) -> None:
    stream = Endless([])
    _, client = await start_sink(Sink(gives=StreamedAnswer(stream, 2**40)))
    connection = await client.raw()
    connection.transport.pauseProducing()
    connection.send("GET /sink HTTP/1.1\r\nHost: x\r\n\r\n")
    await eventually(lambda: stream.given)
    given = -1
    while given != stream.given:
        given = stream.given
        await deferLater(reactor, 0.1)

    assert given < 32 * MIB
    connection.hang_up()
    await eventually(lambda: stream.closed)


@ensureDeferred
async def test_a_reader_that_takes_nothing_is_cut_off(start_sink: StartSink) -> None:
    stream = Endless([])
    clock = Clock()
    gives = StreamedAnswer(stream, 2**40)
    site, client = await start_sink(Sink(gives=gives), clock=clock, request_timeout=60)
    connection = await client.raw()
    connection.transport.pauseProducing()
    connection.send("GET /sink HTTP/1.1\r\nHost: x\r\n\r\n")

    await eventually(lambda: stream.given)

    clock.advance(61)

    await eventually(lambda: stream.closed)

    assert not site.channels
    connection.hang_up()
