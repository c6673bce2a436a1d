"""Where programs of ours are born grown up: forked from a process that has imported everything.

For tests that start very many: importing is most of what a start costs.

    python -m tests.servers.nursery DIRECTORY [MODULE ...]

takes orders on its standard input and answers each with a line, until that is
closed.  The directory is only there to be mentioned: by it all that is born
here is found and ended when the run is over.  What is born can be our two
programs, or with modules named any script that needs little more than those.
"""

from __future__ import annotations

import json
import os
import random
import runpy
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from importlib import import_module
from io import TextIOWrapper
from pathlib import Path
from typing import Any

from stacksync.embedded import ports


class Child:
    """A process that was born in a nursery; has the methods of ``subprocess.Popen`` that we use."""

    def __init__(self, nursery: Nursery, pid: int) -> None:
        self._nursery = nursery
        self.pid = pid
        self.returncode: int | None = None

    def poll(self) -> int | None:
        if self.returncode is None:
            self.returncode = self._nursery.status_of(self)
        return self.returncode

    def wait(self, timeout: float | None = 60.0) -> int:
        end = time.monotonic() + timeout if timeout is not None else None
        while (status := self.poll()) is None:
            if end is not None and time.monotonic() > end:
                raise subprocess.TimeoutExpired(f"process {self.pid}", timeout or 0.0)
            time.sleep(0.005)
        return status

    def send_signal(self, sig: int) -> None:
        if self.poll() is None:
            os.kill(self.pid, sig)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)


class Nursery:
    """The test's side; its methods may be called from any thread.

    :param directory: one of the run's.
    :param modules: which it imports instead of what our two programs need.
    """

    def __init__(self, directory: Path, environment: Mapping[str, str], *modules: str) -> None:
        self.directory = directory
        self._turn = threading.Lock()
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.servers.nursery", str(directory), *modules],
            cwd=directory,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )

    def bear(
        self,
        program: str,
        *arguments: str,
        directory: Path,
        output: Path,
        errors: Path,
        text: str = "",
        environment: Mapping[str, str],
        killed_by: Path | None = None,
    ) -> Child:
        """Begin a program in a directory.

        :param program: ``twistd``, ``stacksync-admin``, or the path of a script.
        :param output: what it prints is appended to this file, and what it complains of to
            ``errors``.
        :param text: its standard input.
        :param killed_by: where orders are found at which step it dies
            (:mod:`tests.servers.killed_at`).
        """
        with self._turn:
            told = self.directory / "stdin"
            told.write_text(text)
            pid = self._ask(
                program=[program, *arguments],
                directory=str(directory),
                input=str(told),
                output=str(output),
                errors=str(errors),
                environment=dict(environment),
                killed_by=str(killed_by) if killed_by is not None else None,
            )
        return Child(self, pid)

    def status_of(self, child: Child) -> int | None:
        """The exit status of one that has ended; a signal's is negative."""
        with self._turn:
            # Somebody else may have asked while we waited, and it is told but once.
            if child.returncode is None:
                child.returncode = self._ask(status_of=child.pid)
        return child.returncode

    def close(self) -> None:
        """No more are born; those that were, live on."""
        self._process.communicate(timeout=120)

    def _ask(self, **order: Any) -> Any:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(order).encode() + b"\n")
        self._process.stdin.flush()
        return json.loads(self._process.stdout.readline())


def serve() -> Mapping[str, Any] | None:
    """Do what is ordered; the order of the program that this process has become, or ``None``."""
    # Read line by line: what is ordered later is not for a child to find in a buffer.
    while line := sys.stdin.buffer.readline():
        order = json.loads(line)
        if "status_of" in order:
            pid, status = os.waitpid(order["status_of"], os.WNOHANG)
            told = os.waitstatus_to_exitcode(status) if pid else None
        else:
            standard = open_standard(order)
            if (told := os.fork()) == 0:
                become(order, standard)
                return order  # type: ignore[no-any-return]
            for descriptor in standard:
                os.close(descriptor)
        print(json.dumps(told), flush=True)
    return None


def open_standard(order: Mapping[str, Any]) -> list[int]:
    """Standard input, output and error of a child to be."""
    appended = os.O_WRONLY | os.O_CREAT | os.O_APPEND
    standard = [
        os.open(order["input"], os.O_RDONLY),
        os.open(order["output"], appended, 0o600),
        os.open(order["errors"], appended, 0o600),
    ]
    # The next order has another file of that name.
    os.unlink(order["input"])
    return standard


def become(order: Mapping[str, Any], standard: list[int]) -> None:
    """In the child: be as if started anew."""
    os.setsid()
    os.chdir(order["directory"])
    for number, descriptor in enumerate(standard):
        os.dup2(descriptor, number)
        os.close(descriptor)
    os.environ.clear()
    os.environ.update(order["environment"])
    sys.stdin = os.fdopen(0, "r", closefd=False)
    # What was drawn of it would be the same for all siblings.
    random.seed()


def import_all() -> None:
    """Import what the programs need; no reactor is installed by that."""
    from twisted.application.service import IServiceMaker
    from twisted.plugin import getPlugins
    from twisted.scripts import _twistd_unix, twistd

    import stacksync.admin_cli.commands
    import stacksync.service

    list(getPlugins(IServiceMaker))
    assert all([_twistd_unix, twistd, stacksync.admin_cli.commands, stacksync.service])


def run(program: str, *arguments: str) -> None:
    """Be the program."""
    sys.argv = [program, *arguments]
    if program.endswith(".py"):
        # As "python -u" has it: its neighbours can be imported, and a line is there once written.
        sys.path[0] = str(Path(program).parent)
        assert isinstance(sys.stdout, TextIOWrapper)
        sys.stdout.reconfigure(line_buffering=True)
        runpy.run_path(program, run_name="__main__")
    elif program == "twistd":
        from twisted.scripts.twistd import run as run_twistd

        run_twistd()
    else:
        from stacksync.admin_cli import main as administer

        raise SystemExit(administer())


def main() -> None:
    # The others are for what test processes start; see tests/conftest.py.
    ports._RANGE = ports._RANGE[1::2]
    modules = sys.argv[2:]
    for module in modules:
        import_module(module)
    if not modules:
        import_all()
    assert "twisted.internet.reactor" not in sys.modules, "siblings would share its descriptors"
    order = serve()
    if order is None:
        return
    if order["killed_by"] is not None:
        from tests.servers.killed_at import watch

        watch(Path(order["killed_by"]))
    run(*order["program"])


if __name__ == "__main__":
    main()
