"""Where programs of ours are born grown up: forked from a process that has imported everything.

For tests that start very many: importing is most of what a start costs.

    python -m tests.servers.nursery DIRECTORY

takes orders on its standard input and answers each with a line, until that is
closed.  The directory is only there to be mentioned: by it all that is born
here is found and ended when the run is over.
"""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.servers import killed_at
from tests.servers.stacksync import environment_in


class Child:
    """A process that was born in a nursery; has the methods of ``subprocess.Popen`` that we use."""

    def __init__(self, nursery: Nursery, pid: int) -> None:
        self._nursery = nursery
        self.pid = pid
        self.returncode: int | None = None

    def poll(self) -> int | None:
        if self.returncode is None:
            self.returncode = self._nursery.ask(status_of=self.pid)
        return self.returncode

    def wait(self, timeout: float = 60.0) -> int:
        end = time.monotonic() + timeout
        while (status := self.poll()) is None:
            if time.monotonic() > end:
                raise subprocess.TimeoutExpired(f"process {self.pid}", timeout)
            time.sleep(0.01)
        return status

    def send_signal(self, sign: int) -> None:
        if self.poll() is None:
            os.kill(self.pid, sign)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)


class Nursery:
    """The test's side.

    :param directory: one of the run's.
    """

    def __init__(self, directory: Path) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.servers.nursery", str(directory)],
            cwd=directory,
            env=environment_in(directory),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )

    def bear(
        self, directory: Path, *arguments: str, answer: str = "stacksync.log", text: str = ""
    ) -> Child:
        """Begin a program in a directory.

        :param arguments: those of :mod:`tests.servers.killed_at`.
        :param answer: the file that what it prints is appended to.
        :param text: its standard input.
        """
        (directory / "stdin").write_text(text)
        pid = self.ask(
            arguments=arguments,
            directory=str(directory),
            answer=answer,
            environment=environment_in(directory),
        )
        return Child(self, pid)

    def ask(self, **order: Any) -> Any:
        """What the process on the other side says to an order."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(order).encode() + b"\n")
        self._process.stdin.flush()
        return json.loads(self._process.stdout.readline())

    def close(self) -> None:
        """No more are born; those that were, live on."""
        self._process.communicate(timeout=30)


def serve() -> Mapping[str, Any] | None:
    """Do what is ordered; the order of the program that this process has become, or ``None``."""
    # Read line by line: what is ordered later is not for a child to find in a buffer.
    while line := sys.stdin.buffer.readline():
        order = json.loads(line)
        if "status_of" in order:
            pid, status = os.waitpid(order["status_of"], os.WNOHANG)
            told = os.waitstatus_to_exitcode(status) if pid else None
        elif (told := os.fork()) == 0:
            return order  # type: ignore[no-any-return]
        print(json.dumps(told), flush=True)
    return None


def become(order: Mapping[str, Any]) -> None:
    """In the child: be as if started anew, and run."""
    directory = Path(order["directory"])
    os.setsid()
    os.chdir(directory)
    answer = os.open(directory / order["answer"], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    for source, target in ((os.open("stdin", os.O_RDONLY), 0), (answer, 1), (answer, 2)):
        os.dup2(source, target)
    os.environ.clear()
    os.environ.update(order["environment"])
    sys.stdin = os.fdopen(0, "r", closefd=False)
    # What was drawn of it would be the same for all siblings.
    random.seed()
    killed_at.main(*order["arguments"])


def main() -> None:
    killed_at.import_all()
    assert "twisted.internet.reactor" not in sys.modules, "siblings would share its descriptors"
    order = serve()
    if order is not None:
        become(order)


if __name__ == "__main__":
    main()
