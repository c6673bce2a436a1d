"""An answer on its way out: code, headers, body, written at the client's pace.

Every answer of the API is JSON and must not be cached.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson
from attrs import define, frozen
from twisted.internet.interfaces import IPushProducer
from zope.interface import implementer

if TYPE_CHECKING:
    from collections.abc import Callable

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
