"""Files come in cut, each chunk is stored once, and what goes wrong leaves nothing running."""

from __future__ import annotations

import gzip
import tracemalloc
import zlib
from collections.abc import Iterator

import pytest
from pytest_twisted import ensureDeferred
from twisted.internet import reactor
from twisted.internet.task import Clock

from stacksync.config import LimitsConfig
from stacksync.engine.content import ContentStore, ContentWriter
from stacksync.engine.content.chunk_keeper import ChunkKeeper
from stacksync.engine.content.chunk_object import name_of
from stacksync.engine.content.cutting import LARGEST
from stacksync.engine.content.threads import ContentThreads
from stacksync.engine.content.writer import FRESH, WriterState
from stacksync.errors import Unavailable
from stacksync.interfaces import IByteStream
from stacksync.model import BlobInfo, Workspace
from tests.engine.content.builders import MIB, NOON, Doomed, Pieces, all_of, in_pieces, noise
from tests.engine.content.test_cutting import cut
from tests.storage.memory import MemoryStore

CONTENT = noise(5 * MIB)


def held(memory: MemoryStore, workspace: Workspace, names: tuple[str, ...]) -> bytes:
    objects = memory.objects(workspace.container)
    return b"".join(gzip.decompress(objects[name]) for name in names)


@pytest.mark.parametrize("size", [0, 1, 1000, LARGEST, LARGEST + 1, len(CONTENT)])
@ensureDeferred
async def test_what_comes_in_is_kept(
    content: ContentStore, memory: MemoryStore, workspace: Workspace, size: int
) -> None:
    for plain in (CONTENT[:size], bytes(size)):
        made = await content.put_content(workspace, "a.bin", in_pieces(plain))
        assert made.chunks == tuple(name_of(chunk) for chunk in cut(plain))
        assert (made.size, made.checksum) == (size, zlib.adler32(plain))
        assert held(memory, workspace, made.chunks) == plain


@ensureDeferred
async def test_nothing_has_no_chunks(content: ContentStore, workspace: Workspace) -> None:
    made = await content.put_content(workspace, "empty.txt", Pieces([]))
    assert (made.chunks, made.size, made.checksum, made.mimetype) == ((), 0, 1, "text/plain")


@ensureDeferred
async def test_the_type_is_told_by_the_content_unless_the_sender_knows(
    content: ContentStore, workspace: Workspace
) -> None:
    pdf = b"%PDF-1.7\n" + CONTENT
    made = await content.put_content(workspace, "a.txt", in_pieces(pdf))
    assert made.mimetype == "application/pdf"
    made = await content.put_content(workspace, "a.txt", in_pieces(pdf), mimetype="x/y")
    assert made.mimetype == "x/y"


@ensureDeferred
async def test_the_same_content_is_stored_once(
    content: ContentStore, memory: MemoryStore, workspace: Workspace
) -> None:
    made = await content.put_content(workspace, "a", in_pieces(CONTENT))
    puts = memory.calls["put"]
    assert puts == len(made.chunks)
    assert await content.put_content(workspace, "a", in_pieces(CONTENT, 999_999)) == made
    assert memory.calls["put"] == puts


@ensureDeferred
async def test_content_that_repeats_itself_is_stored_once(
    content: ContentStore, memory: MemoryStore, workspace: Workspace
) -> None:
    made = await content.put_content(workspace, "a", in_pieces(bytes(20 * LARGEST)))
    assert len(made.chunks) == 20
    assert (memory.calls["put"], memory.calls["refresh"]) == (1, 1)


@ensureDeferred
async def test_a_byte_in_the_middle_of_64_mib_costs_a_few_chunks(
    content: ContentStore, memory: MemoryStore, workspace: Workspace
) -> None:
    plain = noise(64 * MIB)
    before = await content.put_content(workspace, "a", in_pieces(plain, MIB))
    puts = memory.calls["put"]
    plain = plain[: 32 * MIB] + b"!" + plain[32 * MIB :]
    after = await content.put_content(workspace, "a", in_pieces(plain, MIB))
    assert memory.calls["put"] - puts == len(set(after.chunks) - set(before.chunks)) <= 3
    assert after.size == before.size + 1


