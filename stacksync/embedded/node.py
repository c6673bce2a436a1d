"""A private RabbitMQ node with its process; every method blocks.

The node has its own data, log, configuration, Erlang cookie and name daemon
(epmd), takes nothing from ``/etc/rabbitmq``, and listens on 127.0.0.1 only.
Its ports are kept from start to start, so that clients find it again.
"""

from __future__ import annotations

import hashlib
import os
import signal
import subprocess
from collections.abc import Mapping
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

from attrs import define, field
from twisted.logger import Logger

from stacksync.embedded.amqp_probe import speaks_amqp
from stacksync.embedded.deadline import Deadline
from stacksync.embedded.erlang import call, end_name_daemon
from stacksync.embedded.node_files import (
    MANAGEMENT,
    Configuration,
    NodeFiles,
    NodePorts,
    Remembered,
)
from stacksync.embedded.ports import LOOPBACK, choose, is_free
from stacksync.embedded.processes import end, runs, tail
from stacksync.embedded.questions import Questions
from stacksync.embedded.run_as import RunAs, directory_for
from stacksync.errors import Unavailable

_PROGRAM = "rabbitmq-server"
_DEBIAN = Path("/usr/lib/rabbitmq/bin")
_ADOPTION = 20.0

_log = Logger()

SETTINGS = {
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


@define
class Node:
    """One node.

    :ivar directory: what the node itself writes; configuration and log are
        beside it.  The parent must exist and let ``user`` pass.
    :ivar program: the start script.
    :ivar user: whom to run as; ``None``: ourselves.
    :ivar settings: options of ``rabbitmq.conf``, in addition to the addresses.
    :ivar plugins: the enabled plugins.
    :ivar questions: where it asks whom it may let in; ``None``: it has users of its own.
    """

    directory: Path
    program: Path
    user: RunAs | None
    settings: Mapping[str, str] = SETTINGS
    plugins: tuple[str, ...] = ()
    questions: Questions | None = None
    _ports: NodePorts | None = field(default=None, init=False)
    _child: subprocess.Popen[bytes] | None = field(default=None, init=False)

    @property
    def name(self) -> str:
        """The Erlang name; also on the command line."""
        digest = hashlib.sha256(os.fsencode(self.directory)).hexdigest()[:16]
        return f"stacksync-{digest}@localhost"

    @property
    def log(self) -> Path:
        return self._files.log

    @property
    def pid(self) -> int | None:
        """The node's process id, ``None`` if it doesn't run."""
        pid = self._files.recall().pid
        return pid if pid and runs(pid, self.name) else None

    @property
    def port(self) -> int:
        """The AMQP port.

        :raises Unavailable: the node has never been started.
        """
        return self._known_ports().amqp

    @property
    def management_port(self) -> int:
        """That of the management API, if its plugin is enabled.

        :raises Unavailable: the node has never been started.
        """
        return self._known_ports().management

    def start(self, deadline: Deadline) -> None:
        """Start the node, or find it running, and wait until it answers.

        One that runs with other settings is ended first.

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
        if self.pid is not None and not self._is_as_wanted():
            _log.warn(
                "the broker in {directory} runs with other settings, as of an earlier version: it"
                " is started anew; requests that wait in it are lost unless amqp.durable is set,"
                " and devices send them again",
                directory=self.directory,
            )
            self.stop(patience)
            return False
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
            if MANAGEMENT in self.plugins:
                self._let_go_of_statistics()
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
        ports = self._known_ports()
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
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(self._files.plugins),
            "RABBITMQ_CONFIG_FILE": str(self._files.conf),
            "RABBITMQ_CONFIG_FILES": str(self.directory / "no-more-configuration"),
            "RABBITMQ_ADVANCED_CONFIG_FILE": str(self.directory / "no-advanced-configuration"),
            "RABBITMQ_CONF_ENV_FILE": "/dev/null",
            "RABBITMQ_MAX_NUMBER_OF_PROCESSES": "65536",
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "+S 2:2 +B i",
            # The start script then becomes the node instead of waiting for it.
            "RUNNING_UNDER_SYSTEMD": "true",
        }

    @property
    def _files(self) -> NodeFiles:
        return NodeFiles(self.directory, self.user)

    def _spawn(self) -> None:
        directory_for(self.directory, self.user)
        self._ports = self._choose_ports()
        configuration = self._configuration(self._ports)
        self._files.configure(configuration)
        self._files.give_cookie()
        with ExitStack() as handed_over:
            log = handed_over.enter_context(self._files.open_log())
            sockets: tuple[int, ...] = ()
            if self.questions is not None:
                # Ours are gone when we are killed.  The node keeps its own, so that nobody else
                # can take the port meanwhile and answer it.
                reserved = handed_over.enter_context(self.questions.reserve())
                sockets = (reserved.fileno(),)
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
                pass_fds=sockets,
                **self._identity(),
            )
        self._files.remember(Remembered(self._child.pid, self._ports, configuration.fingerprint))

    def _identity(self) -> dict[str, Any]:
        if self.user is None:
            return {}
        return {"user": self.user.uid, "group": self.user.gid, "extra_groups": []}

    def _configuration(self, ports: NodePorts) -> Configuration:
        asking = self.questions.settings() if self.questions is not None else {}
        return Configuration.of(ports, {**self.settings, **asking}, self.plugins)

    def _is_as_wanted(self) -> bool:
        """Whether the node that runs was started with the settings that it would get now."""
        known = self._files.recall()
        return (
            known.ports is not None
            and known.fingerprint == self._configuration(known.ports).fingerprint
        )

    def _choose_ports(self) -> NodePorts:
        amqp, distribution, names, management = choose(4)
        remembered = self._files.recall().ports
        # Within one run nobody learns of another port: rather wait until it is free.
        if remembered is not None and (self._ports is not None or is_free(remembered.amqp)):
            amqp = remembered.amqp
        known = remembered.management if remembered is not None else 0
        if known and (self._ports is not None or is_free(known)):
            management = known
        return NodePorts(amqp, distribution, names, management)

    def _known_ports(self) -> NodePorts:
        ports = self._ports or self._files.recall().ports
        if ports is None:
            raise Unavailable("RabbitMQ", f"there is no node in {self.directory}")
        return ports

    def _let_go_of_statistics(self) -> None:
        """RabbitMQ 3.10 would wait 5 s at its end for statistics of what has ended already."""
        handler = "gen_event delete_handler [rabbit_event,rabbit_mgmt_db_handler,[]]"
        call(self.name, handler, self.environment(), self.user)

    def _end_name_daemon(self, deadline: Deadline) -> None:
        ports = self._ports or self._files.recall().ports
        if ports is not None:
            end_name_daemon(ports.names, deadline)

    def _failed(self, problem: str) -> Unavailable:
        return Unavailable("RabbitMQ", f"{problem}; the end of {self.log}:\n{tail(self.log)}")
