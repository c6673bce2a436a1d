"""One of the two processes: started, watched, ended by whichever test process wants it."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path

from stacksync.embedded import processes
from stacksync.embedded.deadline import Deadline
from tests.servers.openstack.interpreter import find_interpreter

_REPOSITORY = Path(__file__).parents[3]


class Process:
    """A module that is run with a directory as its argument.

    The process id is in a file of the directory: also a test process that did
    not start it can end it.

    :param name: ``keystone`` or ``swift``.
    :param answers: whether the server does its work.
    """

    def __init__(self, directory: Path, name: str, answers: Callable[[], bool]) -> None:
        self.directory = directory
        self.name = name
        self._answers = answers
        self._module = f"tests.servers.openstack.run_{name}"
        self._pid_file = directory / f"{name}.pid"
        self._output = directory / f"{name}.out"
        self._child: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        return int(self._pid_file.read_text())

    @property
    def running(self) -> bool:
        if self._child is not None and self._child.poll() is None:
            # Just started, its command line may be empty yet.
            return True
        return self._pid_file.exists() and processes.runs(self.pid, self._marker)

    @property
    def _marker(self) -> str:
        return f"{self._module} {self.directory}"

    def spawn(self) -> None:
        """Start it, unless it runs, without waiting until it answers."""
        if self.running:
            return
        with self._output.open("ab") as output:
            self._child = subprocess.Popen(
                [find_interpreter(), "-m", self._module, str(self.directory)],
                cwd=_REPOSITORY,
                env=_environment(),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        self._pid_file.write_text(str(self._child.pid))

    def wait(self, deadline: Deadline) -> None:
        """Return when it answers.

        :raises AssertionError: it ended, or does not answer in time; with the end of its output.
        """
        while not self._answers():
            assert self.running, self._report("has ended")
            try:
                deadline.pause(0.05)
            except TimeoutError:
                raise AssertionError(
                    self._report(f"does not answer after {deadline.seconds:g} s")
                ) from None

    def kill(self) -> None:
        """End it (SIGKILL), if it runs: nothing here is worth an orderly end."""
        if self.running:
            processes.end(self.pid, self._marker, signal.SIGKILL, Deadline(60))
        if self._child is not None:
            self._child.wait(60)

    def _report(self, what: str) -> str:
        log = processes.tail(self.directory / f"{self.name}.log")
        return f"{self.name} {what}:\n{processes.tail(self._output, 40)}\n{log}"


def _environment() -> dict[str, str]:
    """Ours, without the proxies that would catch what goes to the loopback interface."""
    unwanted = ("http_proxy", "https_proxy", "all_proxy", "pythonpath", "virtual_env")
    kept = {name: value for name, value in os.environ.items() if name.lower() not in unwanted}
    return {**kept, "PYTHONWARNINGS": "ignore"}
