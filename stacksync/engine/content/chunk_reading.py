"""Reads one chunk object: fetched ahead as far as one of our own chunks goes, then bit by bit.

The last bytes of a chunk are given only when all of it has been found to be
what its name says.
"""

from __future__ import annotations

from twisted.internet.defer import Deferred

from stacksync.engine.content.chunk_object import ChunkDecoder
from stacksync.engine.content.cutting import LARGEST
from stacksync.engine.content.threads import ContentThreads
from stacksync.errors import Unavailable
from stacksync.interfaces import IBlobStore, IByteStream
from stacksync.streams import PIECE

FETCHED = LARGEST + 64 * 1024
"""Bytes of the object that are fetched ahead: all of the largest one that we make."""

DECODED = LARGEST + 1
"""Plain bytes that are made at a time: all of a chunk of ours, and it is known to be all."""


class ChunkReading:
    """The plain bytes of one chunk, which begin to be fetched at once.

    What goes wrong is told when the first block is asked for.

    :ivar index: its place among the chunks of its file, from 0.
    """

    def __init__(
        self, store: IBlobStore, threads: ContentThreads, container: str, name: str, index: int
    ) -> None:
        self._store = store
        self._threads = threads
        self._container = container
        self._decoder = ChunkDecoder(name)
        self._stream: IByteStream | None = None
        self._block = b""
        self._closed = False
        self.name = name
        self.index = index
        self._preparing: Deferred[bytes] | None = Deferred.fromCoroutine(self._first())

    async def block(self) -> bytes:
        """The next bytes, up to :data:`DECODED`; ``b""`` at the end.

        :raises ChunkNotFound: the store has no such object.
        :raises ContainerNotFound: nor such a container.
        :raises BadChunk: it is not what it should be.
        :raises Unavailable: the store is away.
        """
        if self._preparing is not None:
            # Kept until it is through: whoever closes this meanwhile cancels it.
            self._block = await self._preparing
            self._preparing = None
        block = self._block
        # The one after it first: that is how the last one is known to be right.
        self._block = b"" if self._decoder.finished else await self._decode(PIECE)
        return block

    @property
    def has_more(self) -> bool:
        """Whether there is another block, once one has been given."""
        return bool(self._block)

    async def close(self) -> None:
        """Give up what is held; may be called twice."""
        self._closed = True
        self._block = b""
        preparing, self._preparing = self._preparing, None
        if preparing is not None:
            preparing.addErrback(lambda failure: None)
            preparing.cancel()
        stream, self._stream = self._stream, None
        if stream is not None:
            await stream.close()

    async def _first(self) -> bytes:
        stream = await self._store.get(self._container, self.name)
        self._stream = stream
        return await self._decode(FETCHED)

    async def _decode(self, fetched: int) -> bytes:
        block = b""
        while not block and not self._decoder.finished:
            if self._closed:
                raise Unavailable("content", "the reading was given up")
            pieces = await self._fetch(fetched) if self._decoder.hungry else []
            block = await self._threads.run(self._take, pieces)
        if self._decoder.finished and self._stream is not None:
            stream, self._stream = self._stream, None
            await stream.close()
        return block

    async def _fetch(self, most: int) -> list[bytes]:
        """Pieces of the object of about that size together; the last of all is ``b""``."""
        pieces = []
        size = 0
        while size < most and self._stream is not None:
            piece = await self._stream.read()
            pieces.append(piece)
            size += len(piece)
            if not piece:
                break
        return pieces

    def _take(self, pieces: list[bytes]) -> bytes:
        """In a thread."""
        whole = b"".join(pieces)
        if whole:
            self._decoder.feed(whole)
        if pieces and not pieces[-1]:
            self._decoder.feed(b"")
        return self._decoder.take(DECODED)
