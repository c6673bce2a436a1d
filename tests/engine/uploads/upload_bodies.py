"""Bodies that do what a network does: break off, and come when they like."""

from __future__ import annotations

from twisted.internet.defer import Deferred
from zope.interface import implementer

from stacksync.errors import IncompleteBody
from stacksync.interfaces import IByteStream

PIECE = 64 * 1024


@implementer(IByteStream)
class BrokenBody:
    """Gives its content, and then fails."""

    def __init__(self, content: bytes) -> None:
        self._rest = content

    async def read(self) -> bytes:
        piece, self._rest = self._rest[:PIECE], self._rest[PIECE:]
        if not piece:
            raise IncompleteBody("the client hung up before the end of the body")
        return piece

    async def close(self) -> None:
        self._rest = b""


@implementer(IByteStream)
class SlowBody:
    """Gives of its content what the test lets through.

    :ivar waiting: whether somebody waits for more.
    """

    def __init__(self, content: bytes) -> None:
        self._content = content
        self._given = 0
        self._let = 0
        self._more: Deferred[None] | None = None

    @property
    def waiting(self) -> bool:
        return self._more is not None

    def let(self, size: int) -> None:
        """Let so many bytes through in all; as many as there are: the end too."""
        self._let = min(size, len(self._content))
        more, self._more = self._more, None
        if more is not None:
            more.callback(None)

    async def read(self) -> bytes:
        while self._given == self._let < len(self._content):
            self._more = Deferred()
            await self._more
        piece = self._content[self._given : min(self._given + PIECE, self._let)]
        self._given += len(piece)
        return piece

    async def close(self) -> None:
        self._given = self._let = len(self._content)
