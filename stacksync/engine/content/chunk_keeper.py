"""Puts chunks into a workspace's container, each once, and never loses one to the garbage.

Garbage collection works beside this: it lists old objects in ``doomed_chunk``,
then, holding the rows' locks, looks at each once more and removes those that
are old still.  A chunk that is there already is therefore refreshed, taken off
that list (which waits for a collection that holds it), and only then believed
to be there.
"""

from __future__ import annotations

from typing import Protocol
from uuid import UUID

from stacksync.errors import ContainerNotFound
from stacksync.interfaces import IBlobStore, IByteStream
from stacksync.model import BlobInfo, Workspace


class DoomedChunks(Protocol):
    """The chunks that are about to be removed; :mod:`stacksync.db.doomed_chunks` has them."""

    async def claim(self, workspace_id: UUID, name: str) -> bool: ...


class ChunkKeeper:
    """The chunk objects of workspaces, for those who add to them."""

    def __init__(self, store: IBlobStore, doomed: DoomedChunks) -> None:
        self._store = store
        self._doomed = doomed

    async def present(self, workspace: Workspace, name: str) -> BlobInfo | None:
        """What is known of a chunk that will now stay for the grace time, or ``None``.

        Makes the container if there is none.

        :raises Unavailable: the store or the database is away.
        """
        try:
            if await self._store.refresh(workspace.container, name) is None:
                return None
        except ContainerNotFound:
            await self._store.create_container(workspace.container)
            return None
        await self._doomed.claim(workspace.id, name)
        # A collection that looked at the chunk before the refresh has removed it by now or never
        # will: it held the row that the claim had to wait for.
        return await self._store.head(workspace.container, name)

    async def put(self, workspace: Workspace, name: str, body: IByteStream) -> BlobInfo:
        """Keep a chunk that :meth:`present` did not find.

        :raises Unavailable: the store is away, or full.
        """
        return await self._store.put(workspace.container, name, body)
