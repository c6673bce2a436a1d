"""The disk store behind a server's back: looks at its files, and puts obstacles in its way."""

from __future__ import annotations

import errno
import os
import resource
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from io import RawIOBase
from pathlib import Path

import pytest

from tests.servers.stacksync import StackSyncProcess

BALLAST = 1024 * 1024
SMALL = 64 * 1024


@contextmanager
def small_disk(directory: Path, size: str) -> Iterator[bool]:
    """A file system of its own in a directory; whether there is one, for only root may mount."""
    mount = ["mount", "-t", "tmpfs", "-o", f"size={size},mode=711", "tmpfs", str(directory)]
    is_mounted = os.geteuid() == 0 and subprocess.run(mount, capture_output=True).returncode == 0
    yield is_mounted
    if is_mounted:
        # Lazy: a server that was killed this moment may still hold files open.
        subprocess.run(["umount", "--lazy", str(directory)], check=True)


class StoreFiles:
    """The files of a disk store.

    :param directory: the store's.
    :param is_small: whether it can be filled.
    """

    def __init__(self, directory: Path, *, is_small: bool) -> None:
        self.directory = directory
        self._is_small = is_small

    def objects(self, container: str = "*") -> list[str]:
        """The names of all objects in one container or in all."""
        return [path.name for path in (self.directory / "containers").glob(f"{container}/*/*")]

    def path_of(self, container: str, name: str) -> Path:
        """Where an object lies."""
        (path,) = (self.directory / "containers" / container).glob(f"*/{name}")
        return path

    def unfinished(self) -> list[str]:
        """What is being written, or was when a server was killed."""
        return os.listdir(self.directory / "incoming")

    @contextmanager
    def away(self, server: StackSyncProcess) -> Iterator[None]:
        """The directory is not mounted."""
        containers = self.directory / "containers"
        containers.rename(self.directory / "unmounted")
        try:
            yield
        finally:
            (self.directory / "unmounted").rename(containers)

    @contextmanager
    def full(self, server: StackSyncProcess) -> Iterator[None]:
        """There is not a byte left on the disk."""
        if not self._is_small:
            pytest.skip("to fill a disk one of its own is needed, which only root can mount")
        ballast = self.directory / "ballast"
        with ballast.open("wb", buffering=0) as file:
            while take_room(file):
                pass
        try:
            yield
        finally:
            ballast.unlink()

    @contextmanager
    def limited(self, server: StackSyncProcess) -> Iterator[None]:
        """The server may write small files only."""
        was = resource.prlimit(server.pid, resource.RLIMIT_FSIZE)
        resource.prlimit(server.pid, resource.RLIMIT_FSIZE, (SMALL, was[1]))
        try:
            yield
        finally:
            resource.prlimit(server.pid, resource.RLIMIT_FSIZE, was)


def take_room(file: RawIOBase) -> bool:
    """Make a file larger; whether there was room for it."""
    try:
        file.write(bytes(BALLAST))
    except OSError as error:
        if error.errno == errno.ENOSPC:
            return False
        raise
    return True
