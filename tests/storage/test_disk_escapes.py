"""Nothing outside the store's directory is ever read or written, whatever a name or link says."""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pytest_twisted import ensureDeferred

from stacksync.errors import InvalidRequest, Unavailable
from stacksync.storage.disk_writer import IncomingFile
from stacksync.storage.names import location
from stacksync.storage.tree import Tree
from stacksync.streams import BytesStream
from tests.storage.conftest import Disk
from tests.storage.contract.rig import ELSEWHERE, HOME, Rig

NAMES = st.one_of(
    st.text(max_size=300),
    st.text(alphabet="./\\\0é~", max_size=12),
    st.lists(st.sampled_from(["..", ".", "/", "etc", "passwd", "\0"]), max_size=6).map("".join),
)


@given(container=NAMES, name=NAMES)
def test_every_name_is_refused_or_is_one_file_in_its_container(container: str, name: str) -> None:
    with TemporaryDirectory() as directory:
        tree = Tree(Path(directory, "objects"))
        tree.prepare()
        before = everything(directory)
        try:
            place = location(container, name)
        except InvalidRequest:
            return
        tree.make_container(place.container)
        IncomingFile(tree, place).finish([b"content"])

        parent = Path(directory, "objects", "containers", container)
        made = everything(directory) - before
        assert made == {parent, parent / place.shelf.decode(), Path(tree.path(place))}
        assert Path(tree.path(place)).name == name
        assert Path(tree.path(place)).read_bytes() == b"content"


def everything(directory: str) -> set[Path]:
    return set(Path(directory).rglob("*"))


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    """A directory that is none of the store's business, with a file in it."""
    directory = tmp_path / "outside"
    directory.mkdir()
    (directory / "chunk").write_text("private")
    return directory


Operation = Callable[[Rig, str], Awaitable[object]]
ON_OBJECTS = [
    pytest.param(lambda rig, container: rig.put("chunk", b"content", container), id="put"),
    pytest.param(lambda rig, container: rig.store.get(container, "chunk"), id="get"),
    pytest.param(lambda rig, container: rig.store.head(container, "chunk"), id="head"),
    pytest.param(lambda rig, container: rig.store.refresh(container, "chunk"), id="refresh"),
    pytest.param(lambda rig, container: rig.store.delete(container, "chunk"), id="delete"),
    pytest.param(lambda rig, container: rig.store.copy(container, "chunk", ELSEWHERE), id="copy"),
    pytest.param(lambda rig, container: rig.store.list(container), id="list"),
]
ON_CONTAINERS = [
    pytest.param(lambda rig, container: rig.store.create_container(container), id="create"),
    pytest.param(lambda rig, container: rig.store.delete_container(container), id="remove"),
]


@ensureDeferred
@pytest.mark.parametrize("operation", [*ON_OBJECTS, *ON_CONTAINERS])
async def test_a_container_that_is_a_link_is_refused(
    rig: Rig, disk: Disk, outside: Path, operation: Operation
) -> None:
    (disk.containers / "linked").symlink_to(outside)

    with pytest.raises(Unavailable, match=r"/linked is not a directory; symbolic links"):
        await operation(rig, "linked")
    assert untouched(outside)


@ensureDeferred
@pytest.mark.parametrize("operation", ON_OBJECTS)
async def test_a_directory_that_is_a_link_is_refused(
    rig: Rig, disk: Disk, outside: Path, operation: Operation
) -> None:
    await rig.put("chunk", b"content")
    shelf = disk.files[0].parent
    disk.files[0].unlink()
    shelf.rmdir()
    shelf.symlink_to(outside)

    with pytest.raises(Unavailable, match=f"{shelf} is not a directory; symbolic links"):
        await operation(rig, HOME)
    assert untouched(outside)


@ensureDeferred
async def test_an_object_that_is_a_link_is_not_followed(
    rig: Rig, disk: Disk, outside: Path
) -> None:
    await rig.put("chunk", b"content")
    (path,) = disk.files
    path.unlink()
    path.symlink_to(outside / "chunk")
    old = os.stat(outside / "chunk").st_mtime_ns

    for operation in (
        rig.store.get(HOME, "chunk"),
        rig.store.head(HOME, "chunk"),
        rig.store.refresh(HOME, "chunk"),
        rig.store.copy(HOME, "chunk", ELSEWHERE),
    ):
        with pytest.raises(Unavailable, match=path.name):
            await operation
    assert await rig.names() == []
    await rig.put("chunk", b"content")
    assert await rig.content("chunk") == b"content"
    assert untouched(outside)
    assert os.stat(outside / "chunk").st_mtime_ns == old


@ensureDeferred
async def test_a_link_in_a_container_goes_without_what_it_leads_to(
    rig: Rig, disk: Disk, outside: Path
) -> None:
    await rig.put("chunk", b"content")
    disk.files[0].with_name("link").symlink_to(outside)
    (disk.containers / HOME / "shelf").symlink_to(outside)

    await rig.store.delete_container(HOME)

    assert not list(disk.deleted.iterdir())
    assert untouched(outside)


@ensureDeferred
async def test_a_put_beside_a_link_does_not_write_through_it(
    rig: Rig, disk: Disk, outside: Path
) -> None:
    disk.incoming.rmdir()
    disk.incoming.symlink_to(outside)

    with pytest.raises(Unavailable, match="incoming is not a directory"):
        await rig.store.put(HOME, "chunk", BytesStream(b"content"))
    assert untouched(outside)


def untouched(outside: Path) -> bool:
    return [path.name for path in outside.iterdir()] == ["chunk"] and (
        (outside / "chunk").read_text() == "private"
    )
