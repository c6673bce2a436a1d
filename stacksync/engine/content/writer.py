"""Takes a file in: cuts it while it comes, and keeps the chunks that are new.

Holds a few chunks at a time, however large the file is.  What it has kept is
in the store, but no item refers to it: to commit that is somebody else's.
"""

from __future__ import annotations

from collections.abc import Callable

from attrs import frozen
from isal import isal_zlib
from twisted.internet.defer import Deferred

from stacksync.engine.content import chunk_object
from stacksync.engine.content.chunk_keeper import ChunkKeeper
from stacksync.engine.content.cutting import SMALLEST, Cutter
from stacksync.engine.content.mimetypes import HEAD, type_of
from stacksync.engine.content.tasks import Tasks
from stacksync.engine.content.threads import ContentThreads
from stacksync.errors import StackSyncError, TooLarge, Unavailable
from stacksync.interfaces import IByteStream
from stacksync.model import Content, Workspace
from stacksync.streams import BytesStream

GATHERED = 1024 * 1024
"""Bytes of the body that go to a thread together."""

STORED_AT_ONCE = 3
"""How many chunks are looked up, compressed and stored at the same time."""

FRESH = 600.0
"""Seconds for which a stored chunk need not be refreshed; far below any grace time."""


@frozen
class WriterState:
    """How far a file has come in; a writer that is made with it goes on from there.

    :ivar checksum: the Adler-32 (RFC 1950) of what has come.
    :ivar tail: the last bytes of it, which are in no chunk yet: less than
        :data:`~stacksync.engine.content.cutting.LARGEST`.
    """

    chunks: tuple[str, ...] = ()
    size: int = 0
    checksum: int = 1
    tail: bytes = b""
    mimetype: str | None = None


@frozen
class Chunk:
    """A chunk on its way; a small one has been made an object already."""

    name: str
    plain: bytes
    encoded: bytes | None


@frozen
class Gathered:
    """Bytes for a thread, and what the body failed with after them, if it did."""

    pieces: list[bytes]
    is_last: bool
    failure: StackSyncError | None = None


