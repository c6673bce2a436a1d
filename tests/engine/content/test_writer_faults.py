"""An upload that goes wrong stops at once and leaves nothing running."""

from __future__ import annotations

import pytest
from attrs import evolve
from pytest_twisted import ensureDeferred
from twisted.internet import reactor
from twisted.internet.defer import CancelledError, Deferred

from stacksync.config import LimitsConfig
from stacksync.engine.content import ContentStore
from stacksync.engine.content.cutting import LARGEST
from stacksync.engine.content.writer import STORED_AT_ONCE
from stacksync.errors import IncompleteBody, TooLarge, Unavailable
from stacksync.model import Workspace
from tests.db.observation import until
from tests.engine.content.builders import MIB, Doomed, Pieces, in_pieces, noise
from tests.storage.memory import Fault, MemoryStore

CONTENT = noise(5 * MIB)


@ensureDeferred
async def test_what_came_before_a_body_broke_off_is_kept(
    content: ContentStore, memory: MemoryStore, workspace: Workspace
) -> None:
    whole = await content.put_content(workspace, "a", in_pieces(CONTENT))
    writer = content.writer(workspace, "a")
    with pytest.raises(IncompleteBody):
        await writer.write(
            Pieces([CONTENT[: 2 * MIB], CONTENT[2 * MIB : 4 * MIB]], breaks_off=True)
        )
    state = writer.state
    assert state.size == 4 * MIB
    writer = content.writer(workspace, "a", state)
    await writer.write(Pieces([CONTENT[4 * MIB :]]))
    assert await writer.finish() == whole


@ensureDeferred
async def test_too_many_chunks_are_refused_while_they_come(
    memory: MemoryStore, doomed: Doomed, workspace: Workspace
) -> None:
    limits = evolve(LimitsConfig(), chunks_per_item=3)
    content = ContentStore(reactor, memory, doomed, limits, 2)
    body = in_pieces(bytes(100 * LARGEST))
    with pytest.raises(TooLarge, match="3 chunks"):
        await content.put_content(workspace, "a", body)
    assert body.given < 10 * LARGEST
    made = await content.put_content(workspace, "a", in_pieces(bytes(3 * LARGEST)))
    assert len(made.chunks) == 3
    with pytest.raises(TooLarge, match="3 chunks"):
        await content.put_content(workspace, "a", in_pieces(bytes(3 * LARGEST + 1)))
    content.stop()


@pytest.mark.parametrize("method", ["refresh", "put", "create_container"])
@pytest.mark.parametrize("after", [0, 3])
@ensureDeferred
async def test_a_store_that_fails_ends_the_upload(
    content: ContentStore, memory: MemoryStore, workspace: Workspace, method: str, after: int
) -> None:
    memory.faults.append(Fault(method, after=after if method != "create_container" else 0))
    body = in_pieces(noise(60 * MIB))
    writer = content.writer(workspace, "a")
    with pytest.raises(Unavailable, match=f"{method} fails"):
        await writer.write(body)
    assert memory.running == 0
    assert body.given < 20 * MIB
    reads = body.reads
    with pytest.raises(RuntimeError):
        _ = writer.state
    memory.faults.clear()
    assert (await content.put_content(workspace, "a", in_pieces(CONTENT))).size == len(CONTENT)
    assert body.reads == reads


@ensureDeferred
async def test_a_store_that_stalls_holds_the_sender_up(
    content: ContentStore, memory: MemoryStore, workspace: Workspace
) -> None:
    memory.faults.append(Fault("put", stalls=True))
    body = in_pieces(noise(60 * MIB))
    writing = Deferred.fromCoroutine(content.put_content(workspace, "a", body))
    await until(lambda: len(memory.stalled) == STORED_AT_ONCE)
    given = -1
    while given != body.given:
        given = body.given
        await content.threads.run(abs, 1)
        await content.threads.run(abs, 1)
    assert body.given < 12 * MIB
    assert memory.running == STORED_AT_ONCE
    memory.go_on()
    assert (await writing).size == 60 * MIB


@ensureDeferred
async def test_a_writer_that_is_given_up_leaves_nothing_running(
    content: ContentStore, memory: MemoryStore, workspace: Workspace
) -> None:
    memory.faults.append(Fault("put", after=2, stalls=True))
    body = in_pieces(noise(60 * MIB))
    writing = Deferred.fromCoroutine(content.put_content(workspace, "a", body))
    await until(lambda: len(memory.stalled) == STORED_AT_ONCE)
    writing.cancel()
    with pytest.raises(CancelledError):
        await writing
    assert (memory.running, memory.stalled) == (0, [])
    reads = body.reads
    await content.threads.run(abs, 1)
    assert body.reads == reads


@ensureDeferred
async def test_a_writer_that_is_given_up_stops_to_read(
    content: ContentStore, workspace: Workspace
) -> None:
    class Silent(Pieces):
        cancelled = False

        async def read(self) -> bytes:
            try:
                await Deferred()
            except CancelledError:
                self.cancelled = True
                raise
            return b""

    body = Silent([])
    writing = Deferred.fromCoroutine(content.put_content(workspace, "a", body))
    writing.cancel()
    with pytest.raises(CancelledError):
        await writing
    assert body.cancelled


@ensureDeferred
async def test_a_writer_that_is_given_up_while_it_stores_stops_to_read_ahead(
    content: ContentStore, memory: MemoryStore, workspace: Workspace
) -> None:
    class Stalling(Pieces):
        waiting = 0

        async def read(self) -> bytes:
            piece = await super().read()
            if not piece:
                self.waiting += 1
                try:
                    await Deferred()
                finally:
                    self.waiting -= 1
            return piece

    memory.faults.append(Fault("put", stalls=True))
    body = Stalling([noise(8 * MIB)])
    writing = Deferred.fromCoroutine(content.put_content(workspace, "a", body))
    await until(lambda: body.waiting and len(memory.stalled) == STORED_AT_ONCE)
    writing.cancel()
    with pytest.raises(CancelledError):
        await writing
    assert (body.waiting, memory.running) == (0, 0)
