"""The body of a request that is taken piece by piece, while it arrives.

Who reads sets the pace: what the client sends ahead of that fills a bounded
buffer, and then the connection is not read any more.  Nothing here knows what
the body means.
"""

from __future__ import annotations

from collections import deque
from typing import Protocol

from twisted.internet.defer import Deferred
from zope.interface import implementer

from stacksync.interfaces import IByteStream
from stacksync.streams import PIECE

BUFFER = 256 * 1024
"""Bytes of a body that wait to be read before the client is made to wait."""


class BodySource(Protocol):
    """Where a body comes from."""

    def body_wanted(self) -> None:
        """Somebody waits for the body: let it come."""

    def body_pauses(self) -> None:
        """More than enough is there: let the client wait."""

    def body_resumes(self) -> None:
        """There is room again."""


@implementer(IByteStream)
class BodyStream:
    """A body on its way in.

    :ivar received: bytes that have arrived.
    :ivar complete: whether that is all of it.
    """

    def __init__(self, source: BodySource) -> None:
        self._source = source
        self._pieces: deque[bytes] = deque()
        self._buffered = 0
        self._paused = False
        self._dropped = False
        self._waiter: Deferred[None] | None = None
        self._failure: Exception | None = None
        self.received = 0
        self.complete = False

    async def read(self) -> bytes:
        """See :meth:`stacksync.interfaces.IByteStream.read`.

        :raises IncompleteBody: the client has gone, or has stopped sending.
        """
        if not self._pieces and not self.complete and self._failure is None:
            self._source.body_wanted()
            self._waiter = Deferred(self._forget)
            await self._waiter
        if self._pieces:
            return self._take()
        if self._failure is not None:
            raise self._failure
        return b""

    async def close(self) -> None:
        self.drop()

    def drop(self) -> None:
        """Nobody reads any more: what still comes is not kept, and the client need not wait."""
        self._dropped = True
        self._pieces.clear()
        self._buffered = 0
        self._resume()

    def feed(self, data: bytes) -> None:
        """A piece has arrived."""
        self.received += len(data)
        if self._dropped:
            return
        self._pieces.append(data)
        self._buffered += len(data)
        if self._buffered >= BUFFER and not self._paused:
            self._paused = True
            self._source.body_pauses()
        self._wake()

    def end(self) -> None:
        """All of it has arrived."""
        self.complete = True
        self._wake()

    def fail(self, error: Exception) -> None:
        """No more will arrive; what has can still be read."""
        if not self.complete and self._failure is None:
            self._failure = error
            self._wake()

    @property
    def has_failed(self) -> bool:
        return self._failure is not None

    def _take(self) -> bytes:
        size = 0
        pieces: list[bytes] = []
        while self._pieces and (not pieces or size + len(self._pieces[0]) <= PIECE):
            piece = self._pieces.popleft()
            size += len(piece)
            pieces.append(piece)
        self._buffered -= size
        self._resume()
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def _resume(self) -> None:
        if self._paused and self._buffered < BUFFER:
            self._paused = False
            self._source.body_resumes()

    def _wake(self) -> None:
        waiter, self._waiter = self._waiter, None
        if waiter is not None:
            waiter.callback(None)

    def _forget(self, waiter: Deferred[None]) -> None:
        self._waiter = None
