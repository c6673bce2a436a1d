"""Where the server's time goes while it commits: py-spy's samples as tables.

py-spy looks at the process from outside, so that the server runs as always;
it may need root, or the right to trace other processes.
"""

from __future__ import annotations

import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from attrs import frozen

PER_SECOND = 250
SLACK_SECONDS = 30.0
THREAD = "MainThread"
PACKAGE = "(stacksync/"
OUTSIDE = "the reactor itself"
ROWS = 45

_LINE = re.compile(r":\d+\)$")


class ProfilerFailed(Exception):
    """py-spy is not there, or may not look; the message says which."""


@frozen
class Profile:
    """Samples of the reactor's thread.

    :ivar own: by the function that ran.
    :ivar ours: by the innermost function of StackSync's that it ran for.
    :ivar cumulative: by every function that it ran for.
    """

    samples: int
    own: Counter[str]
    ours: Counter[str]
    cumulative: Counter[str]

    def table(self) -> str:
        """The functions with the most samples, in each of the three ways to count.

        Without those that every sample has: the way to the main loop.
        """
        parts = []
        for title, counted in (
            ("own time", self.own),
            ("our functions with the library code that they call", self.ours),
            ("with all that it calls", self.cumulative),
        ):
            lines = [f"{title} (percent of {self.samples} samples)"]
            lines += [
                f"{100 * count / self.samples:6.1f}  {function}"
                for function, count in counted.most_common()
                if count < self.samples
            ][:ROWS]
            parts.append("\n".join(lines))
        return "\n\n".join(parts) + "\n"


def read_collapsed(lines: Iterable[str]) -> Profile:
    """A profile from collapsed stacks: ``thread;outermost;…;innermost count`` a line."""
    own: Counter[str] = Counter()
    ours: Counter[str] = Counter()
    cumulative: Counter[str] = Counter()
    for line in lines:
        stack, _, count = line.strip().rpartition(" ")
        thread, *frames = stack.split(";")
        if THREAD not in thread or not frames:
            continue
        functions = [_LINE.sub(")", frame) for frame in frames]
        own[functions[-1]] += int(count)
        ours[next((f for f in reversed(functions) if PACKAGE in f), OUTSIDE)] += int(count)
        for function in set(functions):
            cumulative[function] += int(count)
    return Profile(own.total(), own, ours, cumulative)


def program() -> Path:
    """py-spy.

    :raises ProfilerFailed: it is not installed.
    """
    found = Path(sys.executable).with_name("py-spy")
    if not found.exists():
        raise ProfilerFailed("py-spy is not installed: pip install 'stacksync[bench]'")
    return found


class Recorder:
    """py-spy at work, from when this is made.

    :param collapsed: the file that it writes at the end.
    """

    def __init__(self, process_id: int, seconds: float, collapsed: str) -> None:
        self._seconds = seconds
        self._process = subprocess.Popen(
            [
                *(str(program()), "record", "--pid", str(process_id), "--threads"),
                *("--rate", str(PER_SECOND), "--duration", str(max(1, round(seconds)))),
                *("--format", "raw", "--output", collapsed),
            ],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )

    def wait(self) -> None:
        """Wait for the end of the recording.

        :raises ProfilerFailed: there is none.
        """
        try:
            _, said = self._process.communicate(timeout=self._seconds + SLACK_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.communicate()
            raise ProfilerFailed("py-spy did not end") from None
        if self._process.returncode:
            raise ProfilerFailed(f"py-spy: {said.strip()}")
