"""A workspace's chunk objects as they are stored, for clients that put files together themselves.

A chunk never changes.  Where its name tells what is in it and devices do not
encrypt, it is checked on its way in.
"""

from __future__ import annotations

from uuid import UUID

from attrs import frozen
from zope.interface import implementer

from stacksync.engine import validation
from stacksync.engine.access import Access, check_may_write, check_scope
from stacksync.engine.content import ContentStore
from stacksync.engine.content.chunk_object import BadChunk, ChunkDecoder, content_name
from stacksync.engine.content.threads import ContentThreads
from stacksync.errors import ChecksumMismatch, ChunkConflict, ChunkNotFound, ContainerNotFound
from stacksync.interfaces import IBlobStore, IByteStream
from stacksync.model import BlobInfo, Principal, Workspace
from stacksync.streams import PIECE


@frozen
class StoredChunk:
    """What is known of a chunk object, and the way to its bytes."""

    info: BlobInfo
    _container: str
    _store: IBlobStore

    async def read(self, start: int = 0, stop: int | None = None) -> IByteStream:
        """The bytes from ``start`` up to but not including ``stop``.

        :raises ChunkNotFound: it has been removed meanwhile.
        :raises Unavailable: the store is away.
        """
        return await self._store.get(self._container, self.info.name, start, stop)


class Chunks:
    """Operations on the chunks of workspaces that a principal is a member of."""

    def __init__(self, content: ContentStore, access: Access) -> None:
        self._content = content
        self._access = access

    async def head(self, principal: Principal, workspace_id: UUID, name: str) -> BlobInfo:
        """What is known of a chunk, which will now stay for the grace time.

        :raises WorkspaceNotFound: no such workspace, or not the principal's.
        :raises ChunkNotFound: it has no such chunk.
        :raises InvalidRequest: no chunk can have this name.
        :raises Unavailable: the store or the database is away.
        """
        validation.check_name("name", name)
        workspace = await self._access.workspace(principal, workspace_id)
        info = await self._content.keeper.present(workspace, name)
        if info is None:
            # One that is still to be copied stays, and is as good as new then.
            info = await self._look(workspace, name)
        if info is None:
            raise ChunkNotFound(name)
        return info

    async def open(self, principal: Principal, workspace_id: UUID, name: str) -> StoredChunk:
        """A chunk to read from; unlike :meth:`head` this does not make it stay.

        Raises as :meth:`head`.
        """
        validation.check_name("name", name)
        workspace = await self._access.workspace(principal, workspace_id)
        info = await self._look(workspace, name)
        if info is None:
            raise ChunkNotFound(name)
        return StoredChunk(info, workspace.container, self._content.reading)

    async def put(
        self, principal: Principal, workspace_id: UUID, name: str, body: IByteStream
    ) -> tuple[BlobInfo, bool]:
        """Keep a chunk; what is known of it, and whether it is new.

        One that is there is kept, and where its name tells what is in it, the
        body is not even read.  The body is not closed.

        :raises WorkspaceNotFound: no such workspace, or not the principal's.
        :raises Forbidden: the principal may only look.
        :raises ChecksumMismatch: the body is not what the name says.
        :raises ChunkConflict: another chunk has this name.
        :raises InvalidRequest: no chunk can have this name.
        :raises Unavailable: the store or the database is away.
        """
        check_scope(principal)
        validation.check_name("name", name)
        workspace = await self._access.workspace(principal, workspace_id)
        check_may_write(workspace)
        tells_content = content_name(name) is not None and not workspace.is_encrypted
        present = await self._content.keeper.present(workspace, name)
        if present is None and not tells_content:
            # What is still to be copied has the name already.
            present = await self._look(workspace, name)
        if present is not None:
            if not tells_content:
                await self._compare(workspace, name, body)
            return present, False
        if tells_content:
            body = CheckedBody(name, body, self._content.threads)
        return await self._content.keeper.put(workspace, name, body), True

    async def _look(self, workspace: Workspace, name: str) -> BlobInfo | None:
        """What is known of a chunk, wherever it can be read from now."""
        try:
            return await self._content.reading.head(workspace.container, name)
        except ContainerNotFound:
            return None

    async def _compare(self, workspace: Workspace, name: str, body: IByteStream) -> None:
        """:raises ChunkConflict: the body is not what is stored under the name."""
        held = await self._content.reading.get(workspace.container, name)
        ours = theirs = b""
        try:
            while True:
                ours = ours or await held.read()
                theirs = theirs or await body.read()
                common = min(len(ours), len(theirs))
                if ours[:common] != theirs[:common] or (not common and (ours or theirs)):
                    raise ChunkConflict(f"there is another chunk named {name} in this workspace")
                if not common:
                    return
                ours, theirs = ours[common:], theirs[common:]
        finally:
            await held.close()


@implementer(IByteStream)
class CheckedBody:
    """Passes a chunk object on; one that is not what its name says fails, at its end at latest."""

    def __init__(self, name: str, body: IByteStream, threads: ContentThreads) -> None:
        self._name = name
        self._body = body
        self._threads = threads
        self._decoder = ChunkDecoder(name)

    async def read(self) -> bytes:
        """See :meth:`stacksync.interfaces.IByteStream.read`.

        :raises ChecksumMismatch: this is not the chunk of that name.
        """
        piece = await self._body.read()
        try:
            await self._threads.run(self._check, piece)
        except BadChunk as error:
            raise ChecksumMismatch(f"what was sent is not chunk {self._name}: {error}") from None
        return piece

    async def close(self) -> None:
        await self._body.close()

    def _check(self, piece: bytes) -> None:
        """In a thread."""
        if self._decoder.finished:
            return
        self._decoder.feed(piece)
        while not self._decoder.hungry and not self._decoder.finished:
            self._decoder.take(PIECE)
