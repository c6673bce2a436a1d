"""How an object gets to disk: whole, or not at all.

It is written beside the objects, synced, and only then gets its name; the
directory is synced last.  Everything here waits for the disk: for threads.
"""

from __future__ import annotations

import errno
import os
import secrets
from collections.abc import Sequence

from stacksync.errors import ChunkNotFound
from stacksync.model import BlobInfo
from stacksync.storage.blob_info import blob_info, is_object
from stacksync.storage.held import GivenUp, Held
from stacksync.storage.names import Location
from stacksync.storage.tree import CONTAINERS, INCOMING, Tree

NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
# NONBLOCK: what stands there may be a pipe, which would wait for a writer.
EXISTING = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC

PIECES_AT_ONCE = 512
"""``writev`` takes at most ``IOV_MAX`` pieces, which is 1,024 on Linux."""

SYNC_EVERY = 64 * 1024**2
"""Bytes between syncs: the last one of a large object must not take minutes."""

COPY_AT_ONCE = 1024**2

# A file system without hard links, or with too many to this file, or another
# user's file: then the bytes are copied.
NO_LINK = (errno.EPERM, errno.EMLINK, errno.EXDEV, errno.EOPNOTSUPP, errno.ENOSYS)


class IncomingFile(Held):
    """What is becoming an object; it is removed unless :meth:`finish` succeeds."""

    def __init__(self, tree: Tree, location: Location) -> None:
        super().__init__()
        self._tree = tree
        self._location = location
        self._name = secrets.token_hex(16)
        self._descriptor: int | None = None
        self._is_there = False
        self._unsynced = 0

    def write(self, pieces: Sequence[bytes]) -> None:
        """Append these.

        :raises ContainerNotFound: there is no container to put the object in.
        """
        descriptor = self._open() if self._descriptor is None else self._descriptor
        for start in range(0, len(pieces), PIECES_AT_ONCE):
            self._unsynced += write_all(descriptor, pieces[start : start + PIECES_AT_ONCE])
        if self._unsynced >= SYNC_EVERY:
            os.fdatasync(descriptor)
            self._unsynced = 0

    def finish(self, pieces: Sequence[bytes]) -> BlobInfo:
        """Append these, and make it the object.

        :raises ContainerNotFound: there is no container to put the object in.
        """
        self.write(pieces)
        return self._place()

    def link(self, source: Location) -> BlobInfo:
        """Become another object's copy: another name of its bytes, which never change.

        The two share their time as well: both count as stored just now.

        :raises ChunkNotFound: there is no such object.
        """
        with self._tree.shelf(source) as shelf:
            if shelf is None:
                raise ChunkNotFound(source.name.decode())
            try:
                found = os.open(source.name, EXISTING, dir_fd=shelf)
            except FileNotFoundError:
                raise ChunkNotFound(source.name.decode()) from None
            try:
                if not is_object(os.fstat(found)):
                    raise OSError(errno.EINVAL, f"{self._tree.path(source)} is not a plain file")
                if not self._linked(source, shelf):
                    return self._copied(found)
                os.utime(found)
                self._descriptor = os.dup(found)
            finally:
                os.close(found)
        return self._place()

    @property
    def holds_something(self) -> bool:
        return self._is_there or self._descriptor is not None

    def release(self) -> None:
        self._close()
        if self._is_there:
            with self._tree.part(INCOMING) as incoming:
                self._unlink(incoming)

    def _place(self) -> BlobInfo:
        if self._descriptor is None:
            raise ValueError("there is nothing to place")
        descriptor = self._descriptor
        os.fsync(descriptor)
        status = os.fstat(descriptor)
        with self._tree.made_shelf(self._location) as shelf:
            self._rename(shelf)
        self._close()
        return blob_info(self._location.name, status)

    def _open(self) -> int:
        # A container that is missing is told before anything is written.
        with self._tree.container(self._location.container):
            pass
        with self._tree.part(INCOMING) as incoming:
            self._descriptor = os.open(self._name, NEW, 0o600, dir_fd=incoming)
            self._is_there = True
        return self._descriptor

    def _rename(self, shelf: int) -> None:
        with self._tree.part(INCOMING) as incoming:
            if self.is_dropped:
                raise GivenUp
            os.rename(self._name, self._location.name, src_dir_fd=incoming, dst_dir_fd=shelf)
            # rename(2) does nothing where both are names of the same file.
            self._unlink(incoming)
        os.fsync(shelf)

    def _unlink(self, incoming: int) -> None:
        try:
            os.unlink(self._name, dir_fd=incoming)
        except FileNotFoundError:
            pass
        self._is_there = False

    def _close(self) -> None:
        if self._descriptor is not None:
            descriptor, self._descriptor = self._descriptor, None
            os.close(descriptor)

    def _linked(self, source: Location, shelf: int) -> bool:
        with (
            self._tree.container(self._location.container),
            self._tree.part(INCOMING) as incoming,
        ):
            try:
                os.link(
                    source.name,
                    self._name,
                    src_dir_fd=shelf,
                    dst_dir_fd=incoming,
                    follow_symlinks=False,
                )
            except OSError as error:
                if error.errno in NO_LINK:
                    return False
                raise
        self._is_there = True
        return True

    def _copied(self, found: int) -> BlobInfo:
        descriptor = self._open()
        while piece := os.read(found, COPY_AT_ONCE):
            if self.is_dropped:
                raise GivenUp
            write_all(descriptor, [piece])
        return self._place()


def probe(tree: Tree) -> None:
    """Find out whether anything can be written, by a byte that is removed again."""
    name = secrets.token_hex(16)
    with tree.part(CONTAINERS), tree.part(INCOMING) as incoming:
        descriptor = os.open(name, NEW, 0o600, dir_fd=incoming)
        try:
            os.write(descriptor, b"x")
        finally:
            os.close(descriptor)
            os.unlink(name, dir_fd=incoming)


def write_all(descriptor: int, pieces: Sequence[bytes]) -> int:
    """Write all bytes of the pieces, however few the system takes at a time; how many."""
    total = sum(map(len, pieces))
    written = os.writev(descriptor, pieces)
    if written < total:
        rest = memoryview(b"".join(pieces))[written:]
        while rest:
            rest = rest[os.write(descriptor, rest) :]
    return total
