"""A StackSync service, and ``stacksync-admin``, that can be killed at any step they take.

The other side of :mod:`tests.servers.killed_at`, which they run in.
"""

from __future__ import annotations

import json
import signal
import subprocess
from collections import Counter
from itertools import count
from pathlib import Path

from attrs import asdict, frozen

from stacksync.embedded.processes import tail
from tests.servers.killed_at import ORDER
from tests.servers.programs import BIRTHS, Program, environment_in
from tests.servers.stacksync import StackSyncProcess

_stories = count(1)


@frozen
class Moment:
    """Before or after a step.

    :ivar number: the how manieth step of this name.
    :ivar moment: ``before`` or ``after``.
    """

    name: str
    number: int
    moment: str

    def __str__(self) -> str:
        return f"{self.moment} {self.name} ({self.number})"


def moments(steps: list[str]) -> list[Moment]:
    """When a program that takes these steps may die of one: before the first, and after each.

    Before a step is after the one before it: nothing that outlives the program is different.
    Of those that come again, the first and the last stand for all.
    """
    seen: Counter[str] = Counter()
    wanted = [Moment(steps[0], 1, "before")]
    for name in steps:
        seen[name] += 1
        if seen[name] in (1, steps.count(name)):
            wanted.append(Moment(name, seen[name], "after"))
    return wanted


class Orders:
    """Says to a program at which step it dies, and reads which it has taken."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._story = ""

    def record(self) -> None:
        """Begin a story in which nobody dies."""
        self._tell(None)

    def kill_at(self, moment: Moment) -> None:
        """Begin a story that ends at this moment."""
        self._tell(moment)

    def withdraw(self) -> None:
        """Let live, and note nothing."""
        (self._directory / ORDER).unlink(missing_ok=True)

    @property
    def taken(self) -> list[str]:
        """The steps of the latest story, in the order in which they began."""
        file = self._directory / f"{self._story}.steps"
        return file.read_text().splitlines() if file.exists() else []

    def _tell(self, moment: Moment | None) -> None:
        self._story = f"story-{next(_stories)}"
        order = {"story": self._story, "deadly": moment and asdict(moment)}
        new = self._directory / "order.new"
        new.write_text(json.dumps(order))
        new.rename(self._directory / ORDER)


class DoomedProcess(StackSyncProcess):
    """A service that can be told to be killed at a step, and so can its ``stacksync-admin``."""

    def __init__(
        self,
        directory: Path,
        database_url: str,
        amqp_url: str = "off",
        **overrides: dict[str, str],
    ) -> None:
        super().__init__(directory, database_url, amqp_url, **overrides)
        self.orders = Orders(directory)
        self._commands = 0

    def spawn(self) -> None:
        assert not self.running, "already running"
        self._process = self._bear(
            *("twistd", "-n", "--pidfile=", "stacksync", "-c", str(self.configuration)),
            output=self.directory / "stacksync.log",
        )

    def wait_until_killed(self, seconds: float = 120.0) -> None:
        """Wait for the end that was ordered."""
        assert self._process is not None
        try:
            status = self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            raise AssertionError(
                f"it lives: of the steps taken none was the one, {self.orders.taken}"
            ) from None
        assert status == -signal.SIGKILL, f"ended with {status}:\n{tail(self._log, 40)}"

    def command(self, *arguments: str, text: str = "") -> tuple[int, str]:
        """Run ``stacksync-admin --json`` to its end, which may be a violent one.

        :returns: its status and what it printed.
        """
        self._commands += 1
        answer = self.directory / f"command-{self._commands}"
        status = self._bear(
            *("stacksync-admin", "--json", "-c", str(self.configuration), *arguments),
            output=answer,
            text=text,
        ).wait(120)
        return status, answer.read_text()

    def _bear(self, *program: str, output: Path, text: str = "") -> Program:
        assert BIRTHS.nursery is not None
        return BIRTHS.nursery.bear(
            *program,
            directory=self.directory,
            output=output,
            errors=output,
            text=text,
            environment=environment_in(self.directory),
            killed_by=self.directory,
        )
