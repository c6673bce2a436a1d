"""A private RabbitMQ node with its process; every method blocks.

The node has its own data, log, configuration, Erlang cookie and name daemon
(epmd), takes nothing from ``/etc/rabbitmq``, and listens on 127.0.0.1 only.
Its ports are kept from start to start, so that clients find it again.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import signal
import subprocess
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from attrs import asdict, define, field, frozen

from stacksync.embedded.amqp_probe import speaks_amqp
from stacksync.embedded.deadline import Deadline
from stacksync.embedded.ports import LOOPBACK, choose, is_free
from stacksync.embedded.processes import end, runs, tail
from stacksync.embedded.run_as import RunAs, directory_for
from stacksync.errors import Unavailable

_PROGRAM = "rabbitmq-server"
_DEBIAN = Path("/usr/lib/rabbitmq/bin")
_ADOPTION = 20.0
_LOG_MAX = 4 * 1024 * 1024

SETTINGS: Mapping[str, str] = {
    "vm_memory_high_watermark.absolute": "512MB",
    "disk_free_limit.absolute": "10MB",
    "collect_statistics_interval": "60000",
    "log.console.level": "warning",
    "log.console.use_colors": "off",
}
"""Options of ``rabbitmq.conf``: little memory, and a nearly full disk does not stop messages."""


def find_program() -> Path | None:
    """The start script of an installed RabbitMQ.

    Debian's own place comes first: the one on its PATH is a wrapper that only
    root and the user rabbitmq may run.
    """
    places = [_DEBIAN, *map(Path, os.environ.get("PATH", os.defpath).split(os.pathsep))]
    return next(
        (place / _PROGRAM for place in places if os.access(place / _PROGRAM, os.X_OK)), None
    )


@frozen
class _Ports:
    amqp: int
    distribution: int
    names: int


@define
class Node:
    """One node.

    :ivar directory: what the node itself writes; configuration and log are
        beside it.  The parent must exist and let ``user`` pass.
    :ivar program: the start script.
    :ivar user: whom to run as; ``None``: ourselves.
    :ivar settings: options of ``rabbitmq.conf``, in addition to the addresses.
    :ivar plugins: the enabled plugins.
    """

    directory: Path
    program: Path
    user: RunAs | None
    settings: Mapping[str, str] = SETTINGS
    plugins: tuple[str, ...] = ()
    _ports: _Ports | None = field(default=None, init=False)
    _child: subprocess.Popen[bytes] | None = field(default=None, init=False)

    @property
    def name(self) -> str:
        """The Erlang name; also on the command line."""
        digest = hashlib.sha256(os.fsencode(self.directory)).hexdigest()[:16]
        return f"stacksync-{digest}@localhost"

    @property
    def log(self) -> Path:
        return self._beside(".log")

    @property
    def pid(self) -> int | None:
        """The node's process id, ``None`` if it doesn't run."""
        pid = self._state().get("pid")
        return pid if pid and runs(pid, self.name) else None

    @property
    def port(self) -> int:
        """The AMQP port.

        :raises Unavailable: the node has never been started.
        """
        ports = self._ports or self._remembered_ports()
        if ports is None:
            raise Unavailable("RabbitMQ", f"there is no node in {self.directory}")
        return ports.amqp

    def start(self, deadline: Deadline) -> None:
        """Start the node, or find it running, and wait until it answers.

        :raises Unavailable: it ended, or did not answer in time; the message
            has the end of its log.
        """
        if not self._adopt(deadline):
            self._spawn()
        try:
            while not self.answers():
                if self._child is not None and self._child.poll() is not None:
                    status = self._child.returncode
                    self.kill()
                    raise self._failed(f"ended with status {status} while starting")
                deadline.pause(0.1)
        except TimeoutError:
            self.kill()
            raise self._failed(f"did not answer within {deadline.seconds:g} s") from None

    def _adopt(self, deadline: Deadline) -> bool:
        """Whether a node that was left behind answers; one that doesn't is ended."""
        patience = Deadline(min(_ADOPTION, deadline.remaining / 2))
        try:
            while self.pid is not None:
                if self.answers():
                    return True
                deadline.pause(min(0.1, patience.remaining))
                patience.pause(0)
        except TimeoutError:
            pass
        self.kill()
        return False

    def answers(self) -> bool:
        """Whether the node runs and speaks AMQP."""
        return self.pid is not None and speaks_amqp(LOOPBACK, self.port)

    def stop(self, deadline: Deadline) -> None:
        """End the node and its name daemon; it is killed after the deadline."""
        pid = self.pid
        if pid is not None:
            end(pid, self.name, signal.SIGTERM, deadline)
        self.kill()

    def kill(self) -> None:
        """End what is left of the node as a crash would (SIGKILL), and its name daemon."""
        pid = self.pid
        if pid is not None:
            with suppress(ProcessLookupError):
                os.killpg(pid, signal.SIGKILL)
            end(pid, self.name, signal.SIGKILL, Deadline(10))
        if self._child is not None:
            self._child.kill()
            self._child.wait(timeout=10)
            self._child = None
        self._end_name_daemon(Deadline(5))

    def environment(self) -> dict[str, str]:
        """The environment of the node and of tools that speak to it (``rabbitmqctl``)."""
        ports = self._ports or self._remembered_ports()
        assert ports is not None
        return {
            "PATH": os.environ.get("PATH", os.defpath),
            "LANG": "C.UTF-8",
            "HOME": str(self.directory),
            "ERL_EPMD_ADDRESS": LOOPBACK,
            "ERL_EPMD_PORT": str(ports.names),
            "RABBITMQ_NODENAME": self.name,
            "RABBITMQ_DIST_PORT": str(ports.distribution),
            "RABBITMQ_MNESIA_BASE": str(self.directory / "mnesia"),
            "RABBITMQ_LOG_BASE": str(self.directory / "log"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(self._beside(".plugins")),
            "RABBITMQ_CONFIG_FILE": str(self._beside(".conf")),
            "RABBITMQ_CONFIG_FILES": str(self.directory / "no-more-configuration"),
            "RABBITMQ_ADVANCED_CONFIG_FILE": str(self.directory / "no-advanced-configuration"),
            "RABBITMQ_CONF_ENV_FILE": "/dev/null",
            "RABBITMQ_MAX_NUMBER_OF_PROCESSES": "65536",
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "+S 2:2 +B i",
            # The start script then becomes the node instead of waiting for it.
            "RUNNING_UNDER_SYSTEMD": "true",
        }

    def _spawn(self) -> None:
        directory_for(self.directory, self.user)
        self._ports = self._choose_ports()
        self._configure(self._ports)
        if self.log.exists() and self.log.stat().st_size > _LOG_MAX:
            self.log.replace(self._beside(".log.1"))
        identity: dict[str, Any] = {}
        if self.user is not None:
            identity = {"user": self.user.uid, "group": self.user.gid, "extra_groups": []}
        with self.log.open("ab") as log:
            self._child = subprocess.Popen(
                # Without a meaning to Erlang: it tells our process from others.
                [str(self.program), "-stacksync_node", self.name],
                env=self.environment(),
                umask=0o077,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=self.directory,
                start_new_session=True,
                **identity,
            )
        self._write(".json", json.dumps({"pid": self._child.pid, "ports": asdict(self._ports)}))

    def _configure(self, ports: _Ports) -> None:
        addresses = {
            "listeners.tcp.local": f"{LOOPBACK}:{ports.amqp}",
            "distribution.listener.interface": LOOPBACK,
            "log.console": "true",
            "log.file": "false",
        }
        options = (addresses | dict(self.settings)).items()
        self._write(".conf", "".join(f"{name} = {value}\n" for name, value in options))
        self._write(".plugins", f"[{','.join(self.plugins)}].\n")

    def _choose_ports(self) -> _Ports:
        amqp, distribution, names = choose(3)
        remembered = self._remembered_ports()
        # Within one run nobody learns of another port: rather wait until it is free.
        if remembered is not None and (self._ports is not None or is_free(remembered.amqp)):
            amqp = remembered.amqp
        return _Ports(amqp, distribution, names)

    def _remembered_ports(self) -> _Ports | None:
        ports = self._state().get("ports")
        return _Ports(**ports) if ports else None

    def _state(self) -> dict[str, Any]:
        try:
            state = json.loads(self._beside(".json").read_text())
        except (OSError, ValueError):
            return {}
        return state if isinstance(state, dict) else {}

    def _end_name_daemon(self, deadline: Deadline) -> None:
        ports = self._ports or self._remembered_ports()
        program = shutil.which("epmd")
        if ports is None or program is None:
            return
        with suppress(TimeoutError):
            while not is_free(ports.names):
                subprocess.run(
                    [program, "-port", str(ports.names), "-kill"],
                    env={"ERL_EPMD_ADDRESS": LOOPBACK},
                    capture_output=True,
                    timeout=5,
                )
                deadline.pause(0.05)

    def _failed(self, problem: str) -> Unavailable:
        return Unavailable("RabbitMQ", f"{problem}; the end of {self.log}:\n{tail(self.log)}")

    def _write(self, suffix: str, text: str) -> None:
        path = self._beside(suffix)
        new = self._beside(suffix + ".new")
        new.write_text(text)
        new.chmod(0o644)
        new.replace(path)

    def _beside(self, suffix: str) -> Path:
        """Files of ours are not in a directory whose owner could make them links to others."""
        return self.directory.with_name(self.directory.name + suffix)
