"""Tasks run a few at a time, and fail and are given up together."""

from __future__ import annotations

from typing import Any

import pytest
from pytest_twisted import ensureDeferred
from twisted.internet.defer import CancelledError, Deferred, succeed

from stacksync.engine.content.tasks import Tasks


async def waiting(deferred: Deferred[Any], ended: list[str] | None = None) -> None:
    try:
        await deferred
    finally:
        if ended is not None:
            ended.append("ended")


@ensureDeferred
async def test_no_more_run_than_may() -> None:
    tasks = Tasks(2)
    holds: list[Deferred[None]] = [Deferred() for _ in range(3)]
    for hold in holds[:2]:
        await tasks.room()
        tasks.start(waiting(hold))
    room = Deferred.fromCoroutine(tasks.room())
    assert not room.called
    holds[1].callback(None)
    await room
    tasks.start(waiting(holds[2]))
    done = Deferred.fromCoroutine(tasks.finish())
    holds[0].callback(None)
    assert not done.called
    holds[2].callback(None)
    await done


@ensureDeferred
async def test_the_first_failure_is_told_at_once() -> None:
    for told_by in ("room", "finish"):
        tasks = Tasks(2)
        broken: Deferred[None] = Deferred()
        endless: Deferred[None] = Deferred()
        tasks.start(waiting(broken))
        tasks.start(waiting(endless))
        told = Deferred.fromCoroutine(getattr(tasks, told_by)())
        broken.errback(ValueError("broken"))
        with pytest.raises(ValueError, match="broken"):
            await told
        with pytest.raises(ValueError, match="broken"):
            await tasks.finish()
        await tasks.give_up()
        assert endless.called


@ensureDeferred
async def test_what_is_given_up_has_ended() -> None:
    tasks = Tasks(3)
    ended: list[str] = []
    slow_to_end: Deferred[None] = Deferred()

    async def stubborn() -> None:
        try:
            await Deferred()
        except CancelledError:
            await slow_to_end
            ended.append("stubborn")

    tasks.start(waiting(Deferred(), ended))
    tasks.start(waiting(succeed(None), ended))
    tasks.start(stubborn())
    given_up = Deferred.fromCoroutine(tasks.give_up())
    assert ended == ["ended", "ended"]
    assert not given_up.called
    slow_to_end.callback(None)
    await given_up
    assert ended == ["ended", "ended", "stubborn"]
