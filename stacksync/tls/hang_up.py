"""SIGHUP: files that may have changed are read anew."""

from __future__ import annotations

import signal
from collections.abc import Callable
from types import FrameType
from typing import Any

from twisted.logger import Logger

log = Logger()


class HangUp:
    """Tells whoever wants to know that the process got the signal SIGHUP.

    While nobody wants to know, the signal does what it does to any process.

    :param reactor: an ``IReactorFromThreads``; its thread is the main one.
    """

    def __init__(self, reactor: Any) -> None:
        self._reactor = reactor
        self._subscribers: list[Callable[[], None]] = []
        self._before: Any = None

    def subscribe(self, subscriber: Callable[[], None]) -> None:
        """Call this at each signal, in the reactor's thread."""
        if not self._subscribers:
            self._before = signal.signal(signal.SIGHUP, self._caught)
        self._subscribers.append(subscriber)

    def stop(self) -> None:
        """Tell nobody any more."""
        if self._subscribers:
            self._subscribers.clear()
            signal.signal(signal.SIGHUP, self._before or signal.SIG_DFL)

    def _caught(self, number: int, frame: FrameType | None) -> None:
        # In between any two instructions of the program: nothing may be done here.
        self._reactor.callFromThread(self._tell)

    def _tell(self) -> None:
        log.info("SIGHUP: reading the certificates anew")
        for subscriber in list(self._subscribers):
            subscriber()
