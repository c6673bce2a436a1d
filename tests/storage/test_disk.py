"""What the disk store makes of a directory, and what it says when it can't."""

from __future__ import annotations

import os
import resource
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path

import pytest
from attrs import evolve
from pytest_twisted import ensureDeferred
from twisted.internet import reactor

from stacksync.config import Config, StorageConfig
from stacksync.errors import ConfigurationError, Unavailable
from stacksync.storage import DiskStore, store_for
from stacksync.streams import PIECE
from tests.db.observation import CapturedLog, until
from tests.storage.conftest import Disk
from tests.storage.contract.bodies import Pieces
from tests.storage.contract.rig import ELSEWHERE, HOME, Rig


@contextmanager
def no_file_larger_than(size: int) -> Iterator[None]:
    """Like a disk that is full: writing beyond this fails in the middle."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@ensureDeferred
async def test_an_object_is_a_file_that_an_operator_finds_by_its_name(rig: Rig, disk: Disk) -> None:
    await rig.put("chunk", b"content")

    shelf = sha256(b"chunk").hexdigest()[:2]
    assert disk.files == [disk.containers / HOME / shelf / "chunk"]
    assert disk.files[0].read_bytes() == b"content"


@ensureDeferred
async def test_nobody_else_may_read_what_is_stored(rig: Rig, disk: Disk) -> None:
    previous = os.umask(0)
    try:
        await rig.put("chunk", b"content")
        await rig.put("large", bytes(3 * PIECE))
    finally:
        os.umask(previous)

    for path in (disk.root, *disk.root.rglob("*")):
        expected = 0o700 if path.is_dir() else 0o600
        assert stat.S_IMODE(path.stat().st_mode) == expected, path


@ensureDeferred
async def test_objects_spread_over_many_directories(rig: Rig, disk: Disk) -> None:
    for number in range(100):
        await rig.put(f"chunk-{number}", b"")

    assert len(list((disk.containers / HOME).iterdir())) > 50


@ensureDeferred
@pytest.mark.parametrize("pieces", [1, 2, 4])
async def test_a_full_disk_is_named_and_keeps_nothing_half_written(
    rig: Rig, disk: Disk, pieces: int
) -> None:
    await rig.put("chunk", b"before")
    async with rig.nothing_left():
        with (
            no_file_larger_than(PIECE // 2),
            pytest.raises(Unavailable, match=f"cannot write {disk.containers}.*/chunk: File too"),
        ):
            await rig.store.put(HOME, "chunk", Pieces([bytes(PIECE)] * pieces))

    assert await rig.content("chunk") == b"before"
    assert len(disk.files) == 1


@ensureDeferred
async def test_trouble_is_logged_once_for_the_operator(
    rig: Rig, disk: Disk, logged: CapturedLog
) -> None:
    with no_file_larger_than(10):
        for _ in range(3):
            with pytest.raises(Unavailable):
                await rig.put("chunk", bytes(100))

    assert [str(event["problem"]) for event in logged.errors] == [
        f"cannot write {disk.containers / HOME / sha256(b'chunk').hexdigest()[:2] / 'chunk'}: "
        "File too large"
    ]


@ensureDeferred
async def test_what_stands_in_the_place_of_an_object_is_named(rig: Rig, disk: Disk) -> None:
    await rig.put("chunk", b"content")
    (path,) = disk.files
    path.unlink()
    path.mkdir()

    for operation in (
        rig.content("chunk"),
        rig.put("chunk", b"other"),
        rig.store.head(HOME, "chunk"),
    ):
        with pytest.raises(Unavailable, match=f"{path}: "):
            await operation
    assert await rig.names() == []


@ensureDeferred
async def test_a_pipe_in_the_place_of_an_object_keeps_nobody_waiting(rig: Rig, disk: Disk) -> None:
    await rig.put("chunk", b"content")
    (path,) = disk.files
    path.unlink()
    os.mkfifo(path)

    for operation in (rig.content("chunk"), rig.store.copy(HOME, "chunk", ELSEWHERE)):
        with pytest.raises(Unavailable, match="not a plain file"):
            await operation


@ensureDeferred
async def test_an_object_that_was_cut_short_is_no_short_object(rig: Rig, disk: Disk) -> None:
    await rig.put("chunk", bytes(3 * PIECE))
    stream = await rig.store.get(HOME, "chunk")
    os.truncate(disk.files[0], PIECE)
    await stream.read()

    for _ in range(2):
        with pytest.raises(Unavailable, match=r"ends at byte 1048576|earlier read"):
            await stream.read()


@ensureDeferred
async def test_a_page_is_full_although_some_files_are_no_objects(rig: Rig, disk: Disk) -> None:
    for name in ("a", "b", "c", "d"):
        await rig.put(name, b"content")
    for path in disk.files:
        if path.name in ("a", "c"):
            path.unlink()
            path.mkdir()
    (disk.files[0].parent / os.fsdecode(b"a-\xff")).touch()

    assert await rig.names(limit=2) == ["b", "d"]
    assert await rig.names(limit=1) == ["b"]


@ensureDeferred
async def test_who_reads_slowly_gets_what_was_there_when_it_began(rig: Rig) -> None:
    content = os.urandom(3 * PIECE)
    await rig.put("chunk", content)
    stream = await rig.store.get(HOME, "chunk")
    await rig.put("chunk", b"other")
    await rig.store.delete_container(HOME)

    read = b""
    while piece := await stream.read():
        read += piece
    assert read == content


@ensureDeferred
async def test_a_reader_that_gets_lost_leaves_nothing_open(rig: Rig) -> None:
    await rig.put("chunk", bytes(3 * PIECE))
    async with rig.nothing_left():
        await rig.store.get(HOME, "chunk")


@ensureDeferred
@pytest.mark.parametrize("part", ["containers", "incoming"])
async def test_a_directory_that_is_missing_is_named(rig: Rig, disk: Disk, part: str) -> None:
    directory = disk.root / part
    directory.rename(disk.root / "moved")

    with pytest.raises(Unavailable, match=f"{directory} is not there"):
        await rig.store.check()
    with pytest.raises(Unavailable, match=f"{directory} is not there"):
        await rig.put("chunk", b"content")


@pytest.mark.parametrize("occupied", ["objects", "objects/containers"])
def test_a_directory_that_cannot_be_is_named(tmp_path: Path, occupied: str) -> None:
    path = tmp_path / occupied
    path.parent.mkdir(exist_ok=True)
    path.touch()

    with pytest.raises(ConfigurationError, match=f"the storage directory {tmp_path}/objects can't"):
        DiskStore(reactor, tmp_path / "objects").start()


@ensureDeferred
async def test_the_settings_say_where_and_how(tmp_path: Path) -> None:
    config = Config.embedded(tmp_path / "home")
    for directory, expected in (
        (Path("objects"), tmp_path / "home" / "objects"),
        (tmp_path / "elsewhere", tmp_path / "elsewhere"),
    ):
        store = store_for(reactor, evolve(config, storage=StorageConfig(directory=directory)))
        store.start()
        await store.create_container(HOME)
        await store.stop()
        assert (expected / "containers" / HOME).is_dir()


@ensureDeferred
async def test_two_stores_on_one_directory_are_one(rig: Rig, disk: Disk) -> None:
    other = DiskStore(reactor, disk.root)
    other.start()
    await rig.put("chunk", b"content")

    assert await other.head(HOME, "chunk") == await rig.store.head(HOME, "chunk")
    assert await other.delete(HOME, "chunk")
    assert await rig.names() == []
    await other.delete_container(HOME)
    await rig.store.create_container(HOME)
    await rig.put("chunk", b"again")
    await other.stop()
    await until(lambda: not disk.unfinished())
