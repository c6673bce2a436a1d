"""Any range of any content is given exactly, from the chunks it needs, or reading fails."""

from __future__ import annotations

import gzip
import tracemalloc

import pytest
from attrs import evolve
from hypothesis import given, settings
from hypothesis import strategies as st
from pytest_twisted import ensureDeferred
from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.internet.threads import blockingCallFromThread, deferToThread

from stacksync.engine.content import ContentStore
from stacksync.engine.content.reader import AHEAD
from stacksync.model import Content, Item, Workspace
from stacksync.streams import PIECE
from tests.engine.content.builders import (
    MIB,
    all_of,
    clients_content,
    file,
    in_pieces,
    noise,
)
from tests.storage.memory import MemoryStore

CONTENT = noise(5 * MIB)
SIZES = [100_000, 1, 0, 524_288, 524_288, 70_000]
CLIENTS = [noise(size, seed=number) for number, size in enumerate(SIZES)]


async def read(content: ContentStore, of: Workspace, item: Item, *ends: int) -> bytes:
    return await all_of(await content.reader(of, item, *ends))


@pytest.mark.parametrize("size", [0, 1, 2 * MIB, len(CONTENT)])
@ensureDeferred
async def test_what_was_kept_is_given(
    content: ContentStore, memory: MemoryStore, workspace: Workspace, size: int
) -> None:
    for plain in (CONTENT[:size], bytes(size)):
        item = file(workspace, await content.put_content(workspace, "a", in_pieces(plain)))
        reader = await content.reader(workspace, item)
        pieces = []
        while piece := await reader.read():
            pieces.append(piece)
        assert b"".join(pieces) == plain
        assert all(len(piece) <= PIECE for piece in pieces)
        assert await reader.read() == b""
        await reader.close()
        await reader.close()
    assert memory.open_readers == 0


@ensureDeferred
async def test_any_range_of_any_content_is_as_if_sliced(
    content: ContentStore, memory: MemoryStore, workspace: Workspace
) -> None:
    ours = await content.put_content(workspace, "a", in_pieces(CONTENT))
    clients = await clients_content(memory, workspace.container, CLIENTS)
    twins = [chunk + b"twin" for chunk in CLIENTS]
    members = [gzip.compress(chunk[:9]) + gzip.compress(chunk[9:]) for chunk in twins]
    several = await clients_content(memory, workspace.container, twins, members)
    mixed = Content((*clients.chunks, *ours.chunks), clients.size + ours.size, 0, None)
    files = {
        "ours": (CONTENT, ours),
        "clients": (b"".join(CLIENTS), clients),
        "several members": (b"".join(twins), several),
        "mixed": (b"".join(CLIENTS) + CONTENT, mixed),
    }
    examples = 0

    @settings(max_examples=80, deadline=None)
    @given(kind=st.sampled_from(sorted(files)), ends=st.tuples(st.floats(0, 1), st.floats(0, 1)))
    def check(kind: str, ends: tuple[float, float]) -> None:
        nonlocal examples
        whole, made = files[kind]
        start, stop = sorted(round(end * len(whole)) for end in ends)

        def reading() -> Deferred[bytes]:
            item = file(workspace, made)
            return Deferred.fromCoroutine(read(content, workspace, item, start, stop))

        assert blockingCallFromThread(reactor, reading) == whole[start:stop]
        assert memory.open_readers == 0
        examples += 1

    # Hypothesis is not of the kind that waits.
    await deferToThread(check)
    assert examples >= 80


@ensureDeferred
async def test_ranges_at_every_boundary(
    content: ContentStore, memory: MemoryStore, workspace: Workspace
) -> None:
    made = await clients_content(memory, workspace.container, CLIENTS)
    item, whole = file(workspace, made), b"".join(CLIENTS)
    edges = [sum(SIZES[:number]) for number in range(len(SIZES) + 1)]
    for start in edges:
        for stop in edges:
            if start <= stop:
                assert await read(content, workspace, item, start, stop) == whole[start:stop]


@ensureDeferred
async def test_only_the_chunks_of_a_range_are_read(
    content: ContentStore, memory: MemoryStore, workspace: Workspace
) -> None:
    made = await content.put_content(workspace, "a", in_pieces(CONTENT))
    item = file(workspace, made)
    sizes = [int(name.rpartition("-")[2]) for name in made.chunks]
    begin = sum(sizes[:2])
    memory.names_read.clear()
    assert await read(content, workspace, item, begin, begin + 1) == CONTENT[begin : begin + 1]
    assert memory.names_read == [made.chunks[2]]
    memory.names_read.clear()
    got = await read(content, workspace, item, begin - 1, begin + 1)
    assert got == CONTENT[begin - 1 : begin + 1]
    assert memory.names_read == list(made.chunks[1:3])
    memory.names_read.clear()
    assert await read(content, workspace, item, 7, 7) == b""
    assert memory.names_read == []


@ensureDeferred
async def test_of_a_clients_chunks_no_more_than_the_sizes_are_read(
    content: ContentStore, memory: MemoryStore, workspace: Workspace
) -> None:
    made = await clients_content(memory, workspace.container, CLIENTS)
    item = file(workspace, made)
    assert len(await read(content, workspace, item, sum(SIZES[:4]), sum(SIZES[:5]))) == SIZES[4]
    chunk = len(memory.objects(workspace.container)[made.chunks[4]])
    assert memory.given == 4 * len(SIZES) + chunk


@ensureDeferred
async def test_chunks_are_fetched_ahead_but_not_far(
    content: ContentStore, memory: MemoryStore, workspace: Workspace
) -> None:
    made = await content.put_content(workspace, "a", in_pieces(noise(12 * MIB)))
    assert len(made.chunks) > 10
    reader = await content.reader(workspace, file(workspace, made))
    assert memory.names_read == list(made.chunks[: 1 + AHEAD])
    await reader.read()
    assert len(memory.names_read) <= 2 + AHEAD
    await reader.close()
    assert memory.open_readers == 0


@ensureDeferred
async def test_a_huge_chunk_of_a_client_is_read_bit_by_bit(
    content: ContentStore, memory: MemoryStore, workspace: Workspace
) -> None:
    plain = noise(24 * MIB) + bytes(200 * MIB)
    made = await clients_content(memory, workspace.container, [plain, b"end"])
    reader = await content.reader(workspace, file(workspace, made))
    size = 0
    tracemalloc.start()
    try:
        while piece := await reader.read():
            assert plain.startswith(piece, size) or size + len(piece) > len(plain)
            size += len(piece)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert size == len(plain) + 3
    assert peak < 16 * MIB, peak


@ensureDeferred
async def test_a_chunk_of_no_telling_name_is_read(
    content: ContentStore, memory: MemoryStore, workspace: Workspace
) -> None:
    made = await clients_content(memory, workspace.container, [b"some", b"thing"])
    held = memory.held[workspace.container]
    for number, name in enumerate(made.chunks):
        held[f"c{number}"] = held[name]
    item = file(workspace, evolve(made, chunks=("c0", "c1")))
    assert await read(content, workspace, item) == b"something"
    assert await read(content, workspace, item, 5, 7) == b"hi"
