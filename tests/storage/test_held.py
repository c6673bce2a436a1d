"""A held file is let go of once, and never under the hands of a thread."""

from __future__ import annotations

from collections.abc import AsyncIterator
from functools import partial
from threading import Event

import pytest
import pytest_twisted
from attrs import define, field
from pytest_twisted import ensureDeferred
from twisted.internet import reactor
from twisted.internet.defer import CancelledError, Deferred

from stacksync.storage.held import GivenUp, Held
from stacksync.storage.threads import DiskThreads


class Noted(Held):
    """Counts how often it is let go of."""

    def __init__(self, holds_something: bool = True) -> None:
        super().__init__()
        self.releases = 0
        self._holds_something = holds_something

    @property
    def holds_something(self) -> bool:
        return self._holds_something

    def release(self) -> None:
        self.releases += 1


def test_it_is_the_droppers_to_release_while_nobody_works_on_it() -> None:
    held = Noted()
    assert held.work(lambda: "done") == "done"

    assert held.drop() is True
    assert held.drop() is False
    assert held.releases == 0


def test_it_is_released_by_the_work_that_it_was_dropped_in_the_middle_of() -> None:
    held = Noted()

    def work() -> None:
        assert held.drop() is False
        with pytest.raises(GivenUp):
            held.work(lambda: None)
        assert held.releases == 0

    held.work(work)
    assert held.releases == 1


def test_it_is_released_by_work_that_fails_as_well() -> None:
    held = Noted()

    def work() -> None:
        held.drop()
        raise OSError("gone")

    with pytest.raises(OSError, match="gone"):
        held.work(work)
    assert held.releases == 1


def test_there_is_nothing_to_release_where_nothing_is_held() -> None:
    assert Noted(holds_something=False).drop() is False


@define
class Blocked:
    """One thread, and work that keeps it until it is let go."""

    threads: DiskThreads
    released: Event = field(factory=Event)

    def keep(self) -> None:
        assert self.released.wait(60)


@pytest_twisted.async_yield_fixture
async def blocked() -> AsyncIterator[Blocked]:
    threads = DiskThreads(reactor, 1, 60.0)
    threads.start()
    made = Blocked(threads)
    yield made
    made.released.set()
    await threads.stop()


@ensureDeferred
async def test_work_that_nobody_waits_for_any_more_is_not_begun(blocked: Blocked) -> None:
    done: list[str] = []
    keeping = Deferred.fromCoroutine(blocked.threads.run(blocked.keep))
    cancelled, wanted = (
        Deferred.fromCoroutine(blocked.threads.run(partial(done.append, name)))
        for name in ("cancelled", "wanted")
    )
    cancelled.cancel()
    with pytest.raises(CancelledError):
        await cancelled
    blocked.released.set()
    await keeping
    await wanted

    assert done == ["wanted"]


@ensureDeferred
async def test_what_is_dropped_is_released_in_its_turn(blocked: Blocked) -> None:
    held = Noted()
    keeping = Deferred.fromCoroutine(blocked.threads.run(blocked.keep))
    blocked.threads.let_go(held)
    blocked.threads.let_go(held)
    assert held.releases == 0
    blocked.released.set()
    await keeping
    await blocked.threads.run(lambda: None)

    assert held.releases == 1
