"""Reads chunks where they are: in their own container, or where they have yet to be copied from.

Only for reading.  Who writes must not take a chunk that is elsewhere for one
that is there.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol, TypeVar

from zope.interface import implementer

from stacksync.errors import ChunkNotFound, ContainerNotFound
from stacksync.interfaces import IBlobStore, IByteStream
from stacksync.model import BlobInfo

T = TypeVar("T")


class PendingCopies(Protocol):
    """The chunks that are still to be copied; :mod:`stacksync.db.chunk_copies` has them."""

    async def sources(self, container: str, name: str) -> Sequence[str]: ...


@implementer(IBlobStore)
class FallbackStore:
    """A store in which a chunk is found as soon as its item is; all else is the store's own."""

    def __init__(self, store: IBlobStore, pending: PendingCopies) -> None:
        self._store = store
        self._pending = pending
        self.create_container = store.create_container
        self.delete_container = store.delete_container
        self.put = store.put
        self.refresh = store.refresh
        self.delete = store.delete
        self.copy = store.copy
        self.list = store.list
        self.containers = store.containers

    async def get(
        self, container: str, name: str, start: int = 0, stop: int | None = None
    ) -> IByteStream:
        """See :meth:`stacksync.interfaces.IBlobStore.get`."""

        async def look(place: str) -> IByteStream:
            return await self._store.get(place, name, start, stop)

        return await self._found(container, name, look)

    async def head(self, container: str, name: str) -> BlobInfo | None:
        """See :meth:`stacksync.interfaces.IBlobStore.head`."""

        async def look(place: str) -> BlobInfo:
            info = await self._store.head(place, name)
            if info is None:
                raise ChunkNotFound(name)
            return info

        try:
            return await self._found(container, name, look)
        except ChunkNotFound:
            return None

    async def _found(self, container: str, name: str, look: Callable[[str], Awaitable[T]]) -> T:
        try:
            return await look(container)
        except (ChunkNotFound, ContainerNotFound):
            sources = await self._pending.sources(container, name)
        for source in sources:
            try:
                return await look(source)
            except (ChunkNotFound, ContainerNotFound):
                continue
        # It may have been copied since it was looked for first.
        return await look(container)
