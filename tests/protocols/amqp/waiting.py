"""Waiting for what must happen soon, while the reactor runs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from twisted.internet import reactor
from twisted.internet.task import deferLater

T = TypeVar("T")

PATIENCE = 60.0
"""Seconds; only what never comes takes as long."""

_PAUSE = 0.005


async def eventually(look: Callable[[], T], seconds: float = PATIENCE) -> T:
    """What ``look`` returns once that is true."""
    clock: Any = reactor
    end = clock.seconds() + seconds
    while True:
        seen = look()
        if seen:
            return seen
        assert clock.seconds() < end, f"it has not come to that in {seconds:g} s"
        await deferLater(clock, _PAUSE)


async def turns(count: int = 3) -> None:
    """Let the reactor do what is due, a few times."""
    for _ in range(count):
        await deferLater(reactor, 0)
