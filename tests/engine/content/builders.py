"""Content to keep and a place to keep it, without a database."""

from __future__ import annotations

import gzip
import hashlib
import random
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from uuid import UUID, uuid4

from attrs import define, field
from zope.interface import implementer

from stacksync.errors import IncompleteBody
from stacksync.interfaces import IBlobStore, IByteStream
from stacksync.model import Account, Content, Item, ItemStatus, Role, Workspace

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
MIB = 1024 * 1024


def noise(size: int, seed: int = 1) -> bytes:
    """Bytes that cannot be compressed: the same for the same seed."""
    return random.Random(seed).randbytes(size)


def workspace() -> Workspace:
    owner = Account(uuid4(), "anna@example.org", "Anna", 10**12, 0, NOON)
    return Workspace(uuid4(), "StackSync", None, Role.OWNER, owner, str(uuid4()), False, False, 0)


def file(workspace_of: Workspace, content: Content, name: str = "film.avi") -> Item:
    """An item that has this content."""
    return Item(
        id=17,
        workspace_id=workspace_of.id,
        version=3,
        revision=5,
        status=ItemStatus.CHANGED,
        parent_id=None,
        parent_version=None,
        is_folder=False,
        name=name,
        size=content.size,
        checksum=content.checksum,
        mimetype=content.mimetype,
        chunks=content.chunks,
        device_id=uuid4(),
        modified_at=NOON,
    )


def client_name(plain: bytes, file_id: int = 42) -> str:
    """What the desktop client calls a chunk."""
    return f"chk-{hashlib.sha1(plain).hexdigest().upper()}-{file_id}"


async def clients_content(
    store: IBlobStore, container: str, chunks: Sequence[bytes], packed: Sequence[bytes] = ()
) -> Content:
    """Content as the desktop client stores it.

    :param packed: the objects, where they are not plain gzip of the chunks.
    """
    await store.create_container(container)
    objects = packed or [gzip.compress(chunk) for chunk in chunks]
    names = [client_name(chunk) for chunk in chunks]
    for name, body in zip(names, objects, strict=True):
        await store.put(container, name, Pieces([body]))
    return Content(tuple(names), sum(map(len, chunks)), 0, None)


@implementer(IByteStream)
class Pieces:
    """A body in pieces of a test's choice, which may break off after them.

    :ivar given: bytes that have been read.
    """

    def __init__(self, pieces: Iterable[bytes], *, breaks_off: bool = False) -> None:
        self._pieces = iter(pieces)
        self._breaks_off = breaks_off
        self.given = 0
        self.reads = 0

    async def read(self) -> bytes:
        self.reads += 1
        piece = next(self._pieces, b"")
        self.given += len(piece)
        if not piece and self._breaks_off:
            raise IncompleteBody("the sender has gone")
        return piece

    async def close(self) -> None:
        self._pieces = iter(())


def in_pieces(content: bytes, size: int = 64 * 1024) -> Pieces:
    return Pieces(content[begin : begin + size] for begin in range(0, len(content), size))


async def all_of(stream: IByteStream) -> bytes:
    pieces = []
    while piece := await stream.read():
        pieces.append(piece)
    await stream.close()
    return b"".join(pieces)


@define
class Doomed:
    """The list of chunks about to be removed, in memory."""

    names: set[str] = field(factory=set)
    claimed: list[str] = field(factory=list)

    async def claim(self, workspace_id: UUID, name: str) -> bool:
        self.claimed.append(name)
        if name in self.names:
            self.names.discard(name)
            return True
        return False
