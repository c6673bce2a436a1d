"""The body of one piece of an upload: taken in portions, counted, compared with its checksum.

A body that breaks off just ends here, so that who reads it can keep what came
whole; how it ended is asked afterwards.  Nothing is kept or committed here.
"""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Callable
from typing import Protocol

from attrs import frozen
from zope.interface import implementer

from stacksync.errors import ChecksumMismatch, InvalidRequest, StackSyncError, TooLarge
from stacksync.interfaces import IByteStream


class Hash(Protocol):
    """What computes a checksum, like the objects of ``hashlib``."""

    def update(self, data: bytes, /) -> None: ...

    def digest(self) -> bytes: ...


class Crc32:
    """CRC-32 (RFC 1952 §8), told as four bytes, the highest first."""

    def __init__(self) -> None:
        self._value = 0

    def update(self, data: bytes, /) -> None:
        self._value = zlib.crc32(data, self._value)

    def digest(self) -> bytes:
        return self._value.to_bytes(4, "big")


HASHES: dict[str, Callable[[], Hash]] = {
    "sha1": lambda: hashlib.sha1(usedforsecurity=False),
    "sha256": hashlib.sha256,
    "md5": lambda: hashlib.md5(usedforsecurity=False),
    "crc32": Crc32,
}
"""The algorithms of checksums by their names in tus."""


@frozen
class Checksum:
    """What the sender says that a piece's checksum is."""

    algorithm: str
    digest: bytes

    def __attrs_post_init__(self) -> None:
        if self.algorithm not in HASHES:
            raise InvalidRequest(
                "Upload-Checksum", f"the algorithm is one of {', '.join(sorted(HASHES))}"
            )
        length = len(HASHES[self.algorithm]().digest())
        if len(self.digest) != length:
            raise InvalidRequest(
                "Upload-Checksum", f"{self.algorithm} has {length} bytes, not {len(self.digest)}"
            )


@implementer(IByteStream)
class UploadBody:
    """A body that ends after each portion, until it is at its end or has failed.

    :param room: the most bytes that it may have.
    :ivar received: bytes that were given on.
    :ivar ended: whether there is nothing more to come.
    """

    def __init__(self, body: IByteStream, room: int, checksum: Checksum | None = None) -> None:
        self._body = body
        self._room = room
        self._checksum = checksum
        self._hash = HASHES[checksum.algorithm]() if checksum is not None else None
        self._portion = 0
        self._failure: StackSyncError | None = None
        self.received = 0
        self.ended = False

    def begin_portion(self, size: int) -> None:
        """Let about so many bytes through."""
        self._portion = size

    async def read(self) -> bytes:
        """The next piece; ``b""`` at the end of the portion, and where the body broke off."""
        if self.ended or self._portion <= 0:
            return b""
        try:
            piece = await self._body.read()
        except StackSyncError as error:
            return self._end(error)
        if not piece:
            return self._end()
        if self.received + len(piece) > self._room:
            return self._end(TooLarge(f"more than the {self._room} bytes that were left to send"))
        if self._hash is not None:
            self._hash.update(piece)
        self.received += len(piece)
        self._portion -= len(piece)
        return piece

    async def close(self) -> None:
        self.ended = True
        await self._body.close()

    def check(self) -> None:
        """Raise what was wrong with the body as a whole, if anything.

        :raises IncompleteBody: it broke off.
        :raises TooLarge: there was more than room for.
        :raises ChecksumMismatch: it is not what its sender says.
        """
        if self._failure is not None:
            raise self._failure
        if (
            self._checksum is not None
            and self._hash is not None
            and self._hash.digest() != self._checksum.digest
        ):
            raise ChecksumMismatch(
                f"the {self._checksum.algorithm} of the {self.received} bytes that arrived is"
                " not the one in Upload-Checksum; nothing of them is kept"
            )

    def _end(self, failure: StackSyncError | None = None) -> bytes:
        self.ended = True
        self._failure = failure
        return b""
