"""An answer on its way out: code, headers, body, written at the client's pace.

What is not a file's content is JSON, and must not be cached.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson
from attrs import define, frozen
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IPushProducer
from zope.interface import implementer

from stacksync.errors import DamagedContent

if TYPE_CHECKING:
    from collections.abc import Callable

    from stacksync.interfaces import IByteStream
    from stacksync.protocols.http.request import ApiRequest

Headers = tuple[tuple[bytes, bytes], ...]

PIECE = 128 * 1024


@frozen
class Answer:
    """A whole answer.

    :ivar body: JSON, UTF-8.
    """

    body: bytes
    code: int = 200
    headers: Headers = ()


def json_answer(value: Any, code: int = 200, headers: Headers = ()) -> Answer:
    """An answer from what orjson can encode."""
    return Answer(orjson.dumps(value), code, headers)


@frozen
class StreamedAnswer:
    """An answer whose body comes from a stream.

    :ivar stream: ``None`` where there is no body to send (``HEAD``, 304).
    :ivar length: bytes of the body, which the stream must give exactly.
    """

    stream: IByteStream | None
    length: int
    code: int = 200
    headers: Headers = ()


@implementer(IPushProducer)
@define(eq=False)
class PacedBody:
    """Writes a large body piece by piece, so that a slow client costs one piece of buffer.

    :param progressed: called with each piece that the client made room for.
    """

    _request: ApiRequest
    _body: bytes
    _progressed: Callable[[ApiRequest], None]
    _written: int = 0
    _paused: bool = True

    def resumeProducing(self) -> None:
        self._paused = False
        while not self._paused and self._written < len(self._body):
            piece = self._body[self._written : self._written + PIECE]
            self._written += len(piece)
            self._progressed(self._request)
            self._request.write(piece)
        if not self._paused and self._written >= len(self._body):
            self._paused = True
            self._request.unregisterProducer()
            self._request.finish()

    def pauseProducing(self) -> None:
        self._paused = True

    def stopProducing(self) -> None:
        self._paused = True
        self._body = b""


@implementer(IPushProducer)
@define(eq=False)
class StreamPump:
    """Writes what a stream gives, and asks it for more when the client has room.

    :param progressed: called with each piece that the client made room for.
    """

    _request: ApiRequest
    _progressed: Callable[[ApiRequest], None]
    _paused: bool = False
    _room: Deferred[None] | None = None

    async def send(self, answer: StreamedAnswer) -> None:
        """Send the whole stream.

        :raises DamagedContent: it is longer or shorter than it should be.
        """
        assert answer.stream is not None
        self._request.registerProducer(self, True)
        left = answer.length
        while content := await answer.stream.read():
            left -= len(content)
            if left < 0:
                break
            for start in range(0, len(content), PIECE):
                await self._write(content[start : start + PIECE])
        if left:
            raise DamagedContent(f"{answer.length - left} bytes instead of {answer.length}")
        self._request.unregisterProducer()

    async def _write(self, piece: bytes) -> None:
        while self._paused:
            self._room = Deferred()
            await self._room
        self._progressed(self._request)
        self._request.write(piece)

    def resumeProducing(self) -> None:
        self._paused = False
        room, self._room = self._room, None
        if room is not None:
            room.callback(None)

    def pauseProducing(self) -> None:
        self._paused = True

    def stopProducing(self) -> None:
        self._paused = True
