"""SIGHUP, caught as long as somebody wants to know of it."""

from __future__ import annotations

import os
import signal

from pytest_twisted import ensureDeferred
from twisted.internet import reactor

from stacksync.tls import HangUp
from tests.protocols.http.client import eventually


@ensureDeferred
async def test_everybody_is_told_in_the_reactors_thread() -> None:
    before = signal.getsignal(signal.SIGHUP)
    told: list[str] = []
    hang_up = HangUp(reactor)
    hang_up.subscribe(lambda: told.append("one"))
    hang_up.subscribe(lambda: told.append("two"))
    try:
        os.kill(os.getpid(), signal.SIGHUP)
        assert told == []
        await eventually(lambda: told == ["one", "two"])
    finally:
        hang_up.stop()
    assert signal.getsignal(signal.SIGHUP) == before


def test_nobody_is_listened_for_when_nobody_wants_to_know() -> None:
    before = signal.getsignal(signal.SIGHUP)
    hang_up = HangUp(reactor)
    assert signal.getsignal(signal.SIGHUP) == before
    hang_up.stop()
    assert signal.getsignal(signal.SIGHUP) == before
