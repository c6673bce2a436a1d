"""The content of files: cut into chunks on the way in, put together on the way out.

No permissions here: who may read or write a workspace has been decided before.
"""

from __future__ import annotations

from typing import Any

from twisted.logger import Logger

from stacksync.engine.content.chunk_keeper import ChunkKeeper, DoomedChunks
from stacksync.engine.content.chunk_sizes import ChunkSizes
from stacksync.engine.content.cutting import IS_COMPILED
from stacksync.engine.content.reader import ContentReader
from stacksync.engine.content.threads import ContentThreads
from stacksync.engine.content.writer import ContentWriter, WriterState
from stacksync.engine.validation import Limits
from stacksync.interfaces import IBlobStore, IByteStream
from stacksync.model import Content, Item, Workspace

__all__ = ["ContentReader", "ContentStore", "ContentWriter", "WriterState"]

log = Logger()


class ContentStore:
    """Reads and writes the content of files, on a blob store.

    :param most_threads: how many pieces are cut, hashed or compressed at a time.
    :param reading: the store as readers see it, if that is another one.
    :ivar keeper: keeps chunks that others have made.
    :ivar reading: where chunks are read from.
    :ivar threads: where to cut, hash and compress.
    """

    def __init__(
        self,
        reactor: Any,
        store: IBlobStore,
        doomed: DoomedChunks,
        limits: Limits,
        most_threads: int,
        reading: IBlobStore | None = None,
    ) -> None:
        self._reactor = reactor
        self._limits = limits
        self.store = store
        self.reading: IBlobStore = reading if reading is not None else store
        self._sizes = ChunkSizes(self.reading)
        self.threads = ContentThreads(reactor, most_threads)
        self.keeper = ChunkKeeper(store, doomed)

    def start(self) -> None:
        if not IS_COMPILED:
            log.warn(
                "pyfastcdc came without its compiled half: uploads will be slow;"
                " install it where there is a C compiler, or a wheel of it"
            )

    def stop(self) -> None:
        """Take nothing new; whoever reads or writes gets an error."""
        self.threads.stop()

    def writer(
        self,
        workspace: Workspace,
        name: str,
        state: WriterState | None = None,
        *,
        mimetype: str | None = None,
    ) -> ContentWriter:
        """Something to write a file's content with.

        :param name: the file's, for its media type.
        :param state: how far an earlier writer of the same content came.
        :param mimetype: the media type, if it is known.
        """
        return ContentWriter(
            workspace,
            name,
            state or WriterState(mimetype=mimetype),
            self.keeper,
            self.threads,
            self._limits.chunks_per_item,
            self._reactor.seconds,
        )

    async def put_content(
        self, workspace: Workspace, name: str, body: IByteStream, *, mimetype: str | None = None
    ) -> Content:
        """Keep a body as a file's content; see :class:`ContentWriter` for what it raises."""
        writer = self.writer(workspace, name, mimetype=mimetype)
        await writer.write(body)
        return await writer.finish()

    async def reader(
        self, workspace: Workspace, item: Item, start: int = 0, stop: int | None = None
    ) -> ContentReader:
        """An item's bytes from ``start`` up to but not including ``stop``.

        The first of them are fetched before this returns.

        :raises DamagedContent: a chunk is missing or is not what it should be.
        :raises Unavailable: the store is away.
        """
        last = item.size if stop is None else stop
        reader = ContentReader(
            self.reading, self.threads, self._sizes, workspace.container, item, start, last
        )
        await reader.open()
        return reader
