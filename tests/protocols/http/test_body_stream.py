"""Bodies that are taken while they arrive, and answers that are sent while they are made."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Awaitable, Callable
from hashlib import sha256
from http import HTTPStatus

import pytest
import pytest_twisted
from attrs import define, field
from pytest_twisted import ensureDeferred
from twisted.internet import reactor
from twisted.internet.defer import CancelledError
from twisted.internet.task import deferLater
from zope.interface import implementer

from stacksync.errors import DamagedContent, IncompleteBody, QuotaExceeded
from stacksync.interfaces import IByteStream
from stacksync.protocols.http import channel
from stacksync.protocols.http.answer import Answer, StreamedAnswer, json_answer
from stacksync.protocols.http.body_stream import BUFFER, BodyStream
from stacksync.protocols.http.request import ApiRequest
from stacksync.protocols.http.resource import JSONResource
from stacksync.protocols.http.site import ApiSite
from stacksync.streams import PIECE, BytesStream
from tests.protocols.http.client import Client, Conversation, Patience, eventually
from tests.protocols.http.conftest import StartSite
from tests.protocols.http.engines import MadeUpEngine

MIB = 1024**2


@implementer(IByteStream)
@define
class MadeUpStream:
    """Gives the pieces that a test has prepared; one may be an error."""

    pieces: list[bytes | Exception]
    closed: bool = False

    async def read(self) -> bytes:
        if not self.pieces:
            return b""
        piece = self.pieces.pop(0)
        if isinstance(piece, Exception):
            raise piece
        return piece

    async def close(self) -> None:
        self.closed = True


class Endless(MadeUpStream):
    """A stream that counts how much was asked of it."""

    given = 0

    async def read(self) -> bytes:
        self.given += PIECE
        return b"x" * PIECE


@define(slots=False)
class Sink:
    """``POST`` takes a body as the test lets it; ``GET`` answers with a stream."""

    patience: Patience | None = None
    refuses: Exception | None = None
    gives: StreamedAnswer | None = None
    taken: int = 0
    ended: Exception | None = None
    seen: list[ApiRequest] = field(factory=list)

    async def take(self, request: ApiRequest) -> Answer:
        self.seen.append(request)
        if self.refuses is not None:
            raise self.refuses
        digest = sha256()
        try:
            while piece := await request.body.read():
                self.taken += len(piece)
                digest.update(piece)
                if self.patience is not None:
                    await self.patience.wait()
        except (CancelledError, IncompleteBody) as error:
            self.ended = error
            raise
        return json_answer({"sha256": digest.hexdigest(), "length": request.body_length})

    async def give(self, request: ApiRequest) -> StreamedAnswer:
        assert self.gives is not None
        return self.gives


class SinkResource(JSONResource):
    streamed_methods = frozenset({b"POST"})

    def __init__(self, sink: Sink) -> None:
        super().__init__({b"POST": sink.take, b"GET": sink.give})


StartSink = Callable[..., Awaitable[tuple[ApiSite, Client]]]


@pytest_twisted.async_yield_fixture
async def start_sink(start_site: StartSite) -> AsyncIterator[StartSink]:
    async def start(sink: Sink, **settings: object) -> tuple[ApiSite, Client]:
        site, client = await start_site(MadeUpEngine(), **settings)
        site.resource.putChild(b"sink", SinkResource(sink))
        return site, client

    yield start


async def posting(client: Client, more: str) -> Conversation:
    connection = await client.raw()
    connection.send(f"POST /sink HTTP/1.1\r\nHost: x\r\n{more}\r\n")
    return connection


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
    assert not any(reader is open_channel.transport for reader in reactor.getReaders())
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
    site, client = await start_sink(Sink(refuses=QuotaExceeded("no room")))

    answer = await client.post("/sink", body=b"x" * 16 * MIB)

    assert answer.code == HTTPStatus.REQUEST_ENTITY_TOO_LARGE
    await eventually(lambda: not site.channels)


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
async def test_a_client_that_stalls_is_told_so(
    start_sink: StartSink, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(channel, "LINGER_SECONDS", 0.05)
    sink = Sink()
    site, client = await start_sink(sink, request_timeout=0.3)
    connection = await posting(client, "Content-Length: 10\r\n")
    connection.send(b"01234")

    answer = await connection.until_closed()

    assert answer.startswith(b"HTTP/1.1 408 ")
    assert b"the body stopped coming before its end" in answer
    await eventually(lambda: not site.channels)


@ensureDeferred
async def test_a_slow_body_may_take_longer_than_an_answer(start_sink: StartSink) -> None:
    _, client = await start_sink(Sink(), request_timeout=0.4)
    connection = await posting(client, f"Content-Length: {8 * channel.PROGRESS}\r\n")
    for _ in range(8):
        connection.send(b"x" * channel.PROGRESS)
        await deferLater(reactor, 0.1)

    assert b"200 OK" in await connection.until(b"}")


@ensureDeferred
async def test_who_does_not_send_the_rest_of_a_refused_body_is_cut_off(
    start_sink: StartSink,
) -> None:
    sink = Sink(refuses=QuotaExceeded("no room"))
    site, client = await start_sink(sink, request_timeout=0.2)
    connection = await posting(client, "Content-Length: 10\r\n")
    connection.send(b"0")
    assert (await connection.until(b"}")).startswith(b"HTTP/1.1 413 ")

    assert await connection.until_closed() == b""
    await eventually(lambda: not site.channels)


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
    site, client = await start_sink(Sink(gives=StreamedAnswer(stream, 2**40)), request_timeout=0.2)
    connection = await client.raw()
    connection.transport.pauseProducing()
    connection.send("GET /sink HTTP/1.1\r\nHost: x\r\n\r\n")

    await eventually(lambda: stream.given)
    await eventually(lambda: stream.closed)

    assert not site.channels
    connection.hang_up()
