"""Bodies too large to be kept: whole or not at all, and never in memory as a whole."""

from __future__ import annotations

import hashlib
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from attrs import define
from pytest_twisted import ensureDeferred
from twisted.internet import reactor
from twisted.internet.defer import Deferred, gatherResults
from twisted.internet.task import deferLater
from zope.interface import implementer

from stacksync.errors import ContainerNotFound, IncompleteBody, Unavailable
from stacksync.interfaces import IByteStream
from stacksync.storage import SwiftStore
from stacksync.storage.swift.answer import AnswerBody
from stacksync.storage.swift.bodies import KEPT
from stacksync.streams import PIECE, BytesStream, read_all
from tests.db.observation import until
from tests.servers.openstack.server import OpenStackServer
from tests.storage.contract.bodies import Fed, LosingItsStore, Pieces
from tests.storage.contract.rig import HOME, LIMIT, NOWHERE
from tests.storage.swift.conftest import Wire

LARGE = KEPT // PIECE + 3
HUGE = 64
SOCKETS = 10 * PIECE
"""What the kernel may hold of a connection on the loopback interface, both sides."""


@implementer(IByteStream)
@define(eq=False)
class Generated:
    """So many pieces that differ; counts those that were asked for."""

    pieces: int
    asked: int = 0

    async def read(self) -> bytes:
        if self.asked == self.pieces:
            return b""
        self.asked += 1
        return self.asked.to_bytes(4, "big") * (PIECE // 4)

    async def close(self) -> None:
        pass


def memory() -> int:
    """Bytes of this process that are in memory."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


@contextmanager
def stopped(pid: int) -> Iterator[None]:
    """A process that is there and does nothing."""
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


@ensureDeferred
async def test_a_large_body_that_breaks_off_leaves_what_was_there(store: SwiftStore) -> None:
    await store.put(HOME, "chunk", BytesStream(b"before"))
    for name in ("chunk", "new"):
        with pytest.raises(IncompleteBody):
            await store.put(HOME, name, Pieces([bytes(PIECE)] * LARGE, IncompleteBody("went away")))

    assert await read_all(await store.get(HOME, "chunk"), LIMIT) == b"before"
    assert [each.name for each in await store.list(HOME)] == ["chunk"]
    assert store.in_use == 0


@ensureDeferred
async def test_a_large_put_can_be_cancelled(store: SwiftStore) -> None:
    await store.put(HOME, "chunk", BytesStream(b"before"))
    body = Fed()
    putting = Deferred.fromCoroutine(store.put(HOME, "chunk", body))
    for _ in range(LARGE):
        await until(lambda: body.is_awaited)
        body.feed(bytes(PIECE))
    await until(lambda: body.is_awaited)
    assert store.in_use == 1
    putting.addErrback(lambda failure: None)
    putting.cancel()

    assert putting.called
    assert store.in_use == 0
    assert await read_all(await store.get(HOME, "chunk"), LIMIT) == b"before"


@ensureDeferred
async def test_a_large_body_for_no_container_is_not_read_on(store: SwiftStore) -> None:
    body = Generated(HUGE)
    with pytest.raises(ContainerNotFound, match=NOWHERE):
        await store.put(NOWHERE, "chunk", body)

    assert body.asked <= LARGE


@ensureDeferred
async def test_a_large_put_that_loses_swift_leaves_what_was_there(wire: Wire) -> None:
    store = wire.store
    await store.create_container(HOME)
    await store.put(HOME, "chunk", BytesStream(b"before"))

    async def cut() -> None:
        wire.proxy.cut()

    class LosingItLate(LosingItsStore):
        async def read(self) -> bytes:
            if self._reads < LARGE:
                self._reads += 1
                return bytes(PIECE)
            self._reads = 2
            return await super().read()

    with pytest.raises(Unavailable, match=r"^storage: .*connection"):
        await store.put(HOME, "chunk", LosingItLate(cut))

    assert await read_all(await store.get(HOME, "chunk"), LIMIT) == b"before"


@ensureDeferred
async def test_of_many_large_puts_of_a_name_one_wins_whole(store: SwiftStore) -> None:
    async def put(number: int) -> None:
        try:
            await store.put(HOME, "chunk", Pieces([bytes([number]) * PIECE] * LARGE))
        except Unavailable:
            # Another that began later was there first.
            pass

    await gatherResults([Deferred.fromCoroutine(put(number)) for number in range(4)])

    content = await read_all(await store.get(HOME, "chunk"), LIMIT)
    assert content == content[:1] * (LARGE * PIECE)


@ensureDeferred
async def test_a_swift_that_does_not_take_more_gets_no_more(
    own_store: SwiftStore, own_openstack: OpenStackServer
) -> None:
    body = Generated(HUGE)
    putting = Deferred.fromCoroutine(own_store.put(HOME, "chunk", body))
    await until(lambda: body.asked > LARGE)
    with stopped(own_openstack.swift.pid):
        asked = -1
        while asked != body.asked:
            asked = body.asked
            await deferLater(reactor, 0.2)
        assert asked * PIECE <= KEPT + LARGE * PIECE + SOCKETS
        assert not putting.called

    info = await putting
    assert info.size == HUGE * PIECE


@ensureDeferred
async def test_memory_does_not_grow_with_the_object(store: SwiftStore) -> None:
    before = memory()
    highest = 0

    info = await store.put(HOME, "chunk", Generated(HUGE))
    highest = max(highest, memory() - before)
    assert info.size == HUGE * PIECE
    assert await store.head(HOME, "chunk") == info

    stream = await store.get(HOME, "chunk")
    expected, digest = hashlib.sha256(), hashlib.sha256()
    source = Generated(HUGE)
    while piece := await stream.read():
        digest.update(piece)
        expected.update(await source.read())
        # Who reads slowly gives Swift the time to send more than is wanted.
        await deferLater(reactor, 0.01)
        highest = max(highest, memory() - before)
    assert digest.digest() == expected.digest()
    assert highest < 24 * PIECE


@ensureDeferred
async def test_a_reader_who_waits_holds_one_piece(store: SwiftStore) -> None:
    await store.put(HOME, "chunk", Generated(16))
    stream = await store.get(HOME, "chunk")
    assert isinstance(stream, AnswerBody)
    await until(lambda: stream._is_paused)

    assert PIECE <= stream._size <= PIECE + 64 * 1024
    await stream.close()
    await until(lambda: store.in_use == 0)
