"""Sizes come from names, else from the objects' ends, and are asked for once."""

from __future__ import annotations

import pytest
from attrs import evolve
from pytest_twisted import ensureDeferred

from stacksync.engine.content import chunk_sizes
from stacksync.engine.content.chunk_object import encode, name_of
from stacksync.engine.content.chunk_sizes import ChunkSizes
from stacksync.errors import ChunkNotFound, Unavailable
from stacksync.model import Content, Item, Workspace
from stacksync.streams import BytesStream
from tests.engine.content.builders import clients_content, file, noise
from tests.storage.memory import Fault, MemoryStore

CHUNKS = [noise(size, seed=size) for size in (1000, 1, 70_000)]
SIZES = [len(chunk) for chunk in CHUNKS]


async def clients_file(memory: MemoryStore, workspace: Workspace) -> Item:
    return file(workspace, await clients_content(memory, workspace.container, CHUNKS))


@ensureDeferred
async def test_our_names_tell_the_sizes(memory: MemoryStore, workspace: Workspace) -> None:
    names = tuple(map(name_of, CHUNKS))
    item = file(workspace, Content(names, sum(SIZES), 0, None))
    assert list(await ChunkSizes(memory).of(workspace.container, item) or ()) == SIZES
    assert not memory.calls
    nothing = file(workspace, Content((), 0, 0, None))
    assert list(await ChunkSizes(memory).of(workspace.container, nothing) or ()) == []


@ensureDeferred
async def test_the_ends_of_a_clients_objects_tell_them_and_are_remembered(
    memory: MemoryStore, workspace: Workspace
) -> None:
    item = await clients_file(memory, workspace)
    sizes = ChunkSizes(memory)
    assert list(await sizes.of(workspace.container, item) or ()) == SIZES
    assert (memory.given, memory.open_readers) == (4 * len(CHUNKS), 0)
    assert list(await sizes.of(workspace.container, item) or ()) == SIZES
    assert memory.calls["head"] == len(CHUNKS)
    # Other content is another matter.
    less = evolve(item, chunks=item.chunks[1:], size=item.size - SIZES[0])
    assert list(await sizes.of(workspace.container, less) or ()) == SIZES[1:]
    assert memory.calls["head"] == 2 * len(CHUNKS) - 1


@ensureDeferred
async def test_what_was_asked_for_longest_ago_is_forgotten(
    memory: MemoryStore, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chunk_sizes, "REMEMBERED_ITEMS", 2)
    item = await clients_file(memory, workspace)
    sizes = ChunkSizes(memory)
    asked = []
    for times in (1, 2, 1, 3, 1, 2):
        before = memory.calls["head"]
        repeated = evolve(item, chunks=item.chunks * times, size=item.size * times)
        await sizes.of(workspace.container, repeated)
        asked.append(memory.calls["head"] > before)
    assert asked == [True, True, False, True, False, True]
    monkeypatch.setattr(chunk_sizes, "REMEMBERED_CHUNKS", 2)
    for _ in range(2):
        before = memory.calls["head"]
        await sizes.of(
            workspace.container, evolve(item, chunks=item.chunks * 7, size=item.size * 7)
        )
        assert memory.calls["head"] > before


@ensureDeferred
async def test_sizes_that_do_not_make_up_the_file_are_not_believed(
    memory: MemoryStore, workspace: Workspace
) -> None:
    item = await clients_file(memory, workspace)
    sizes = ChunkSizes(memory)
    assert await sizes.of(workspace.container, evolve(item, size=item.size + 1)) is None
    memory.replace(workspace.container, item.chunks[1], b"no gzip")
    assert await sizes.of(workspace.container, item) is None
    memory.replace(workspace.container, item.chunks[1], encode(CHUNKS[1]))
    assert list(await sizes.of(workspace.container, item) or ()) == SIZES


@ensureDeferred
async def test_a_chunk_that_cannot_be_asked_is_told(
    memory: MemoryStore, workspace: Workspace
) -> None:
    item = await clients_file(memory, workspace)
    await memory.delete(workspace.container, item.chunks[2])
    with pytest.raises(ChunkNotFound, match=item.chunks[2]):
        await ChunkSizes(memory).of(workspace.container, item)
    await memory.put(workspace.container, item.chunks[2], BytesStream(encode(CHUNKS[2])))
    memory.faults.append(Fault("read", after=memory.calls["read"]))
    with pytest.raises(Unavailable, match="read fails"):
        await ChunkSizes(memory).of(workspace.container, item)
    assert memory.open_readers == 0
