"""Work is done in threads, a few at a time, until the pool is stopped."""

from __future__ import annotations

import threading

import pytest
from pytest_twisted import ensureDeferred
from twisted.internet import reactor
from twisted.internet.defer import CancelledError, Deferred, gatherResults

from stacksync.engine.content.threads import ContentThreads
from stacksync.errors import Unavailable
from tests.db.observation import until


def running() -> set[threading.Thread]:
    return {thread for thread in threading.enumerate() if "-content-" in thread.name}


@ensureDeferred
async def test_work_is_done_elsewhere_and_tells_what_came_of_it() -> None:
    threads = ContentThreads(reactor, 2)
    assert await threads.run(divmod, 7, 2) == (3, 1)
    assert await threads.run(threading.current_thread) is not threading.current_thread()
    with pytest.raises(ZeroDivisionError):
        await threads.run(divmod, 7, 0)
    threads.stop()


@ensureDeferred
async def test_no_more_threads_are_used_than_allowed() -> None:
    threads = ContentThreads(reactor, 2)
    together = threading.Barrier(2, timeout=60)
    names: set[str] = set()

    def work() -> None:
        together.wait()
        names.add(threading.current_thread().name)

    await gatherResults([Deferred.fromCoroutine(threads.run(work)) for _ in range(6)])
    assert len(names) == 2
    threads.stop()


@ensureDeferred
async def test_who_gives_up_does_not_wait() -> None:
    threads = ContentThreads(reactor, 1)
    go_on = threading.Event()
    waiting = Deferred.fromCoroutine(threads.run(go_on.wait, 60))
    waiting.cancel()
    with pytest.raises(CancelledError):
        await waiting
    go_on.set()
    assert await threads.run(abs, -1) == 1
    threads.stop()


@ensureDeferred
async def test_a_stopped_pool_leaves_no_threads_and_takes_nothing() -> None:
    before = running()
    threads = ContentThreads(reactor, 2)
    await threads.run(abs, -1)
    threads.stop()
    await until(lambda: not running() - before)
    with pytest.raises(Unavailable, match="stopping"):
        await threads.run(abs, -1)


@ensureDeferred
async def test_a_pool_that_was_never_used_can_be_stopped() -> None:
    ContentThreads(reactor, 2).stop()
