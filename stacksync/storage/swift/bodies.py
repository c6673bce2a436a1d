"""What is put: gathered as far as it can be sent again, measured as it goes."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from attrs import define, field
from zope.interface import implementer

from stacksync.interfaces import IByteStream
from stacksync.streams import PIECE

KEPT = 4 * PIECE
"""Bytes of a body that are kept to be sent again: more than any chunk of ours has."""


@define(eq=False)
class Measure:
    """Size and MD5 of what went by.  MD5 is what Swift's ETag is."""

    size: int = 0
    _digest: hashlib._Hash = field(init=False)

    def __attrs_post_init__(self) -> None:
        self._digest = hashlib.md5(usedforsecurity=False)

    def add(self, piece: bytes) -> None:
        self.size += len(piece)
        self._digest.update(piece)

    @property
    def etag(self) -> str:
        return self._digest.hexdigest()


@implementer(IByteStream)
@define(eq=False)
class Pieces:
    """The pieces that are at hand, and then what a stream gives, measured.

    :param measure: has measured the pieces already.
    """

    _pieces: Sequence[bytes]
    _rest: IByteStream | None = None
    _measure: Measure = field(factory=Measure)
    _given: int = 0

    async def read(self) -> bytes:
        if self._given < len(self._pieces):
            self._given += 1
            return self._pieces[self._given - 1]
        if self._rest is None:
            return b""
        # What has been sent need not be held any longer.
        self._pieces, self._given = (), 0
        piece = await self._rest.read()
        self._measure.add(piece)
        return piece

    async def close(self) -> None:
        self._pieces = ()


async def gather(body: IByteStream, measure: Measure) -> tuple[list[bytes], bool]:
    """What can be kept of a body, and whether that is all of it."""
    pieces: list[bytes] = []
    small = bytearray()
    while measure.size <= KEPT:
        piece = await body.read()
        measure.add(piece)
        if small and (not piece or len(small) + len(piece) > PIECE):
            pieces.append(bytes(small))
            small.clear()
        if not piece:
            return pieces, True
        if len(piece) >= PIECE:
            pieces.append(piece)
        else:
            # Thousands of pieces take more memory than what is in them.
            small += piece
    if small:
        pieces.append(bytes(small))
    return pieces, False
