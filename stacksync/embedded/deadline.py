"""A time limit for blocking work in a thread, which another thread may cut short."""

from __future__ import annotations

import threading
import time


class Cancelled(Exception):
    """Nobody wants the result any more."""


class Deadline:
    """Some seconds from now, after which :meth:`pause` raises.

    :param seconds: how long the work may take altogether.
    """

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._end = time.monotonic() + seconds
        self._cancelled = threading.Event()

    @property
    def remaining(self) -> float:
        """Seconds left, never less than zero."""
        return max(0.0, self._end - time.monotonic())

    def cancel(self) -> None:
        """Make the present or next :meth:`pause` raise :class:`Cancelled`; any thread may call."""
        self._cancelled.set()

    def pause(self, seconds: float = 0.02) -> None:
        """Wait a little before looking again.

        :raises TimeoutError: the time is up.
        :raises Cancelled: :meth:`cancel` was called.
        """
        if self._cancelled.wait(min(seconds, self.remaining)):
            raise Cancelled
        if not self.remaining:
            raise TimeoutError(f"not done within {self.seconds:g} s")
