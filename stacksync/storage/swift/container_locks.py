"""A lock for each container whose access list is being changed."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from attrs import define, field
from twisted.internet.defer import DeferredLock


@define(eq=False)
class _Lock:
    lock: DeferredLock = field(factory=DeferredLock)
    users: int = 0


class ContainerLocks:
    """One at a time per container, in this process; a lock that nobody uses is dropped."""

    def __init__(self) -> None:
        self._locks: dict[str, _Lock] = {}

    def __len__(self) -> int:
        return len(self._locks)

    @asynccontextmanager
    async def of(self, container: str) -> AsyncIterator[None]:
        """Holds the container's lock as long as it is entered."""
        held = self._locks.setdefault(container, _Lock())
        held.users += 1
        try:
            await held.lock.acquire()
            try:
                yield
            finally:
                held.lock.release()
        finally:
            held.users -= 1
            if not held.users:
                del self._locks[container]
