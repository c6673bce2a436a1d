"""The process that cleans up after a test run (see ``run.py``): ``sweeper DIRECTORY``."""

from __future__ import annotations

import fcntl
import os
import shutil
import signal
import sys
import time
from contextlib import suppress
from pathlib import Path

IN_MEMORY = "in-memory"
"""A link in the run's directory to the one that it has in memory, if it has."""


def sweep(directory: Path) -> None:
    """Kill every process that mentions the directory, and remove it."""
    end = time.monotonic() + 10
    while (found := mentioning(directory)) and time.monotonic() < end:
        for pid in found:
            with suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(0.02)
    shutil.rmtree(directory, ignore_errors=True)


def mentioning(directory: Path) -> list[int]:
    """The processes, except this one, with the directory in command line or environment.

    A test process has the run's directory in its environment under a name of
    its own, so what it started is found, too; it is gone itself by now.
    """
    wanted = os.fsencode(directory)
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        if int(process.name) == os.getpid():
            continue
        with suppress(OSError):
            if wanted in (process / "cmdline").read_bytes() + (process / "environ").read_bytes():
                found.append(int(process.name))
    return found


def main() -> None:
    directory = Path(sys.argv[1])
    with (directory / "run.lock").open("r+") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # granted when no process of the run is left
        in_memory = directory / IN_MEMORY
        if in_memory.is_symlink():
            sweep(in_memory.readlink())
        sweep(directory)


if __name__ == "__main__":
    main()
