"""After a crash: what was there is there, nothing is half there, and what is left over goes."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from pytest_twisted import ensureDeferred
from twisted.internet import reactor

from stacksync.storage import DiskStore
from stacksync.storage.leftovers import KEPT_SECONDS
from tests.db.observation import CapturedLog, until
from tests.storage.conftest import Disk
from tests.storage.contract.rig import HOME, Rig

REPOSITORY = Path(__file__).parent.parent.parent


def kill_in_the_middle_of_a_put(disk: Disk, name: str) -> None:
    """Let another process put an object, and kill it when half of it is on disk."""
    command = [sys.executable, "-m", "tests.storage.killed_while_putting", disk.root, HOME, name]
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY)}
    with subprocess.Popen(
        command, cwd=REPOSITORY, env=environment, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "in the middle\n"
        finally:
            process.kill()


async def start_again(disk: Disk) -> DiskStore:
    store = DiskStore(reactor, disk.root)
    store.start()
    return store


@ensureDeferred
@pytest.mark.parametrize("before", [b"before", None], ids=["replacing", "new"])
async def test_a_kill_in_the_middle_of_a_put_leaves_what_was_there(
    rig: Rig, disk: Disk, before: bytes | None
) -> None:
    if before is not None:
        await rig.put("chunk", before)

    kill_in_the_middle_of_a_put(disk, "chunk")

    assert len(list(disk.incoming.iterdir())) == 1
    if before is None:
        assert await rig.store.head(HOME, "chunk") is None
        assert await rig.names() == []
    else:
        assert await rig.content("chunk") == before
    await rig.put("chunk", b"after")
    assert await rig.content("chunk") == b"after"


@ensureDeferred
async def test_what_a_crash_left_is_removed_when_it_is_old(
    rig: Rig, disk: Disk, logged: CapturedLog
) -> None:
    kill_in_the_middle_of_a_put(disk, "chunk")
    (leftover,) = disk.incoming.iterdir()
    young = disk.incoming / "somebody-else-writes-this-now"
    young.touch()
    for age, is_left in ((KEPT_SECONDS / 2, True), (KEPT_SECONDS * 2, False)):
        past = time.time() - age
        os.utime(leftover, (past, past))
        store = await start_again(disk)
        # It ends the sweep as well.
        await store.stop()
        assert leftover.exists() is is_left

    assert young.exists()
    assert not logged.errors


@ensureDeferred
async def test_a_container_that_a_crash_left_half_removed_is_removed(rig: Rig, disk: Disk) -> None:
    for number in range(10):
        await rig.put(f"chunk-{number}", b"content")
    (disk.containers / HOME).rename(disk.deleted / "random")

    store = await start_again(disk)
    await until(lambda: not list(disk.deleted.iterdir()))
    await store.stop()


@ensureDeferred
async def test_an_object_that_comes_while_its_container_goes_is_removed_at_the_next_start(
    rig: Rig, disk: Disk, monkeypatch: pytest.MonkeyPatch
) -> None:
    await rig.put("chunk", b"content")
    rmdir = os.rmdir

    def come_before(path: str, *, dir_fd: int) -> None:
        late = os.open(f"{path}/late", os.O_CREAT, dir_fd=dir_fd)
        os.close(late)
        rmdir(path, dir_fd=dir_fd)

    with monkeypatch.context() as meanwhile:
        meanwhile.setattr(os, "rmdir", come_before)
        await rig.store.delete_container(HOME)
    assert list(disk.deleted.iterdir())

    await (await start_again(disk)).stop()
    assert not list(disk.deleted.iterdir())


@ensureDeferred
async def test_what_cannot_be_removed_is_logged_and_hinders_nobody(
    rig: Rig, disk: Disk, logged: CapturedLog
) -> None:
    for path in (disk.incoming / "directory", disk.deleted / "file"):
        (path.mkdir if path.name == "directory" else path.touch)()
    os.utime(disk.incoming / "directory", (0, 0))

    store = await start_again(disk)
    await store.create_container(HOME)
    await store.stop()

    warned = [event["path"] for event in logged.events if "path" in event]
    assert warned == [str(disk.incoming / "directory"), str(disk.deleted / "file")]
