"""An object of the disk store as a stream."""

from __future__ import annotations

import errno
import os
from collections.abc import Awaitable, Callable

from zope.interface import implementer

from stacksync.errors import ChunkNotFound, Unavailable
from stacksync.interfaces import IByteStream
from stacksync.storage.blob_info import is_object
from stacksync.storage.disk_writer import EXISTING
from stacksync.storage.held import Held
from stacksync.storage.names import Location
from stacksync.storage.threads import PART
from stacksync.storage.tree import Tree
from stacksync.streams import PIECE


class OpenFile(Held):
    """A part of an object that is read piece by piece; its methods are for threads."""

    def __init__(self, tree: Tree, location: Location, start: int, stop: int | None) -> None:
        super().__init__()
        self._tree = tree
        self._location = location
        self._position = start
        self._stop = stop
        self._descriptor: int | None = None

    def open(self) -> bytes:
        """The first piece, which is often all there is.

        :raises ChunkNotFound: there is no such object.
        """
        self._descriptor = self._found()
        status = os.fstat(self._descriptor)
        if not is_object(status):
            raise OSError(errno.EINVAL, "not a plain file")
        stop = status.st_size if self._stop is None else min(self._stop, status.st_size)
        self._stop = max(stop, self._position)
        return self.read()

    def read(self) -> bytes:
        """The next piece; nothing is held any more once it is the last."""
        if self._descriptor is None or self._stop is None:
            return b""
        wanted = min(PIECE, self._stop - self._position)
        piece = os.pread(self._descriptor, wanted, self._position) if wanted else b""
        if wanted and not piece:
            raise OSError(errno.EIO, f"ends at byte {self._position}, before its size")
        self._position += len(piece)
        if self._position == self._stop:
            self.release()
        return piece

    @property
    def holds_something(self) -> bool:
        return self._descriptor is not None

    def release(self) -> None:
        if self._descriptor is not None:
            descriptor, self._descriptor = self._descriptor, None
            os.close(descriptor)

    def __del__(self) -> None:
        # A stream that got lost on its way to its reader.
        self.release()

    def _found(self) -> int:
        name = self._location.name
        with self._tree.shelf(self._location) as shelf:
            if shelf is None:
                raise ChunkNotFound(name.decode())
            try:
                return os.open(name, EXISTING, dir_fd=shelf)
            except FileNotFoundError:
                raise ChunkNotFound(name.decode()) from None


@implementer(IByteStream)
class DiskReader:
    """What is left of an object after the piece that was read when it was opened.

    :param step: does something in a thread, with the file held.
    :param let_go: drops the file.
    """

    def __init__(
        self,
        file: OpenFile,
        first: bytes,
        step: Callable[[Callable[[], bytes]], Awaitable[bytes]],
        let_go: Callable[[], None],
    ) -> None:
        self._file = file
        self._ahead = first
        self._step = step
        self._let_go = let_go
        self._is_broken = False

    async def read(self) -> bytes:
        if self._ahead:
            piece, self._ahead = self._ahead, b""
            return piece
        if self._is_broken:
            raise Unavailable(PART, "an earlier read of this object failed")
        if not self._file.holds_something or self._file.is_dropped:
            return b""
        try:
            return await self._step(self._file.read)
        except BaseException:
            # Which piece would be the next is not known any more.
            self._is_broken = True
            self._let_go()
            raise

    async def close(self) -> None:
        self._ahead = b""
        self._let_go()
