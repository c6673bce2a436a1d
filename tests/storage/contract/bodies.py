"""Bodies that are put: in pieces, breaking off, waiting to be fed."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable

from attrs import define, field
from twisted.internet.defer import Deferred
from zope.interface import implementer

from stacksync.interfaces import IByteStream
from stacksync.streams import PIECE


@implementer(IByteStream)
class Pieces:
    """Gives these pieces and ends, or fails; refuses to be asked twice at a time."""

    def __init__(self, pieces: Iterable[bytes], failure: Exception | None = None) -> None:
        self._pieces = iter(pieces)
        self._failure = failure
        self._ended = False

    async def read(self) -> bytes:
        assert not self._ended, "read on after its end"
        piece = next(self._pieces, b"")
        if not piece:
            self._ended = True
            if self._failure is not None:
                raise self._failure
        return piece

    async def close(self) -> None:
        self._ended = True


@implementer(IByteStream)
@define(eq=False)
class Fed:
    """Gives what the test feeds it, when it does.

    :ivar asked: how many pieces have been asked for.
    """

    asked: int = 0
    _waiting: Deferred[bytes] | None = field(init=False, default=None)

    async def read(self) -> bytes:
        assert self._waiting is None, "asked twice at a time"
        self.asked += 1
        self._waiting = Deferred()
        return await self._waiting

    @property
    def is_awaited(self) -> bool:
        return self._waiting is not None

    def feed(self, piece: bytes) -> None:
        assert self._waiting is not None
        waiting, self._waiting = self._waiting, None
        waiting.callback(piece)

    async def close(self) -> None:
        pass


@implementer(IByteStream)
class LosingItsStore:
    """Gives five pieces; something happens to the store before the third."""

    def __init__(self, happen: Callable[[], Awaitable[None]]) -> None:
        self._happen = happen
        self._reads = 0

    async def read(self) -> bytes:
        self._reads += 1
        if self._reads == 3:
            await self._happen()
        return bytes(PIECE) if self._reads <= 5 else b""

    async def close(self) -> None:
        pass
