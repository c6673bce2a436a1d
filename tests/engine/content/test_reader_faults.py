"""What is missing, damaged or broken is told, and never passed over."""

from __future__ import annotations

import pytest
from attrs import evolve
from pytest_twisted import ensureDeferred
from twisted.internet.defer import CancelledError, Deferred

from stacksync.engine.content import ContentStore
from stacksync.engine.content.chunk_object import encode
from stacksync.engine.content.reader import AHEAD
from stacksync.errors import DamagedContent, Unavailable
from stacksync.model import Item, Workspace
from tests.db.observation import until
from tests.engine.content.builders import (
    MIB,
    all_of,
    client_name,
    clients_content,
    file,
    in_pieces,
    noise,
)
from tests.storage.memory import Fault, MemoryStore

CONTENT = noise(5 * MIB)
SIZES = [100_000, 1, 0, 524_288, 524_288, 70_000]
CLIENTS = [noise(size, seed=number) for number, size in enumerate(SIZES)]


async def read(content: ContentStore, of: Workspace, item: Item, *ends: int) -> bytes:
    return await all_of(await content.reader(of, item, *ends))


@ensureDeferred
async def test_a_missing_chunk_is_named_before_anything_is_given(
    content: ContentStore, memory: MemoryStore, workspace: Workspace
) -> None:
    made = await content.put_content(workspace, "a", in_pieces(CONTENT))
    item = file(workspace, made, "film.avi")
    await memory.delete(workspace.container, made.chunks[0])
    words = rf"'film.avi' \(id 17\), version 3: chunk 1 of {len(made.chunks)}, {made.chunks[0]}"
    with pytest.raises(DamagedContent, match=words):
        await content.reader(workspace, item)
    del memory.held[workspace.container]
    with pytest.raises(DamagedContent, match=words):
        await content.reader(workspace, item)
    assert memory.open_readers == 0


async def given_before_it_failed(
    content: ContentStore, workspace: Workspace, item: Item, error: type[Exception], match: str
) -> bytes:
    reader = await content.reader(workspace, item)
    got = b""

    async def read_on() -> None:
        nonlocal got
        while piece := await reader.read():
            got += piece

    with pytest.raises(error, match=match):
        await read_on()
    return got


@ensureDeferred
async def test_a_chunk_that_is_missing_later_ends_the_reading_there(
    content: ContentStore, memory: MemoryStore, workspace: Workspace
) -> None:
    made = await content.put_content(workspace, "a", in_pieces(CONTENT))
    item = file(workspace, made)
    await memory.delete(workspace.container, made.chunks[-1])
    got = await given_before_it_failed(content, workspace, item, DamagedContent, made.chunks[-1])
    assert got == CONTENT[: len(got)]
    assert len(got) == len(CONTENT) - int(made.chunks[-1].rpartition("-")[2])
    assert memory.open_readers == 0


@pytest.mark.parametrize("size", [1000, 3 * MIB])
@ensureDeferred
async def test_a_damaged_chunk_is_never_given_whole(
    content: ContentStore, memory: MemoryStore, workspace: Workspace, size: int
) -> None:
    for plain in (noise(size), bytes(size)):
        for body in (
            encode(plain[:-1] + b"!"),
            encode(plain + b"!"),
            encode(plain[:-1]),
            encode(plain)[:-1],
            b"",
            b"no gzip, whatever it is",
        ):
            made = await clients_content(memory, workspace.container, [plain], [body])
            item = file(workspace, made)
            got = b""

            async def read_on() -> None:
                nonlocal got
                reader = await content.reader(workspace, item)  # noqa: B023
                while piece := await reader.read():
                    got += piece

            with pytest.raises(DamagedContent, match=made.chunks[0]):
                await read_on()
            assert len(got) < size
    assert memory.open_readers == 0


