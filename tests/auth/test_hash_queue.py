"""Strangers can fill up nobody's lane but their own, and in each lane everybody gets a turn."""

from __future__ import annotations

import threading
import time
from collections.abc import AsyncIterator, Callable

import pytest
import pytest_twisted
from attrs import define, field
from pytest_twisted import ensureDeferred
from twisted.internet import reactor
from twisted.internet.defer import Deferred, gatherResults
from twisted.internet.task import deferLater

from stacksync.auth.hash_queue import HashQueue
from stacksync.auth.turns import Lane, Turn
from stacksync.errors import TooManyRequests, Unavailable

KNOWN, SPARE = Turn(Lane.KNOWN, "anna"), Turn(Lane.SPARE)


@define
class Work:
    """Work that lasts until it is let go, and says when it is begun."""

    queue: HashQueue
    begun: list[str] = field(factory=list)
    may_end: threading.Event = field(factory=threading.Event)

    def ask(self, turn: Turn, name: str = "") -> Deferred[str]:
        name = name or turn.who

        def work() -> str:
            self.begun.append(name)
            assert self.may_end.wait(60)
            return name

        return Deferred.fromCoroutine(self.queue.run(turn, work))

    async def until_begun(self, number: int) -> None:
        end = time.monotonic() + 30
        while len(self.begun) < number:
            assert time.monotonic() < end, self.begun
            await deferLater(reactor, 0.001)


@pytest_twisted.async_yield_fixture
async def start() -> AsyncIterator[Callable[..., Work]]:
    """Makes queues and stops them after the test."""
    made: list[Work] = []

    def start(threads: int, queue_max: int = 64) -> Work:
        made.append(Work(HashQueue(reactor, threads, queue_max)))
        return made[-1]

    yield start
    for each in made:
        each.may_end.set()
        await each.queue.stop()


def stranger(who: str) -> Turn:
    return Turn(Lane.STRANGER, who)


def refused(asked: Deferred[str]) -> bool:
    failures: list[object] = []
    asked.addErrback(failures.append)
    return bool(failures)


@ensureDeferred
async def test_one_thread_is_left_to_those_who_are_known(start: Callable[..., Work]) -> None:
    work = start(threads=3)
    asked = [work.ask(stranger(f"stranger {number}")) for number in range(20)]
    asked.append(work.ask(SPARE, "spare"))
    await work.until_begun(2)

    asked.append(work.ask(KNOWN))
    await work.until_begun(3)

    assert sorted(work.begun) == ["anna", "stranger 0", "stranger 1"]
    work.may_end.set()
    await gatherResults(asked)


@ensureDeferred
async def test_where_there_is_one_thread_the_known_are_the_next(start: Callable[..., Work]) -> None:
    work = start(threads=1)
    asked = [work.ask(SPARE, "spare 1"), work.ask(SPARE, "spare 2")]
    asked += [work.ask(stranger(name)) for name in ("s 1", "s 2")]
    asked += [work.ask(KNOWN, "k 1"), work.ask(KNOWN, "k 2")]
    work.may_end.set()

    await gatherResults(asked)
    assert work.begun == ["spare 1", "k 1", "k 2", "s 1", "s 2", "spare 2"]


@ensureDeferred
async def test_in_a_lane_all_take_turns_however_much_one_of_them_asks(
    start: Callable[..., Work],
) -> None:
    work = start(threads=1)
    asked = [work.ask(stranger("guesser"), f"guess {number}") for number in range(5)]
    asked += [work.ask(stranger("a")), work.ask(stranger("b"))]
    work.may_end.set()

    await gatherResults(asked)
    assert work.begun == [
        *("guess 0", "guess 1", "a", "b"),
        *("guess 2", "guess 3", "guess 4"),
    ]


@ensureDeferred
async def test_a_full_lane_turns_away_those_of_whom_there_are_most(
    start: Callable[..., Work],
) -> None:
    work = start(threads=1, queue_max=4)
    asked = [work.ask(stranger("guesser"), f"guess {number}") for number in range(4)]
    newcomer = work.ask(stranger("newcomer"))

    assert [refused(each) for each in asked] == [False, False, False, True]
    assert refused(work.ask(stranger("guesser"), "one more"))
    known = work.ask(KNOWN)
    work.may_end.set()
    assert await gatherResults([newcomer, known, *asked[:3]])


@ensureDeferred
async def test_what_goes_wrong_is_told_and_frees_the_thread(start: Callable[..., Work]) -> None:
    work = start(threads=1)

    def fail() -> str:
        raise ValueError("a fault")

    with pytest.raises(ValueError, match="a fault"):
        await work.queue.run(KNOWN, fail)
    work.may_end.set()
    assert await work.ask(KNOWN) == "anna"
    assert not any(work.queue.busy(lane) for lane in Lane)


@ensureDeferred
async def test_who_waits_when_it_is_stopped_is_told(start: Callable[..., Work]) -> None:
    work = start(threads=1)
    under_way, waiting = work.ask(KNOWN, "under way"), work.ask(KNOWN, "waiting")
    stopping = Deferred.fromCoroutine(work.queue.stop())

    with pytest.raises(Unavailable, match="stopping"):
        await waiting
    with pytest.raises(Unavailable, match="stopping"):
        await work.ask(KNOWN)
    work.may_end.set()
    await stopping
    assert await under_way == "under way"
    assert work.begun == ["under way"]


@ensureDeferred
async def test_each_lane_has_places_of_its_own(start: Callable[..., Work]) -> None:
    work = start(threads=1, queue_max=1)
    asked = [work.ask(stranger("s")), work.ask(SPARE, "x"), work.ask(KNOWN)]

    for turn in (stranger("other"), SPARE, KNOWN):
        with pytest.raises(TooManyRequests):
            await work.ask(turn)
    work.may_end.set()
    assert await gatherResults(asked) == ["s", "x", "anna"]
