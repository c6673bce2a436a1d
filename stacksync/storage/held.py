"""A file that threads work on, and that is let go of once: after the last work on it.

A descriptor must not be closed while a thread uses it: its number may be
another file's by then.  And whoever gives up waiting can't wait for that.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from threading import Lock
from typing import TypeVar

Result = TypeVar("Result")


class GivenUp(Exception):
    """Nobody waits for this work any more."""


class Held(ABC):
    """What a stream keeps open; subclasses say in :meth:`release` how to let go of it."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._at_work = 0
        self._dropped = False

    @property
    def is_dropped(self) -> bool:
        return self._dropped

    def work(self, task: Callable[[], Result]) -> Result:
        """Do something with it, in a thread.

        :raises GivenUp: it has been dropped, perhaps in the middle of the work.
        """
        with self._lock:
            if self._dropped:
                raise GivenUp
            self._at_work += 1
        try:
            return task()
        finally:
            with self._lock:
                self._at_work -= 1
                is_last = self.is_dropped and not self._at_work
            if is_last:
                self.release()

    def drop(self) -> bool:
        """Say that it is not needed any more; never blocks.

        :returns: whether the caller has to see to :meth:`release`, in a
            thread; if not, it has been done or work that goes on will do it.
        """
        with self._lock:
            is_first = not self._dropped
            self._dropped = True
            return is_first and not self._at_work and self.holds_something

    @property
    @abstractmethod
    def holds_something(self) -> bool:
        """Whether there is anything for :meth:`release` to do."""

    @abstractmethod
    def release(self) -> None:
        """Let go of what is held, in a thread; harmless if there is nothing."""
