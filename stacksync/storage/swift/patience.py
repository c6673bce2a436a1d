"""How long nothing may move before somebody is given up."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twisted.internet.interfaces import IDelayedCall


class Patience:
    """Calls once, when there has been no progress for so long; not while it rests.

    :param reactor: an ``IReactorTime``.
    :param seconds: how long.
    """

    def __init__(self, reactor: Any, seconds: float, expired: Callable[[], None]) -> None:
        self._reactor = reactor
        self._seconds = seconds
        self._expired = expired
        self._timer: IDelayedCall | None = None

    def progress(self) -> None:
        """Something moved: the time starts anew."""
        if self._timer is not None and self._timer.active():
            self._timer.reset(self._seconds)
        else:
            self._timer = self._reactor.callLater(self._seconds, self._expired)

    def rest(self) -> None:
        """Nobody has to move now."""
        if self._timer is not None and self._timer.active():
            self._timer.cancel()
        self._timer = None
