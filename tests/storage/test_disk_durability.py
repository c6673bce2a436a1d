"""In what order things reach the disk: an object that is told of outlives a power failure.

No test can cut the power.  What is checked is that the bytes are synced before
they get their name, and the name before it is told.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from typing import Any

import pytest
from pytest_twisted import ensureDeferred

from stacksync.errors import Unavailable
from stacksync.streams import PIECE
from tests.storage.conftest import Disk
from tests.storage.contract.bodies import Pieces
from tests.storage.contract.rig import ELSEWHERE, HOME, Rig


@pytest.fixture
def steps(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What has been done to the disk: ``sync <path>``, ``rename``, ``mkdir``."""
    done: list[str] = []

    def note(name: str, describe: Callable[..., str]) -> None:
        real = getattr(os, name)

        def noted(*args: Any, **options: Any) -> Any:
            done.append(describe(*args))
            return real(*args, **options)

        monkeypatch.setattr(os, name, noted)

    def synced(descriptor: int) -> str:
        return f"sync {os.readlink(f'/proc/self/fd/{descriptor}')}"

    note("fsync", synced)
    note("rename", lambda source, target: "rename")
    note("mkdir", lambda path, mode: "mkdir")
    return done


def is_sync_of(step: str, directory: os.PathLike[str]) -> bool:
    return step.startswith(f"sync {directory}/")


@ensureDeferred
@pytest.mark.parametrize("pieces", [1, 4])
async def test_bytes_are_synced_before_they_get_their_name_and_the_name_after(
    rig: Rig, disk: Disk, steps: list[str], pieces: int
) -> None:
    await rig.put("chunk", b"before")
    steps.clear()

    await rig.store.put(HOME, "chunk", Pieces([bytes(PIECE)] * pieces))

    file, rename, directory = steps
    assert is_sync_of(file, disk.incoming)
    assert rename == "rename"
    assert directory == f"sync {disk.files[0].parent}"


@ensureDeferred
async def test_a_new_directory_is_synced_into_its_parent(
    rig: Rig, disk: Disk, steps: list[str]
) -> None:
    await rig.put("chunk", b"content")

    assert steps[1:-2] == ["mkdir", f"sync {disk.containers / HOME}"]

    steps.clear()
    await rig.store.create_container("workspace-3")
    assert steps == ["mkdir", f"sync {disk.containers}"]


@ensureDeferred
async def test_a_directory_that_another_process_has_made_is_synced_as_well(
    rig: Rig, disk: Disk, steps: list[str]
) -> None:
    await rig.put("chunk", b"content")
    shelf = disk.files[0].parent.name
    (disk.containers / ELSEWHERE / shelf).mkdir()
    steps.clear()

    await rig.put("chunk", b"content", ELSEWHERE)

    assert f"sync {disk.containers / ELSEWHERE}" in steps


@ensureDeferred
async def test_a_copy_is_synced_with_its_name(rig: Rig, disk: Disk, steps: list[str]) -> None:
    await rig.put("chunk", b"content")
    steps.clear()

    await rig.store.copy(HOME, "chunk", ELSEWHERE)

    shelf = disk.files[0].parent.name
    assert steps[0] == f"sync {disk.files[0]}"
    assert steps[-2:] == ["rename", f"sync {disk.containers / ELSEWHERE / shelf}"]


@ensureDeferred
async def test_a_copy_takes_no_room(rig: Rig, disk: Disk) -> None:
    await rig.put("chunk", b"content")
    await rig.store.copy(HOME, "chunk", ELSEWHERE)

    one, other = disk.files
    assert one.stat().st_ino == other.stat().st_ino


@ensureDeferred
@pytest.mark.parametrize("problem", [errno.EPERM, errno.EMLINK, errno.EXDEV, errno.EOPNOTSUPP])
async def test_a_copy_is_made_of_bytes_where_there_can_be_no_link(
    rig: Rig, disk: Disk, monkeypatch: pytest.MonkeyPatch, problem: int
) -> None:
    def no_link(*args: object, **options: object) -> None:
        raise OSError(problem, os.strerror(problem))

    monkeypatch.setattr(os, "link", no_link)
    content = os.urandom(2 * PIECE + 7)
    await rig.put("chunk", content)
    async with rig.nothing_left():
        info = await rig.store.copy(HOME, "chunk", ELSEWHERE)

    one, other = disk.files
    assert one.stat().st_ino != other.stat().st_ino
    assert info == await rig.store.head(ELSEWHERE, "chunk")
    assert await rig.content("chunk", ELSEWHERE) == content


@ensureDeferred
@pytest.mark.parametrize("call", ["fsync", "writev", "rename"])
async def test_a_disk_that_fails_is_told_and_leaves_what_was_there(
    rig: Rig, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    def fail(*args: object, **options: object) -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    await rig.put("chunk", b"before")
    async with rig.nothing_left():
        with monkeypatch.context() as failing:
            failing.setattr(os, call, fail)
            with pytest.raises(Unavailable, match="/chunk: Input/output error"):
                await rig.put("chunk", bytes(3 * PIECE))

    assert await rig.content("chunk") == b"before"
