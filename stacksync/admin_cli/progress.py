"""Shows on a terminal what a long command is doing, in one line that keeps changing."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from typing import TextIO

from stacksync.admin_cli.output import printable

INTERVAL = 0.1
"""Seconds for which a line stays at least."""

ERASE_LINE = "\r\x1b[K"


class ProgressLine:
    """The line; nothing is written where nobody would see it change.

    :param seconds: a clock.
    :param wanted: whether it is to be shown at all.
    """

    def __init__(self, stream: TextIO, seconds: Callable[[], float], *, wanted: bool) -> None:
        self._stream = stream
        self._seconds = seconds
        self._wanted = wanted and stream.isatty()
        self._next = 0.0
        self._shown = False

    def __call__(self, doing: str) -> None:
        now = self._seconds()
        if not self._wanted or now < self._next:
            return
        self._next = now + INTERVAL
        self._shown = True
        width = shutil.get_terminal_size().columns - 1
        self._stream.write(ERASE_LINE + printable(doing)[:width])
        self._stream.flush()

    def clear(self) -> None:
        """Leave the terminal as it was."""
        if self._shown:
            self._shown = False
            self._stream.write(ERASE_LINE)
            self._stream.flush()
