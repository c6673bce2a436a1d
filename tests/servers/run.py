"""One test run and what its processes share.

With pytest-xdist several processes are one run.  They share a directory, and
in it at most one PostgreSQL, one RabbitMQ and one Keystone with Swift, started by
the first test that asks.  Each process holds a shared lock; a sweeper process waits until the last
lock is gone, however the run ended, then kills every process that mentions
the directory, and removes it.

A second directory is in memory, where there is enough of it: a database is hundreds of files,
and to make and remove them on a disk is most of what one costs.
"""

from __future__ import annotations

import fcntl
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from tests.servers.sweeper import IN_MEMORY

_VARIABLE = "STACKSYNC_TEST_RUN"
_REPOSITORY = Path(__file__).parents[2]
_MEMORY = Path("/dev/shm")
_ENOUGH = 3 * 1024**3
"""Bytes that have to be free in memory; a run takes a tenth."""


class TestRun:
    """This process's part in the run; the first process makes the directory."""

    __test__ = False

    def __init__(self) -> None:
        shared = os.environ.get(_VARIABLE)
        self._first = shared is None
        self.directory = Path(shared) if shared else _make_directory()
        os.environ[_VARIABLE] = str(self.directory)
        self._lock = os.open(self.directory / "run.lock", os.O_RDWR | os.O_CREAT, 0o600)
        fcntl.flock(self._lock, fcntl.LOCK_SH)

    def once(self, name: str, make: Callable[[], str]) -> str:
        """What ``make`` returned in whichever process of the run came here first."""
        result = self.directory / f"{name}.once"
        with self._exclusive(name):
            if not result.exists():
                self._ensure_sweeper()
                result.write_text(json.dumps(make()))
        return str(json.loads(result.read_text()))

    def new_directory(self, name: str) -> Path:
        """A fresh directory, which the servers' unprivileged user may pass; swept with the run."""
        self._ensure_sweeper()
        path = Path(tempfile.mkdtemp(prefix=f"{name}-", dir=self.directory))
        path.chmod(0o711)
        return path

    def new_directory_in_memory(self, name: str) -> Path:
        """The same in memory if there is enough of it, for what writes many files."""

        def make() -> str:
            if not _has_memory():
                return str(self.directory)
            path = _make_directory(_MEMORY)
            (self.directory / IN_MEMORY).symlink_to(path)
            return str(path)

        path = Path(tempfile.mkdtemp(prefix=f"{name}-", dir=self.once("memory", make)))
        path.chmod(0o711)
        return path

    def leave(self) -> None:
        """Let go; in the process that began the run, wait until all is swept."""
        os.close(self._lock)
        if not self._first:
            return
        del os.environ[_VARIABLE]
        with suppress(FileNotFoundError, ProcessLookupError):
            sweeper = int((self.directory / "sweeper.pid").read_text())
            with suppress(ChildProcessError):
                os.waitpid(sweeper, 0)
        with suppress(OSError):
            (self.directory / "run.lock").unlink()
            self.directory.rmdir()

    def _ensure_sweeper(self) -> None:
        with self._exclusive("sweeper"):
            pid_file = self.directory / "sweeper.pid"
            if not pid_file.exists():
                sweeper = subprocess.Popen(
                    [sys.executable, "-m", "tests.servers.sweeper", str(self.directory)],
                    cwd=_REPOSITORY,
                    stdin=subprocess.DEVNULL,
                    start_new_session=True,
                )
                pid_file.write_text(str(sweeper.pid))

    @contextmanager
    def _exclusive(self, name: str) -> Iterator[None]:
        with (self.directory / f"{name}.exclusive").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield


def _has_memory() -> bool:
    """Whether much is free, both in the file system and of what the machine has."""
    try:
        available = Path("/proc/meminfo").read_text().partition("MemAvailable:")[2].split()
        room = os.statvfs(_MEMORY)
    except OSError:
        return False
    free = room.f_bavail * room.f_frsize
    return bool(available) and min(int(available[0]) * 1024, free) >= _ENOUGH


def _make_directory(parent: Path | None = None) -> Path:
    path = Path(tempfile.mkdtemp(prefix="stacksync-tests-", dir=parent))
    path.chmod(0o711)
    return path
