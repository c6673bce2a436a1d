"""Which processes use an embedded server, so that the last one stops it.

The service and ``stacksync-admin`` share one server per state directory.  Each
holds a shared ``flock`` on ``<name>.users`` while it needs the server; the
kernel drops it when the process dies, however it dies.  Starting and stopping
happen under an exclusive ``flock`` on ``<name>.lock``.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from stacksync.embedded.deadline import Deadline
from stacksync.errors import Unavailable


class Claim:
    """One user's claim on the server called ``name`` of a state directory."""

    def __init__(self, directory: Path, name: str) -> None:
        self._directory = directory
        self._name = name
        self._users: int | None = None

    @property
    def held(self) -> bool:
        return self._users is not None

    @contextmanager
    def exclusive(self, deadline: Deadline) -> Iterator[None]:
        """Keep every other process from starting or stopping the server meanwhile.

        :raises Unavailable: another process is still at it.
        """
        lock = self._open("lock")
        try:
            try:
                while not _try(lock, fcntl.LOCK_EX):
                    deadline.pause()
            except TimeoutError:
                raise Unavailable(
                    self._name,
                    f"another process keeps starting or stopping it in {self._directory}",
                ) from None
            yield
        finally:
            os.close(lock)

    def take(self) -> None:
        """Count ourselves among the users; call it inside :meth:`exclusive`."""
        if self._users is None:
            self._users = self._open("users")
            fcntl.flock(self._users, fcntl.LOCK_SH)

    def release(self) -> bool:
        """Stop being a user; call it inside :meth:`exclusive`.

        :returns: whether there are no users left, so that the server can go.
        """
        if self._users is None:
            return False
        descriptor, self._users = self._users, None
        try:
            return _try(descriptor, fcntl.LOCK_EX)
        finally:
            os.close(descriptor)

    def _open(self, suffix: str) -> int:
        path = self._directory / f"{self._name}.{suffix}"
        return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)


def _try(descriptor: int, operation: int) -> bool:
    try:
        fcntl.flock(descriptor, operation | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
