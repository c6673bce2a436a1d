"""The store in a directory of this machine.

Checks what is asked, has it done in threads, and says what went wrong; how it
is done is in ``disk_writer``, ``disk_reader``, ``disk_listing`` and ``tree``.
Several processes may use one directory at the same time.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from twisted.logger import Logger
from zope.interface import implementer

from stacksync.errors import InvalidRequest, Unavailable
from stacksync.interfaces import IByteStream
from stacksync.model import BlobInfo
from stacksync.storage import disk_listing, disk_objects, leftovers
from stacksync.storage.disk_reader import DiskReader, OpenFile
from stacksync.storage.disk_writer import IncomingFile, probe
from stacksync.storage.held import Held
from stacksync.storage.lifecycle import IStore
from stacksync.storage.names import Location, checked, location
from stacksync.storage.threads import PART, DiskThreads
from stacksync.storage.tree import CONTAINERS, Tree
from stacksync.streams import PIECE

log = Logger()

MANY_PIECES = 1024
"""So many pieces are enough to write them, however small they are."""

SILENCE = 60.0
"""Seconds for which the same trouble is not logged again."""

Result = TypeVar("Result")


@implementer(IStore)
class DiskStore:
    """Containers are directories, objects are files.

    :param reactor: an ``IReactorThreads`` and ``IReactorTime``.
    :param root: the directory, which is made if it is missing.
    :param threads: how many files are read and written at the same time.
    :param timeout: seconds that one step on the disk may take: opening and
        reading a piece, writing one, syncing and naming.  A slow sender or
        reader has all the time that its own caller gives it.
    """

    part = PART

    def __init__(
        self, reactor: Any, root: Path, *, threads: int = 4, timeout: float = 60.0
    ) -> None:
        self._tree = Tree(root)
        self._threads = DiskThreads(reactor, threads, timeout)
        self._reactor = reactor
        self._logged: dict[str, float] = {}

    def start(self) -> None:
        """See :meth:`IStore.start`; a sweep of what a crash has left goes on behind it."""
        self._tree.prepare()
        self._threads.start()
        self._threads.begin(partial(leftovers.sweep, self._tree, time.time()))

    async def stop(self) -> None:
        await self._threads.stop()

    async def check(self) -> None:
        """Write a byte and remove it.

        :raises Unavailable: the directory is not there, or read-only, or full.
        """
        await self._step("write below", str(self._tree.root), partial(probe, self._tree))

    async def create_container(self, container: str) -> None:
        name = checked("container", container)
        await self._step("create", self._path(container), partial(self._tree.make_container, name))

    async def delete_container(self, container: str) -> None:
        """It is gone at once and for good; removing what was in it may take a while.

        What a crash or a cancellation leaves of that is removed at the next start.
        """
        name = checked("container", container)
        remove = partial(self._step, "remove", self._path(container))
        moved = await remove(partial(self._tree.remove_container, name))
        if moved is None:
            return
        # A directory at a time, so that none takes long and others get their turn.
        for shelf in await remove(partial(leftovers.shelves_of, self._tree, moved)):
            await remove(partial(leftovers.remove_shelf, self._tree, moved, shelf))
        await remove(partial(leftovers.remove_emptied, self._tree, moved))

    async def put(self, container: str, name: str, body: IByteStream) -> BlobInfo:
        place = location(container, name)
        path = self._tree.path(place)
        file = IncomingFile(self._tree, place)
        try:
            pieces, at_end = await _gather(body)
            while not at_end:
                await self._hold("write", path, file, partial(file.write, pieces))
                pieces, at_end = await _gather(body)
            return await self._hold("write", path, file, partial(file.finish, pieces))
        finally:
            self._threads.let_go(file)

    async def get(
        self, container: str, name: str, start: int = 0, stop: int | None = None
    ) -> IByteStream:
        if start < 0 or (stop is not None and stop < 0):
            raise InvalidRequest("start" if start < 0 else "stop", "must not be negative")
        place = location(container, name)
        path = self._tree.path(place)
        file = OpenFile(self._tree, place, start, stop)
        try:
            first = await self._hold("read", path, file, file.open)
        except BaseException:
            self._threads.let_go(file)
            raise
        return DiskReader(
            file,
            first,
            partial(self._hold, "read", path, file),
            partial(self._threads.let_go, file),
        )

    async def head(self, container: str, name: str) -> BlobInfo | None:
        return await self._at("read", location(container, name), disk_objects.look_at)

    async def refresh(self, container: str, name: str) -> BlobInfo | None:
        """The new time is not synced to the disk: only a power failure may take it back."""
        return await self._at("touch", location(container, name), disk_objects.refresh)

    async def delete(self, container: str, name: str) -> bool:
        return await self._at("remove", location(container, name), disk_objects.remove)

    async def copy(self, container: str, name: str, to_container: str) -> BlobInfo:
        """See :meth:`~stacksync.interfaces.IBlobStore.copy`; a hard link where there can be one.

        Objects never change, so the two stay what they are.  They share the
        time of the last put or refresh: garbage collection spares both for
        as long as it would spare the younger.
        """
        source, target = location(container, name), location(to_container, name)
        file = IncomingFile(self._tree, target)
        path = self._tree.path(target)
        try:
            return await self._hold("copy to", path, file, partial(file.link, source))
        finally:
            self._threads.let_go(file)

    async def list(self, container: str, after: str = "", limit: int = 1000) -> Sequence[BlobInfo]:
        if limit < 1:
            raise InvalidRequest("limit", "must be positive")
        encoded = checked("container", container)
        follows = checked("after", after) if after else b""
        return await self._step(
            "list",
            self._path(container),
            partial(disk_listing.page, self._tree, encoded, follows, limit),
        )

    async def containers(self, after: str = "", limit: int = 1000) -> Sequence[str]:
        if limit < 1:
            raise InvalidRequest("limit", "must be positive")
        follows = checked("after", after) if after else b""
        return await self._step(
            "list",
            str(self._tree.root / CONTAINERS),
            partial(disk_listing.containers, self._tree, follows, limit),
        )

    def _path(self, container: str) -> str:
        return str(self._tree.root / CONTAINERS / container)

    async def _at(
        self, what: str, place: Location, task: Callable[[Tree, Location], Result]
    ) -> Result:
        return await self._step(what, self._tree.path(place), partial(task, self._tree, place))

    async def _hold(self, what: str, path: str, file: Held, task: Callable[[], Result]) -> Result:
        return await self._step(what, path, partial(file.work, task))

    async def _step(self, what: str, path: str, work: Callable[[], Result]) -> Result:
        """Do something in a thread, and say what went wrong with what."""
        try:
            return await self._threads.run(work)
        except OSError as error:
            trouble = error.strerror or str(error)
        problem = f"cannot {what} {path}: {trouble}"
        now = self._reactor.seconds()
        if now >= self._logged.get(trouble, now):
            self._logged[trouble] = now + SILENCE
            log.error("storage: {problem}", problem=problem)
        raise Unavailable(PART, problem)


async def _gather(body: IByteStream) -> tuple[Sequence[bytes], bool]:
    """Pieces that are worth a trip to the disk, and whether they are the last.

    One more is read than fits, so that an object of one piece takes one trip.
    """
    pieces: list[bytes] = []
    size = 0
    while size <= PIECE and len(pieces) < MANY_PIECES:
        piece = await body.read()
        if not piece:
            return pieces, True
        pieces.append(piece)
        size += len(piece)
    return pieces, False
