"""A resource that takes a body as a test lets it, and answers with the stream of a test."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from hashlib import sha256

import pytest_twisted
from attrs import define, field
from twisted.internet.defer import CancelledError
from zope.interface import implementer

from stacksync.errors import IncompleteBody
from stacksync.interfaces import IByteStream
from stacksync.protocols.http.answer import Answer, StreamedAnswer, json_answer
from stacksync.protocols.http.request import ApiRequest
from stacksync.protocols.http.resource import JSONResource
from stacksync.protocols.http.site import ApiSite
from stacksync.streams import PIECE
from tests.protocols.http.client import Client, Conversation, Patience
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
            if self.patience is not None:
                await self.patience.wait()
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