class ContentWriter:
    """Makes one file's content of the bodies that it is given, one after the other.

    :param name: the file's, for its media type.
    :param most_chunks: how many chunks a file may have.
    :param seconds: a clock, in seconds.
    """

    def __init__(
        self,
        workspace: Workspace,
        name: str,
        state: WriterState,
        keeper: ChunkKeeper,
        threads: ContentThreads,
        most_chunks: int,
        seconds: Callable[[], float],
    ) -> None:
        self._workspace = workspace
        self._name = name
        self._keeper = keeper
        self._threads = threads
        self._most_chunks = most_chunks
        self._seconds = seconds
        self._tasks = Tasks(STORED_AT_ONCE)
        self._chunks = list(state.chunks)
        self._size = state.size
        self._checksum = state.checksum
        self._mimetype = state.mimetype
        self._cutter = Cutter(state.tail)
        self._kept: dict[str, float] = {}
        self._broken = False

    @property
    def state(self) -> WriterState:
        """What has come: all that the bodies gave before they ended or failed.

        :raises RuntimeError: the writer itself failed or was cancelled, so nobody knows.
        """
        if self._broken:
            raise RuntimeError("this writer has failed: begin again from an earlier state")
        return WriterState(
            chunks=tuple(self._chunks),
            size=self._size,
            checksum=self._checksum,
            tail=self._cutter.tail,
            mimetype=self._mimetype,
        )

    async def write(self, body: IByteStream) -> None:
        """Take a body in, up to its end; the chunks that it finishes are in the store then.

        The body is not closed.  What came before a body's own failure is kept.

        :raises StackSyncError: whatever reading the body raises.
        :raises TooLarge: more chunks than a file may have.
        :raises Unavailable: the store or the database is away.
        """
        try:
            failure = await self._take_in(body)
            await self._tasks.finish()
        except BaseException:
            await self._give_up()
            raise
        if failure is not None:
            raise failure

    async def finish(self) -> Content:
        """The whole content, every chunk of it in the store.

        :raises TooLarge: more chunks than a file may have.
        :raises Unavailable: the store or the database is away.
        """
        try:
            await self._keep(await self._threads.run(self._cut_last))
            await self._tasks.finish()
            await self._keep_fresh()
        except BaseException:
            await self._give_up()
            raise
        return Content(tuple(self._chunks), self._size, self._checksum, self._mimetype)

    async def _take_in(self, body: IByteStream) -> StackSyncError | None:
        """Take in what comes; what the body failed with, if it did."""
        coming = Deferred.fromCoroutine(gather(body))
        try:
            while True:
                gathered = await coming
                if not gathered.is_last:
                    # The next bytes come in while these are cut.
                    coming = Deferred.fromCoroutine(gather(body))
                if gathered.pieces:
                    await self._keep(await self._threads.run(self._cut, gathered.pieces))
                if gathered.is_last:
                    return gathered.failure
        finally:
            coming.addErrback(lambda failure: None)
            coming.cancel()

    def _cut(self, pieces: list[bytes]) -> list[Chunk]:
        """In a thread, one call at a time."""
        content = pieces[0] if len(pieces) == 1 else b"".join(pieces)
        self._size += len(content)
        self._checksum = isal_zlib.adler32(content, self._checksum)
        return [self._named(plain) for plain in self._cutter.feed(content)]

    def _cut_last(self) -> list[Chunk]:
        chunks = [self._named(plain) for plain in self._cutter.finish()]
        if self._mimetype is None:
            self._mimetype = type_of(self._name, b"")
        return chunks

    def _named(self, plain: bytes) -> Chunk:
        if self._mimetype is None:
            self._mimetype = type_of(self._name, plain[:HEAD])
        # What is done in no time is done here: going to a thread again would take longer.
        encoded = chunk_object.encode(plain) if len(plain) <= SMALLEST else None
        return Chunk(chunk_object.name_of(plain), plain, encoded)

    async def _keep(self, chunks: list[Chunk]) -> None:
        while chunks:
            # Taken out of the list, so that it does not hold the bytes of what is stored.
            chunk = chunks.pop(0)
            if len(self._chunks) >= self._most_chunks:
                raise TooLarge(f"a file may have {self._most_chunks} chunks, and this has more")
            self._chunks.append(chunk.name)
            if chunk.name not in self._kept:
                await self._tasks.room()
                self._kept[chunk.name] = self._seconds()
                self._tasks.start(self._store(chunk))

    async def _store(self, chunk: Chunk) -> None:
        if await self._keeper.present(self._workspace, chunk.name) is None:
            encoded = chunk.encoded
            if encoded is None:
                encoded = await self._threads.run(chunk_object.encode, chunk.plain)
            await self._keeper.put(self._workspace, chunk.name, BytesStream(encoded))

    async def _keep_fresh(self) -> None:
        """Make the chunks young that have come so long ago that they might be collected."""
        limit = self._seconds() - FRESH
        for name in [name for name, since in self._kept.items() if since < limit]:
            await self._tasks.room()
            self._tasks.start(self._refresh(name))
        await self._tasks.finish()

    async def _refresh(self, name: str) -> None:
        if await self._keeper.present(self._workspace, name) is None:
            raise Unavailable(
                "storage", f"chunk {name} was removed while the upload went on: send it again"
            )
        self._kept[name] = self._seconds()

    async def _give_up(self) -> None:
        self._broken = True
        await self._tasks.give_up()


async def gather(body: IByteStream) -> Gathered:
    pieces: list[bytes] = []
    size = 0
    try:
        while size < GATHERED:
            piece = await body.read()
            if not piece:
                return Gathered(pieces, is_last=True)
            size += len(piece)
            pieces.append(piece)
    except StackSyncError as error:
        return Gathered(pieces, is_last=True, failure=error)
    return Gathered(pieces, is_last=False)
