"""A disk that does not answer: the reactor goes on, callers are let go, and it is tidied up."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Callable
from threading import Event

import pytest
import pytest_twisted
from attrs import define, field
from pytest_twisted import ensureDeferred
from twisted.internet import reactor
from twisted.internet.defer import CancelledError, Deferred

from stacksync.errors import Unavailable
from stacksync.storage import DiskStore, threads
from stacksync.streams import PIECE
from tests.db.observation import CapturedLog, until
from tests.storage.conftest import Disk
from tests.storage.contract.bodies import Fed
from tests.storage.contract.rig import HOME, Rig


@define
class Stuck:
    """Keeps everybody waiting who calls an operation of the disk, until it is let go.

    :ivar waiting: how many wait.
    """

    waiting: int = 0
    _released: Event = field(factory=Event)

    def instead_of(self, real: Callable[..., object]) -> Callable[..., object]:
        def stuck(*args: object, **options: object) -> object:
            self.waiting += 1
            # Far beyond any test's patience, so that no thread stays for ever.
            assert self._released.wait(60)
            return real(*args, **options)

        return stuck

    def release(self) -> None:
        self._released.set()


@pytest_twisted.async_yield_fixture
async def stuck() -> AsyncIterator[Stuck]:
    made = Stuck()
    yield made
    made.release()


@pytest.fixture
def stick(stuck: Stuck, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    def stick(call: str) -> None:
        monkeypatch.setattr(os, call, stuck.instead_of(getattr(os, call)))

    return stick


@pytest_twisted.async_yield_fixture
async def impatient(disk: Disk) -> AsyncIterator[DiskStore]:
    """A store on the same directory that gives the disk a moment only, and has one thread."""
    store = DiskStore(reactor, disk.root, threads=1, timeout=0.5)
    store.start()
    yield store
    await store.stop()


@ensureDeferred
async def test_a_disk_that_does_not_answer_is_given_up_and_what_it_made_is_removed(
    rig: Rig, disk: Disk, impatient: DiskStore, stuck: Stuck, stick: Callable[[str], None]
) -> None:
    stick("fsync")
    other = Rig(impatient, rig.away, rig.unfinished)
    async with rig.nothing_left():
        with pytest.raises(Unavailable, match=r"took longer than 0\.5 s"):
            await other.put("chunk", b"content")
        # The only thread is taken.
        with pytest.raises(Unavailable, match=r"took longer than 0\.5 s"):
            await impatient.head(HOME, "chunk")
        stuck.release()

    assert disk.files == []
    await rig.put("chunk", b"after")
    assert await other.content("chunk") == b"after"


@ensureDeferred
@pytest.mark.parametrize("call", ["fsync", "writev", "open"])
async def test_who_cancels_does_not_wait_for_the_disk(
    rig: Rig, disk: Disk, stuck: Stuck, stick: Callable[[str], None], call: str
) -> None:
    await rig.put("chunk", b"before")
    async with rig.nothing_left():
        stick(call)
        putting = Deferred.fromCoroutine(rig.put("chunk", bytes(3 * PIECE)))
        await until(lambda: stuck.waiting)
        putting.cancel()
        with pytest.raises(CancelledError):
            await putting
        stuck.release()

    assert disk.files[0].read_bytes() == b"before"


@ensureDeferred
@pytest.mark.parametrize("call", ["open", "pread"])
async def test_a_get_that_is_cancelled_closes_what_is_opened_after_that(
    rig: Rig, stuck: Stuck, stick: Callable[[str], None], call: str
) -> None:
    await rig.put("chunk", bytes(3 * PIECE))
    async with rig.nothing_left():
        stick(call)
        getting = Deferred.fromCoroutine(rig.store.get(HOME, "chunk"))
        await until(lambda: stuck.waiting)
        getting.cancel()
        with pytest.raises(CancelledError):
            await getting
        stuck.release()


@ensureDeferred
async def test_a_stream_may_be_closed_while_it_is_read(
    rig: Rig, stuck: Stuck, stick: Callable[[str], None]
) -> None:
    await rig.put("chunk", bytes(3 * PIECE))
    async with rig.nothing_left():
        stream = await rig.store.get(HOME, "chunk")
        await stream.read()
        stick("pread")
        reading = Deferred.fromCoroutine(stream.read())
        await until(lambda: stuck.waiting)
        reading.cancel()
        with pytest.raises(CancelledError):
            await reading
        await stream.close()
        with pytest.raises(Unavailable, match="earlier read"):
            await stream.read()
        stuck.release()


@ensureDeferred
async def test_a_body_is_not_read_while_the_disk_is_busy(
    rig: Rig, stuck: Stuck, stick: Callable[[str], None]
) -> None:
    stick("writev")
    body = Fed()
    putting = Deferred.fromCoroutine(rig.store.put(HOME, "chunk", body))
    while not stuck.waiting:
        if body.is_awaited:
            body.feed(bytes(PIECE))
        await until(lambda: body.is_awaited or stuck.waiting)
    assert body.asked == 2
    # The reactor turns, and nobody asks for more.
    await rig.store.head(HOME, "chunk")
    assert not body.is_awaited
    stuck.release()
    await until(lambda: body.is_awaited)
    body.feed(b"")

    assert (await putting).size == 2 * PIECE


@ensureDeferred
async def test_small_objects_take_one_trip_to_a_thread(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    trips = []
    run = threads.DiskThreads.run

    async def counted(self: threads.DiskThreads, work: Callable[[], object]) -> object:
        trips.append(work)
        return await run(self, work)

    monkeypatch.setattr(threads.DiskThreads, "run", counted)
    monkeypatch.setattr(threads.DiskThreads, "begin", lambda self, work: trips.append(work))
    for size in (0, 1, PIECE):
        await rig.put("chunk", bytes(size))
        assert len(trips) == 1
        await rig.content("chunk")
        assert len(trips) == 2
        trips.clear()


@ensureDeferred
async def test_a_stop_waits_for_what_is_under_way(
    rig: Rig, disk: Disk, stuck: Stuck, stick: Callable[[str], None]
) -> None:
    stick("fsync")
    putting = Deferred.fromCoroutine(rig.put("chunk", b"content"))
    await until(lambda: stuck.waiting)
    stopping = Deferred.fromCoroutine(rig.store.stop())
    assert not stopping.called
    stuck.release()

    assert (await putting).size == 7
    await stopping
    assert disk.files[0].read_bytes() == b"content"


@ensureDeferred
async def test_a_stop_does_not_wait_for_ever(
    rig: Rig,
    stuck: Stuck,
    stick: Callable[[str], None],
    monkeypatch: pytest.MonkeyPatch,
    logged: CapturedLog,
) -> None:
    monkeypatch.setattr(threads, "STOP_SECONDS", 0.05)
    stick("fsync")
    putting = Deferred.fromCoroutine(rig.put("chunk", b"content"))
    await until(lambda: stuck.waiting)
    await rig.store.stop()

    assert [event["count"] for event in logged.errors] == [1]
    stuck.release()
    await putting
