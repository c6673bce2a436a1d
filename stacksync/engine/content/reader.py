"""Gives a file out: the bytes of a range, from the chunks that it needs and no others.

The next chunks are fetched while one is given.  Either exactly the bytes asked
for are given or reading raises: what is missing or damaged is never passed
over.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator

from attrs import frozen
from zope.interface import implementer

from stacksync.engine.content.chunk_object import BadChunk
from stacksync.engine.content.chunk_reading import ChunkReading
from stacksync.engine.content.chunk_sizes import ChunkSizes
from stacksync.engine.content.threads import ContentThreads
from stacksync.errors import ChunkNotFound, ContainerNotFound, DamagedContent, Unavailable
from stacksync.interfaces import IBlobStore, IByteStream
from stacksync.model import Item
from stacksync.streams import PIECE

AHEAD = 2
"""How many chunks are fetched while one is given."""


@frozen
class Plan:
    """Which chunks to read, how many of their first bytes to pass over, and how far ahead to go."""

    first: int
    last: int
    skip: int
    ahead: int


@implementer(IByteStream)
class ContentReader:
    """The bytes of an item's content from ``start`` up to but not including ``stop``."""

    def __init__(
        self,
        store: IBlobStore,
        threads: ContentThreads,
        sizes: ChunkSizes,
        container: str,
        item: Item,
        start: int,
        stop: int,
    ) -> None:
        if not 0 <= start <= stop <= item.size:
            raise ValueError(f"no range of {item.size} bytes: {start} to {stop}")
        self._store = store
        self._threads = threads
        self._sizes = sizes
        self._container = container
        self._item = item
        self._start = start
        self._stop = stop
        self._left = stop - start
        self._skip = 0
        self._ahead = 0
        self._closed = False
        self._names: Iterator[tuple[int, str]] = iter(())
        self._readings: deque[ChunkReading] = deque()
        self._block = memoryview(b"")

    async def open(self) -> None:
        """Fetch the first bytes, so that what stands against it is known before any is given.

        :raises DamagedContent: a chunk is missing or is not what it should be.
        :raises Unavailable: the store is away.
        """
        if not self._left:
            return
        try:
            plan = await self._plan()
            self._skip, self._ahead = plan.skip, plan.ahead
            chunks = self._item.chunks[plan.first : plan.last + 1]
            self._names = enumerate(chunks, plan.first)
            await self._fill()
        except BaseException:
            await self.close()
            raise

    async def read(self) -> bytes:
        """See :meth:`stacksync.interfaces.IByteStream.read`.

        :raises DamagedContent: a chunk is missing or is not what it should be.
        :raises Unavailable: the store is away.
        """
        if not self._left:
            return b""
        if self._closed:
            raise given_up()
        try:
            if not self._block:
                await self._fill()
            piece = bytes(self._block[: min(PIECE, self._left)])
            self._block = self._block[len(piece) :]
            self._left -= len(piece)
            if not self._left:
                await self._end()
        except BaseException:
            await self.close()
            raise
        return piece

    async def close(self) -> None:
        self._closed = True
        self._names = iter(())
        self._block = memoryview(b"")
        while self._readings:
            await self._readings.popleft().close()

    async def _plan(self) -> Plan:
        item = self._item
        everything = len(item.chunks) - 1
        if self._start == 0 and self._stop == item.size:
            return Plan(0, everything, 0, AHEAD)
        try:
            sizes = await self._sizes.of(self._container, item)
        except (ChunkNotFound, ContainerNotFound) as error:
            raise DamagedContent(f"{named(item)}: {error}, in the store") from None
        if sizes is None:
            # Only one after the other, and not a chunk further than needed.
            return Plan(0, everything, self._start, 0)
        first = last = skip = 0
        begin = 0
        for index, size in enumerate(sizes):
            if begin <= self._start:
                first, skip = index, self._start - begin
            if begin < self._stop:
                last = index
            begin += size
        return Plan(first, last, skip, AHEAD)

    async def _fill(self) -> None:
        """Have bytes to give, past those that are to be skipped."""
        while not self._block:
            self._fetch_ahead()
            if not self._readings:
                raise DamagedContent(
                    f"{named(self._item)}: its chunks hold {self._left} bytes less than its size"
                )
            reading = self._readings[0]
            block = await self._block_of(reading)
            if self._closed:
                raise given_up()
            if not block:
                await self._readings.popleft().close()
                continue
            skipped = min(self._skip, len(block))
            self._skip -= skipped
            self._block = memoryview(block)[skipped:]

    async def _block_of(self, reading: ChunkReading) -> bytes:
        try:
            return await reading.block()
        except (ChunkNotFound, ContainerNotFound):
            raise self._damaged(reading, "the store does not have it") from None
        except BadChunk as error:
            raise self._damaged(reading, str(error)) from None

    def _damaged(self, reading: ChunkReading, problem: str) -> DamagedContent:
        count = len(self._item.chunks)
        return DamagedContent(
            f"{named(self._item)}: chunk {reading.index + 1} of {count}, {reading.name}: {problem}"
        )

    def _fetch_ahead(self) -> None:
        while len(self._readings) <= self._ahead:
            index, name = next(self._names, (0, None))
            if name is None:
                return
            self._readings.append(
                ChunkReading(self._store, self._threads, self._container, name, index)
            )

    async def _end(self) -> None:
        has_more = bool(self._block) or self._readings[0].has_more
        await self.close()
        if has_more and self._stop == self._item.size:
            raise DamagedContent(f"{named(self._item)}: its chunks hold more bytes than its size")


def named(item: Item) -> str:
    return f"file {item.name!r} (id {item.id}), version {item.version}"


def given_up() -> Unavailable:
    return Unavailable("content", "the reading was given up")
