"""Byte streams that hold what they give: a piece of memory, several streams, a counted one.

Pure: no files, no sockets, no Twisted.
"""

from __future__ import annotations

from zope.interface import implementer

from stacksync.errors import TooLarge
from stacksync.interfaces import IByteStream

PIECE = 1024 * 1024
"""The most bytes that one :meth:`~stacksync.interfaces.IByteStream.read` gives."""


@implementer(IByteStream)
class BytesStream:
    """The bytes that are at hand already."""

    def __init__(self, content: bytes) -> None:
        self._content = content
        self._given = 0

    async def read(self) -> bytes:
        # What fits into one piece, as nearly all chunks do, is not copied.
        piece = self._content[self._given : self._given + PIECE]
        self._given += len(piece)
        return piece

    async def close(self) -> None:
        self._content = b""


async def read_all(stream: IByteStream, limit: int) -> bytes:
    """Everything that a stream gives, which is closed then.

    :param limit: the most bytes to take; a longer stream raises
        :class:`~stacksync.errors.TooLarge`.
    """
    pieces = []
    size = 0
    try:
        while piece := await stream.read():
            size += len(piece)
            if size > limit:
                raise TooLarge(f"more than {limit} bytes")
            pieces.append(piece)
    finally:
        await stream.close()
    return b"".join(pieces)
