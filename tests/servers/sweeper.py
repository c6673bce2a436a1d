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

PATIENCE, QUICKLY = 10.0, 3.0
"""Seconds until all have to be gone, and in which a PostgreSQL may end in its own way."""


def sweep(directory: Path) -> None:
    """Kill every process that mentions the directory, and remove it."""
    began = time.monotonic()
    while (found := mentioning(directory)) and (so_far := time.monotonic() - began) < PATIENCE:
        for pid in found:
            # A PostgreSQL that is killed leaves memory behind that is in no directory of ours.
            spared = so_far < QUICKLY and name_of(pid) == "postgres"
            with suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGQUIT if spared else signal.SIGKILL)
        time.sleep(0.02)
    shutil.rmtree(directory, ignore_errors=True)


def name_of(pid: int) -> str:
    """What a process runs; nothing, if it is gone."""
    with suppress(OSError):
        return Path(f"/proc/{pid}/comm").read_text().strip()
    return ""


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


def remaining(directory: Path, seconds: float = 30.0) -> list[int]:
    """Those that mention it still when they have had the time to end.

    What a server has started, such as Erlang's helpers, ends a little later than itself.
    """
    end = time.monotonic() + seconds
    while (found := mentioning(directory)) and time.monotonic() < end:
        time.sleep(0.02)
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