@ensureDeferred
async def test_chunks_of_ours_are_checked_too(
    content: ContentStore, memory: MemoryStore, workspace: Workspace
) -> None:
    made = await content.put_content(workspace, "a", in_pieces(CONTENT))
    item = file(workspace, made)
    other = memory.objects(workspace.container)[made.chunks[1]]
    memory.replace(workspace.container, made.chunks[2], other)
    got = await given_before_it_failed(
        content, workspace, item, DamagedContent, f"chunk 3 of .*{made.chunks[2]}: it holds"
    )
    assert got == CONTENT[: len(got)]


@pytest.mark.parametrize("difference", [1, -1, 10**6])
@ensureDeferred
async def test_content_that_is_not_as_long_as_the_file_is_told(
    content: ContentStore, memory: MemoryStore, workspace: Workspace, difference: int
) -> None:
    ours = await content.put_content(workspace, "a", in_pieces(CONTENT))
    clients = await clients_content(memory, workspace.container, CLIENTS)
    for made in (ours, clients):
        item = file(workspace, evolve(made, size=made.size + difference))
        got = await given_before_it_failed(content, workspace, item, DamagedContent, "its size")
        assert len(got) < item.size
        # Where the chunks' sizes do not add up, they are read one after the other.
        assert len(await read(content, workspace, item, 1000, 2000)) == 1000


@pytest.mark.parametrize("method", ["get", "read"])
@ensureDeferred
async def test_a_store_that_fails_ends_the_reading(
    content: ContentStore, memory: MemoryStore, workspace: Workspace, method: str
) -> None:
    made = await content.put_content(workspace, "a", in_pieces(noise(12 * MIB)))
    item = file(workspace, made)
    memory.faults.append(Fault(method, after=memory.calls[method]))
    with pytest.raises(Unavailable, match="fails"):
        await content.reader(workspace, item)
    memory.faults[:] = [Fault(method, after=memory.calls[method] + 9)]
    got = await given_before_it_failed(content, workspace, item, Unavailable, "fails")
    assert 0 < len(got) < made.size
    assert memory.open_readers == 0


@ensureDeferred
async def test_a_reading_that_is_given_up_holds_nothing(
    content: ContentStore, memory: MemoryStore, workspace: Workspace
) -> None:
    made = await content.put_content(workspace, "a", in_pieces(noise(12 * MIB)))
    item = file(workspace, made)
    memory.faults.append(Fault("read", after=memory.calls["read"], stalls=True))
    opening = Deferred.fromCoroutine(content.reader(workspace, item))
    await until(lambda: len(memory.stalled) == 1 + AHEAD)
    opening.cancel()
    with pytest.raises(CancelledError):
        await opening
    await until(lambda: memory.open_readers == 0)
    assert memory.stalled == []


@ensureDeferred
async def test_a_reader_can_be_closed_while_it_reads(
    content: ContentStore, memory: MemoryStore, workspace: Workspace
) -> None:
    for made in (
        await content.put_content(workspace, "a", in_pieces(noise(12 * MIB))),
        await clients_content(memory, workspace.container, [noise(12 * MIB)]),
    ):
        reader = await content.reader(workspace, file(workspace, made))
        await reader.read()
        memory.faults.append(Fault("read", after=memory.calls["read"], stalls=True))

        async def read_on() -> None:
            while await reader.read():  # noqa: B023
                pass

        reading = Deferred.fromCoroutine(read_on())
        await until(lambda: memory.stalled)
        await reader.close()
        memory.go_on()
        with pytest.raises((Unavailable, CancelledError)):
            await reading
        assert memory.open_readers == 0


@ensureDeferred
async def test_a_missing_chunk_whose_size_must_be_asked_for_is_told(
    content: ContentStore, memory: MemoryStore, workspace: Workspace
) -> None:
    made = await clients_content(memory, workspace.container, CLIENTS)
    item = file(workspace, made)
    await memory.delete(workspace.container, client_name(CLIENTS[3]))
    with pytest.raises(DamagedContent, match=client_name(CLIENTS[3])):
        await content.reader(workspace, item, 1, 2)
