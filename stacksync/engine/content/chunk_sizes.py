"""How many plain bytes each chunk of a file has, without reading the chunks.

Our names say it.  Of a client's chunk, the last four bytes of the object do
(RFC 1952, ISIZE), unless it was written in several members or is larger than
4 GiB; what they say is believed only if all chunks together make up the file.
"""

from __future__ import annotations

from array import array
from collections.abc import Sequence

from stacksync.engine.content.chunk_object import SMALLEST_OBJECT, content_name
from stacksync.engine.content.tasks import Tasks
from stacksync.errors import ChunkNotFound
from stacksync.interfaces import IBlobStore
from stacksync.model import Item
from stacksync.streams import read_all

AT_ONCE = 4
"""How many objects are asked for their sizes at the same time."""

ISIZE = 4

REMEMBERED_ITEMS = 64
REMEMBERED_CHUNKS = 20_000
"""Of how many items, and of how many chunks each, sizes that were asked for are remembered."""


class ChunkSizes:
    """Finds sizes out, and remembers those that had to be asked for.

    Whoever plays a film asks for one range after the other.
    """

    def __init__(self, store: IBlobStore) -> None:
        self._store = store
        self._known: dict[tuple[str, int, int], array[int]] = {}

    async def of(self, container: str, item: Item) -> Sequence[int] | None:
        """The sizes of an item's chunks in order, or ``None`` where only reading them would tell.

        :raises ChunkNotFound: one of them is not there.
        :raises ContainerNotFound: none of them is.
        :raises Unavailable: the store is away.
        """
        # A chunk of a name never changes, and the names themselves may be megabytes.
        key = container, item.size, hash(item.chunks)
        known = self._known.pop(key, None)
        if known is None:
            known, asked = await self._find_out(container, item)
            if known is None or not asked or len(known) > REMEMBERED_CHUNKS:
                return known
        # At the end again: the first is the one that nobody has wanted for longest.
        self._known[key] = known
        if len(self._known) > REMEMBERED_ITEMS:
            del self._known[next(iter(self._known))]
        return known

    async def _find_out(self, container: str, item: Item) -> tuple[array[int] | None, bool]:
        """The sizes, and whether any had to be asked for."""
        sizes: dict[str, int | None] = {}
        for name in item.chunks:
            known = content_name(name)
            sizes[name] = known.size if known is not None else None
        unknown = [name for name, size in sizes.items() if size is None]

        async def ask(name: str) -> None:
            sizes[name] = await told_size(self._store, container, name)

        asking = Tasks(AT_ONCE)
        try:
            for name in unknown:
                await asking.room()
                asking.start(ask(name))
            await asking.finish()
        except BaseException:
            await asking.give_up()
            raise
        told = [size for name in item.chunks if (size := sizes[name]) is not None]
        if len(told) < len(item.chunks) or sum(told) != item.size:
            return None, bool(unknown)
        return array("q", told), bool(unknown)


async def told_size(store: IBlobStore, container: str, name: str) -> int | None:
    """What the trailer of an object says, or ``None`` if it is no gzip stream.

    :raises ChunkNotFound: no such object.
    :raises ContainerNotFound: nor such a container.
    """
    info = await store.head(container, name)
    if info is None:
        raise ChunkNotFound(name)
    if info.size < SMALLEST_OBJECT:
        return None
    trailer = await read_all(
        await store.get(container, name, info.size - ISIZE, info.size), limit=ISIZE
    )
    return int.from_bytes(trailer, "little")
