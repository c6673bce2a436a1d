"""Chunk objects: how they are named and what is in them.

Every chunk object is a gzip stream (RFC 1952) of the chunk's plain bytes, so
that any client can read any chunk.  Ours are called
``sha256-<digest of the plain bytes>-<their number>``; the desktop client calls
its own ``chk-<SHA-1 of the plain bytes>-<file id>`` (contracts/objectmq.md,
*Types*).  Pure computing, for the content threads.
"""

from __future__ import annotations

import hashlib
import re
import struct

from attrs import frozen
from isal import isal_zlib

OURS = re.compile(r"sha256-([0-9a-f]{64})-(0|[1-9][0-9]{0,18})")
CLIENTS = re.compile(r"chk-([0-9A-F]{40})-.+")

LEVEL = 1
GZIP = 16 + isal_zlib.MAX_WBITS
WORTH = 0.9
"""A chunk is kept compressed if that leaves at most this part of it: packing costs each reader."""

SAMPLE = 8 * 1024
"""Bytes at each of three places of a chunk that tell whether it can be compressed."""

# RFC 1952 section 2.3: no name, no time, no flags; the system is unknown.
GZIP_HEADER = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff"
STORED_BLOCK = 0xFFFF
STORED_HEADER = struct.Struct("<BHH")
GZIP_TRAILER = struct.Struct("<II")
SMALLEST_OBJECT = len(GZIP_HEADER) + 2 + GZIP_TRAILER.size


class BadChunk(ValueError):
    """An object that is not the chunk that it should be; the message says why."""


@frozen
class ContentName:
    """What the name of a chunk says of its plain bytes; ``size`` is ``None`` if it does not."""

    algorithm: str
    digest: str
    size: int | None


def content_name(name: str) -> ContentName | None:
    """What a chunk's name says of its content, or ``None`` for a name that says nothing."""
    ours = OURS.fullmatch(name)
    if ours is not None:
        return ContentName("sha256", ours[1], int(ours[2]))
    clients = CLIENTS.fullmatch(name)
    return ContentName("sha1", clients[1].lower(), None) if clients is not None else None


def name_of(plain: bytes) -> str:
    """What we call the chunk of these bytes."""
    return f"sha256-{hashlib.sha256(plain).hexdigest()}-{len(plain)}"


def encode(plain: bytes) -> bytes:
    """The object for a chunk: the same for the same bytes, whenever it is made."""
    if seems_compressible(plain):
        packed: bytes = isal_zlib.compress(plain, LEVEL, GZIP)
        if len(packed) <= WORTH * len(plain):
            return packed
    return stored(plain)


def seems_compressible(plain: bytes) -> bool:
    if len(plain) <= 4 * SAMPLE:
        return True
    middle = len(plain) // 2
    sample = plain[:SAMPLE] + plain[middle : middle + SAMPLE] + plain[-SAMPLE:]
    return len(isal_zlib.compress(sample, LEVEL, GZIP)) <= WORTH * len(sample)


def stored(plain: bytes) -> bytes:
    """A gzip stream that holds the bytes as they are (RFC 1951 section 3.2.4)."""
    pieces: list[bytes | memoryview] = [GZIP_HEADER]
    view = memoryview(plain)
    for begin in range(0, max(len(plain), 1), STORED_BLOCK):
        block = view[begin : begin + STORED_BLOCK]
        is_last = begin + STORED_BLOCK >= len(plain)
        pieces += (STORED_HEADER.pack(is_last, len(block), len(block) ^ 0xFFFF), block)
    pieces.append(GZIP_TRAILER.pack(isal_zlib.crc32(plain), len(plain) & 0xFFFFFFFF))
    return b"".join(pieces)


class ChunkDecoder:
    """Turns an object into the chunk's plain bytes, piece by piece, and checks it against its name.

    Reads whatever gzip may be: several members, and zeros after them.

    :ivar finished: whether all of the chunk has been taken, and found to be what its name says.
    """

    def __init__(self, name: str) -> None:
        self._expected = content_name(name)
        self._digest = hashlib.new(self._expected.algorithm) if self._expected else None
        self._member = isal_zlib.decompressobj(GZIP)
        self._stored = b""
        self._complete = False
        self._begun = False
        self._has_more = False
        self.size = 0
        self.finished = False

    @property
    def hungry(self) -> bool:
        """Whether nothing can be taken before more is fed."""
        return not (self.finished or self._stored or self._has_more or self._complete)

    def feed(self, piece: bytes) -> None:
        """The next bytes of the object; ``b""``: there are no more."""
        if piece:
            self._stored = self._stored + piece if self._stored else piece
        else:
            self._complete = True

    def take(self, most: int) -> bytes:
        """At most so many plain bytes; fewer where more must be fed, or at the end.

        :raises BadChunk: this is no gzip stream, or not the chunk of that name.
        """
        pieces = []
        room = most
        while room and not self.finished and not self.hungry:
            plain = self._inflate(room)
            if plain:
                pieces.append(plain)
                room -= len(plain)
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def _inflate(self, room: int) -> bytes:
        if self._member.eof and not self._next_member():
            return b""
        if not self._stored and not self._has_more:
            raise BadChunk("it is cut short" if self._begun else "it is empty")
        try:
            plain: bytes = self._member.decompress(self._stored, room)
        except isal_zlib.error as error:  # type: ignore[misc]  # its stub says it is an object
            raise BadChunk(f"it is no sound gzip stream ({error})") from None
        self._begun = True
        self._has_more = len(plain) == room and not self._member.eof
        at_end = self._member.eof
        self._stored = self._member.unused_data if at_end else self._member.unconsumed_tail
        self._count(plain)
        if at_end and self._complete and not self._stored.strip(b"\0"):
            self._check()
        return plain

    def _next_member(self) -> bool:
        """Begin with what follows a member; whether anything does."""
        self._stored = self._stored.lstrip(b"\0")
        if self._stored:
            self._member = isal_zlib.decompressobj(GZIP)
            return True
        if self._complete:
            self._check()
        return False

    def _count(self, plain: bytes) -> None:
        self.size += len(plain)
        if self._digest is not None:
            self._digest.update(plain)
        if self._expected and self._expected.size is not None and self.size > self._expected.size:
            raise BadChunk(f"it holds more than the {self._expected.size} bytes of its name")

    def _check(self) -> None:
        self._stored = b""
        self.finished = True
        expected = self._expected
        if expected is None or self._digest is None:
            return
        if expected.size not in (None, self.size):
            raise BadChunk(f"it holds {self.size} bytes, and not the {expected.size} of its name")
        if self._digest.hexdigest() != expected.digest:
            raise BadChunk(f"its content does not have the {expected.algorithm} of its name")
