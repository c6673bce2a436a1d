"""A StackSync service as a process of its own, as an operator would run it."""

from __future__ import annotations

import json
import signal
import ssl
import subprocess
import time
import urllib.error
import urllib.request
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from uuid import UUID

from attrs import frozen

from stacksync.embedded.ports import choose
from stacksync.embedded.processes import tail
from tests.servers.programs import Program, begin, environment_in

_CHEAP_HASHES = {"argon2_time_cost": "1", "argon2_memory": "1M"}


@frozen
class KnownUser:
    """An account whose password the test knows."""

    id: UUID
    email: str
    password: str


def run_admin(
    directory: Path, *arguments: str, text: str = "", **environment: str
) -> subprocess.CompletedProcess[str]:
    """Run ``stacksync-admin`` to its end.

    :param directory: where its state would be, were it not configured.
    :param text: its standard input.
    :param environment: more variables for it.
    """
    with TemporaryDirectory(dir=directory.parent, prefix="admin-") as place:
        output, errors = Path(place, "output"), Path(place, "errors")
        process = begin(
            directory,
            *("stacksync-admin", *arguments),
            output=output,
            errors=errors,
            text=text,
            environment=environment_in(directory) | environment,
        )
        try:
            status = process.wait(120)
        except subprocess.TimeoutExpired:
            process.kill()
            raise
        return subprocess.CompletedProcess(
            arguments, status, output.read_text(), errors.read_text()
        )


class StackSyncProcess:
    """``twistd -n stacksync -c FILE``; the methods block.

    :param directory: for its configuration, log and state.
    :param overrides: options by section, e.g. ``http={"max_body": "1M"}``.
    """

    def __init__(
        self,
        directory: Path,
        database_url: str,
        amqp_url: str = "off",
        **overrides: dict[str, str],
    ) -> None:
        self.directory = directory
        self.configuration = directory / "stacksync.ini"
        self.database_url = database_url
        self.amqp_url = amqp_url
        (port,) = choose(1)
        self.http_url = f"http://127.0.0.1:{port}"
        self._log = directory / "stacksync.log"
        self._process: Program | None = None
        self._trust: ssl.SSLContext | None = None
        sections: dict[str, dict[str, str]] = {
            "service": {"home": str(directory / "home")},
            "database": {"url": database_url},
            "amqp": {"url": amqp_url},
            "http": {"listen": f"tcp:{port}:interface=127.0.0.1"},
            "auth": dict(_CHEAP_HASHES),
        }
        for section, options in overrides.items():
            sections.setdefault(section, {}).update(options)
        self.configuration.write_text(
            "".join(
                f"[{section}]\n" + "".join(f"{name} = {value}\n" for name, value in options.items())
                for section, options in sections.items()
            )
        )

    @property
    def pid(self) -> int:
        assert self._process is not None, "not started"
        return self._process.pid

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def speaks_tls(self, authority: Path) -> None:
        """Its settings have a certificate for its HTTP port, signed by this authority."""
        self.http_url = self.http_url.replace("http:", "https:")
        self._trust = ssl.create_default_context(cafile=authority)

    def start(self, seconds: float = 120.0) -> None:
        """Start it and wait until ``/readyz`` says that every part is up."""
        self.spawn()
        self.wait_until_ready(seconds)

    def spawn(self) -> None:
        """Start it without waiting."""
        assert not self.running, "already running"
        self._process = begin(
            self.directory,
            *("twistd", "-n", "--pidfile=", "stacksync", "-c", str(self.configuration)),
            output=self._log,
            environment=environment_in(self.directory),
        )

    def wait_until_ready(self, seconds: float = 120.0) -> None:
        """Wait until ``/readyz`` says 200; the end of the log is in the error."""
        self.wait_for_status(200, seconds)

    def wait_for_status(self, wanted: int, seconds: float = 120.0) -> None:
        """Wait until ``/readyz`` says this (503: some part is away)."""
        end = time.monotonic() + seconds
        while (status := self._readiness()) != wanted:
            if not self.running:
                raise AssertionError(f"the server ended:\n{tail(self._log, 40)}")
            if time.monotonic() > end:
                raise AssertionError(
                    f"/readyz says {status}, not {wanted}, after {seconds:g} s:\n"
                    f"{tail(self._log, 40)}"
                )
            time.sleep(0.02)

    def terminate(self, seconds: float = 60.0) -> int:
        """Ask it to end (SIGTERM) and wait.

        :returns: the exit status: ``-SIGTERM`` when all went well, since twistd
            ends itself by the signal that it was sent, once everything is closed.
        """
        return self._end(signal.SIGTERM, seconds)

    def kill(self) -> None:
        """Kill it (SIGKILL), if it runs."""
        if self.running:
            self._end(signal.SIGKILL, 60.0)

    def log_text(self) -> str:
        """All that it logged so far."""
        return self._log.read_text(errors="replace") if self._log.exists() else ""

    def add_user(self, email: str, password: str = "correct horse", quota: str = "5G") -> KnownUser:
        """Make an account by ``stacksync-admin``; the server need not run."""
        account = self.admin(
            "user", "add", email, "--quota", quota, "--password-stdin", text=password
        )
        return KnownUser(UUID(account["id"]), email, password)

    def admin(self, *arguments: str, text: str = "") -> Any:
        """What ``stacksync-admin --json`` answers, with this server's configuration."""
        options = ("--json", "-c", str(self.configuration))
        answer = run_admin(self.directory, *options, *arguments, text=text)
        assert answer.returncode == 0, answer.stderr
        return json.loads(answer.stdout)

    def _end(self, sign: signal.Signals, seconds: float) -> int:
        assert self._process is not None, "not started"
        self._process.send_signal(sign)
        try:
            return self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
            raise AssertionError(
                f"still there {seconds:g} s after {sign.name}:\n{tail(self._log, 40)}"
            ) from None

    def _readiness(self) -> int | None:
        try:
            with urllib.request.urlopen(
                f"{self.http_url}/readyz", timeout=20, context=self._trust
            ) as answer:
                return int(answer.status)
        except urllib.error.HTTPError as error:
            return error.code
        except OSError:
            return None
