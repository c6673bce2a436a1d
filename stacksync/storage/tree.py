"""The directories of the disk store, and how they are opened: never through a symbolic link.

::

    <root>/containers/<container>/<shelf>/<name>    the objects; see ``names``
    <root>/incoming/<random>                        what is being written
    <root>/deleted/<random>                         containers on their way out

Everything here waits for the disk: to be called in threads.  What the disk
says no to is an ``OSError``.
"""

from __future__ import annotations

import errno
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from stacksync.errors import ConfigurationError, ContainerNotFound, Unavailable
from stacksync.storage.names import Location
from stacksync.storage.threads import PART

CONTAINERS = "containers"
INCOMING = "incoming"
DELETED = "deleted"
PARTS = (CONTAINERS, INCOMING, DELETED)

DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
SHELVES = 256
KNOWN_SHELVES = 65_536


class Tree:
    """The directories below a root.

    :param root: may be a symbolic link itself: that is the operator's choice.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self._containers = str(root / CONTAINERS)
        self._durable: set[tuple[bytes, bytes]] = set()

    def prepare(self) -> None:
        """Make the directories that are missing, closed to others.

        :raises ConfigurationError: they can't be made.
        """
        try:
            self.root.parent.mkdir(parents=True, exist_ok=True)
            for directory in (self.root, *(self.root / part for part in PARTS)):
                if not directory.is_dir():
                    directory.mkdir(mode=0o700, exist_ok=True)
                    _sync(directory.parent)
        except OSError as error:
            raise ConfigurationError(
                f"the storage directory {self.root} can't be created: {error}"
            ) from error

    def path(self, location: Location) -> str:
        """Where an object lies, for messages."""
        # Every operation asks, in case it fails: no Path is made for that.
        parts = (location.container, location.shelf, location.name)
        return "/".join([self._containers, *(part.decode() for part in parts)])

    @contextmanager
    def part(self, name: str) -> Iterator[int]:
        """The descriptor of one of :data:`PARTS`.

        :raises Unavailable: it is not there: somebody forgot to mount the disk.
        """
        path = self.root / name
        descriptor = self._directory(os.fsencode(path), None, path)
        if descriptor is None:
            raise Unavailable(PART, f"the directory {path} is not there")
        try:
            yield descriptor
        finally:
            os.close(descriptor)

    @contextmanager
    def container(self, name: bytes) -> Iterator[int]:
        """The descriptor of a container.

        :raises ContainerNotFound: there is none of this name.
        """
        with self.part(CONTAINERS) as containers:
            descriptor = self._directory(name, containers, self._path_of(name))
        if descriptor is None:
            raise ContainerNotFound(name.decode())
        try:
            yield descriptor
        finally:
            os.close(descriptor)

    @contextmanager
    def shelf(self, location: Location) -> Iterator[int | None]:
        """The descriptor of the directory for an object, ``None`` if there is no such directory.

        :raises ContainerNotFound: not even the container is there.
        """
        with self.container(location.container) as container:
            descriptor = self.shelf_in(container, location)
        try:
            yield descriptor
        finally:
            if descriptor is not None:
                os.close(descriptor)

    @contextmanager
    def made_shelf(self, location: Location) -> Iterator[int]:
        """Like :meth:`shelf`, which is made if it is missing and outlives a power failure."""
        known = (location.container, location.shelf)
        with self.container(location.container) as container:
            descriptor = self.shelf_in(container, location)
            if descriptor is None:
                self._durable.discard(known)
                with _unless_there():
                    os.mkdir(location.shelf, 0o700, dir_fd=container)
                descriptor = os.open(location.shelf, DIRECTORY, dir_fd=container)
            try:
                # Another process may have made it and not have synced it yet.
                if known not in self._durable:
                    os.fsync(container)
                    self._remember(known)
                yield descriptor
            finally:
                os.close(descriptor)

    def shelf_in(self, container: int, location: Location) -> int | None:
        """The descriptor, which the caller closes, of a directory for objects."""
        path = self._path_of(location.container, location.shelf)
        return self._directory(location.shelf, container, path)

    def make_container(self, name: bytes) -> None:
        """Make a container unless it is there; it outlives a power failure."""
        with self.part(CONTAINERS) as containers:
            with _unless_there():
                os.mkdir(name, 0o700, dir_fd=containers)
            os.fsync(containers)
        with self.container(name):
            return

    def remove_container(self, name: bytes) -> str | None:
        """Move a container out of the way: to which name in :data:`DELETED`, if there is one."""
        for number in range(SHELVES):
            self._durable.discard((name, b"%02x" % number))
        moved = secrets.token_hex(16)
        try:
            with (
                self.container(name),
                self.part(CONTAINERS) as containers,
                self.part(DELETED) as deleted,
            ):
                os.rename(name, moved, src_dir_fd=containers, dst_dir_fd=deleted)
                os.fsync(containers)
        except (ContainerNotFound, FileNotFoundError):
            return None
        return moved

    def _directory(self, name: bytes, parent: int | None, path: Path) -> int | None:
        try:
            return os.open(name, DIRECTORY, dir_fd=parent)
        except FileNotFoundError:
            return None
        except OSError as error:
            if error.errno in (errno.ENOTDIR, errno.ELOOP):
                problem = "is not a directory; symbolic links are not followed"
                raise Unavailable(PART, f"{path} {problem}") from None
            raise

    def _path_of(self, *names: bytes) -> Path:
        return self.root.joinpath(CONTAINERS, *(name.decode() for name in names))

    def _remember(self, known: tuple[bytes, bytes]) -> None:
        if len(self._durable) >= KNOWN_SHELVES:
            self._durable.clear()
        self._durable.add(known)


@contextmanager
def _unless_there() -> Iterator[None]:
    try:
        yield
    except FileExistsError:
        pass


def _sync(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
