"""What the contract's tests need to know of a store, and small things that they share."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Collection
from contextlib import AbstractAsyncContextManager, asynccontextmanager

from attrs import frozen

from stacksync.model import BlobInfo
from stacksync.storage import IStore
from stacksync.streams import BytesStream, read_all
from tests.db.observation import until

HOME = "workspace-1"
ELSEWHERE = "workspace-2"
NOWHERE = "no-such-container"
LIMIT = 64 * 1024**2


@frozen
class Rig:
    """A running store, with the containers ``HOME`` and ``ELSEWHERE``.

    :ivar away: while it is entered, the store can't be reached at all.
    :ivar unfinished: what the store still holds of objects that are being
        put, and what it has open for readers.
    """

    store: IStore
    away: Callable[[], AbstractAsyncContextManager[None]]
    unfinished: Callable[[], Collection[str]]

    async def put(self, name: str, content: bytes, container: str = HOME) -> BlobInfo:
        return await self.store.put(container, name, BytesStream(content))

    async def content(
        self, name: str, container: str = HOME, start: int = 0, stop: int | None = None
    ) -> bytes:
        return await read_all(await self.store.get(container, name, start, stop), LIMIT)

    async def names(self, container: str = HOME, after: str = "", limit: int = 1000) -> list[str]:
        return [each.name for each in await self.store.list(container, after, limit)]

    @asynccontextmanager
    async def nothing_left(self) -> AsyncIterator[None]:
        """Sees that what is done inside leaves nothing behind, soon after it."""
        before = set(self.unfinished())
        yield
        await until(lambda: set(self.unfinished()) <= before)
