"""A store on disk, for everybody who needs one; and what there is to see of it."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import pytest_twisted
from attrs import frozen
from twisted.internet import reactor

from stacksync.storage import DiskStore
from tests.db.conftest import logged
from tests.storage.contract.rig import ELSEWHERE, HOME, Rig

__all__ = ["logged"]


@frozen
class Disk:
    """The directory of a store, seen by an operator."""

    root: Path

    @property
    def files(self) -> list[Path]:
        """All files of objects."""
        return sorted(path for path in self.containers.rglob("*") if not path.is_dir())

    @property
    def containers(self) -> Path:
        return self.root / "containers"

    @property
    def incoming(self) -> Path:
        return self.root / "incoming"

    @property
    def deleted(self) -> Path:
        return self.root / "deleted"

    def unfinished(self) -> list[str]:
        """What lies in ``incoming``, and what this process has open below the root."""
        found = [path.name for path in self.incoming.iterdir()] if self.incoming.exists() else []
        for descriptor in os.listdir("/proc/self/fd"):
            try:
                target = os.readlink(f"/proc/self/fd/{descriptor}")
            except FileNotFoundError:
                continue
            if target.startswith(f"{self.root}/"):
                found.append(f"{descriptor}: {target}")
        return found

    @asynccontextmanager
    async def away(self) -> AsyncIterator[None]:
        """The disk is not mounted."""
        elsewhere = self.root.with_name("unmounted")
        self.root.rename(elsewhere)
        try:
            yield
        finally:
            elsewhere.rename(self.root)


@pytest.fixture
def disk(tmp_path: Path) -> Disk:
    return Disk(tmp_path / "objects")


@pytest_twisted.async_yield_fixture
async def store(tmp_path: Path) -> AsyncIterator[DiskStore]:
    """A running store in a directory of this test's own."""
    made = DiskStore(reactor, tmp_path / "objects")
    made.start()
    yield made
    await made.stop()


@pytest_twisted.async_yield_fixture
async def rig(store: DiskStore, disk: Disk) -> AsyncIterator[Rig]:
    """The store with two containers, which leaves nothing open after its end."""
    await store.create_container(HOME)
    await store.create_container(ELSEWHERE)
    yield Rig(store, disk.away, disk.unfinished)
    await store.stop()
    assert not [each for each in disk.unfinished() if ": " in each]
