"""One test run and what its processes share.

With pytest-xdist several processes are one run.  They share a directory, and
in it at most one PostgreSQL, one RabbitMQ and one Keystone with Swift, started by
the first test that asks.  Each process holds a shared lock; a sweeper process waits until the last
lock is gone, however the run ended, then kills every process that mentions
the directory, and removes it.
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

_VARIABLE = "STACKSYNC_TEST_RUN"
_REPOSITORY = Path(__file__).parents[2]


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


def _make_directory() -> Path:
    path = Path(tempfile.mkdtemp(prefix="stacksync-tests-"))
    path.chmod(0o711)
    return path