@ensureDeferred
async def test_a_writer_goes_on_from_a_state(
    content: ContentStore, memory: MemoryStore, workspace: Workspace
) -> None:
    whole = await content.put_content(workspace, "a.pdf", in_pieces(b"%PDF-1.7\n" + CONTENT))
    state = WriterState()
    for piece in (
        b"%PD",
        b"F-1.7\n",
        CONTENT[:100],
        CONTENT[100 : 3 * MIB],
        b"",
        CONTENT[3 * MIB :],
    ):
        writer = content.writer(workspace, "a.pdf", state)
        await writer.write(Pieces([piece]))
        state = writer.state
        assert len(state.tail) < LARGEST
        held(memory, workspace, state.chunks)
    assert await content.writer(workspace, "a.pdf", state).finish() == whole


@ensureDeferred
async def test_one_writer_takes_several_bodies(content: ContentStore, workspace: Workspace) -> None:
    whole = await content.put_content(workspace, "a", in_pieces(CONTENT))
    writer = content.writer(workspace, "a")
    for begin in range(0, len(CONTENT), MIB):
        await writer.write(in_pieces(CONTENT[begin : begin + MIB]))
    assert await writer.finish() == whole


@ensureDeferred
async def test_chunks_of_a_slow_upload_are_made_young_before_the_commit(
    memory: MemoryStore, doomed: Doomed, workspace: Workspace
) -> None:
    clock = Clock()
    threads = ContentThreads(reactor, 2)
    writer = ContentWriter(
        workspace, "a", WriterState(), ChunkKeeper(memory, doomed), threads, 1000, clock.seconds
    )
    await writer.write(in_pieces(CONTENT[: 4 * MIB]))
    early = len(writer.state.chunks)
    clock.advance(FRESH + 1)
    await writer.write(in_pieces(CONTENT[4 * MIB :]))
    refreshes = memory.calls["refresh"]
    names = writer.state.chunks[:early]
    made = await writer.finish()
    # The last chunk is new; those before the pause are looked after once more.
    assert memory.calls["refresh"] == refreshes + 1 + early
    assert sorted(doomed.claimed) == sorted(names)

    writer = ContentWriter(
        workspace, "a", WriterState(), ChunkKeeper(memory, doomed), threads, 1000, clock.seconds
    )
    await writer.write(in_pieces(CONTENT))
    clock.advance(FRESH + 1)
    await memory.delete(workspace.container, made.chunks[0])
    with pytest.raises(Unavailable, match=f"{made.chunks[0]} was removed"):
        await writer.finish()
    threads.stop()


class ForgetfulStore(MemoryStore):
    """Reads what it is to keep, and keeps nothing of it."""

    async def put(self, container: str, name: str, body: IByteStream) -> BlobInfo:
        size = len(await all_of(body))
        return BlobInfo(name, size, NOON)


@ensureDeferred
async def test_memory_stays_within_a_few_chunks_whatever_the_size(
    doomed: Doomed, workspace: Workspace
) -> None:
    content = ContentStore(reactor, ForgetfulStore(), doomed, LimitsConfig(), 2)
    block = noise(MIB)
    peak = 0

    def pieces() -> Iterator[bytes]:
        nonlocal peak
        for number in range(200):
            # Each is another one, and still no work to make.
            yield number.to_bytes(4, "big") * 1024 + block[4096:]
            peak = max(peak, tracemalloc.get_traced_memory()[1])

    await content.put_content(workspace, "a", Pieces([block]))
    tracemalloc.start()
    try:
        made = await content.put_content(workspace, "a", Pieces(pieces()))
    finally:
        tracemalloc.stop()
        content.stop()
    assert made.size == 200 * MIB
    assert len(set(made.chunks)) > 200
    assert peak < 16 * MIB, peak
