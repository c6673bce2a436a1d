"""What of a private RabbitMQ node is on the disk beside its own directory.

Its configuration, its log, and what is remembered of it from start to start.
These are not in the node's directory, whose owner could make them links to
others; only the cookie is there, where Erlang looks for it.  Knows nothing of
processes.
"""

from __future__ import annotations

import hashlib
import json
import os
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Any, BinaryIO

from attrs import asdict, field, frozen

from stacksync.embedded.ports import LOOPBACK
from stacksync.embedded.private_files import write_private
from stacksync.embedded.run_as import RunAs

MANAGEMENT = "rabbitmq_management"

_LOG_MAX = 4 * 1024 * 1024


@frozen
class NodePorts:
    """Where a node listens.

    :ivar names: its name daemon (epmd).
    :ivar management: its management API; 0: one that an earlier version started has none.
    """

    amqp: int
    distribution: int
    names: int
    management: int = 0


@frozen
class Configuration:
    """All that a node is told."""

    conf: str = field(repr=False)
    plugins: str

    @classmethod
    def of(
        cls, ports: NodePorts, settings: Mapping[str, str], plugins: tuple[str, ...]
    ) -> Configuration:
        """:param settings: options of ``rabbitmq.conf``, in addition to the addresses."""
        options = {
            "listeners.tcp.local": f"{LOOPBACK}:{ports.amqp}",
            "distribution.listener.interface": LOOPBACK,
            "log.console": "true",
            "log.file": "false",
        }
        if MANAGEMENT in plugins:
            options["management.tcp.ip"] = LOOPBACK
            options["management.tcp.port"] = str(ports.management)
        options |= settings
        conf = "".join(f"{name} = {value}\n" for name, value in options.items())
        return cls(conf, f"[{','.join(plugins)}].\n")

    @property
    def fingerprint(self) -> str:
        """The same for the same configuration, without giving it away."""
        return hashlib.sha256(f"{self.conf}\0{self.plugins}".encode()).hexdigest()


@frozen
class Remembered:
    """What is known of the node that was started last."""

    pid: int | None = None
    ports: NodePorts | None = None
    fingerprint: str | None = None


@frozen
class NodeFiles:
    """The files of one node.

    :ivar directory: its own.
    :ivar user: whom it runs as; ``None``: ourselves.
    """

    directory: Path
    user: RunAs | None

    @property
    def log(self) -> Path:
        return self._beside(".log")

    @property
    def conf(self) -> Path:
        return self._beside(".conf")

    @property
    def plugins(self) -> Path:
        return self._beside(".plugins")

    def configure(self, configuration: Configuration) -> None:
        """Write what the node reads, for its user alone: there are secrets in it."""
        write_private(self.conf, configuration.conf, self.user)
        write_private(self.plugins, configuration.plugins, self.user)

    def give_cookie(self) -> None:
        """Write what the node, and whoever may command it, know each other by: new each time.

        Erlang would make one up, of nothing but the nanoseconds since it was started: whoever
        else is on this machine could try them all.
        """
        write_private(self.directory / ".erlang.cookie", secrets.token_hex(32), self.user)

    def open_log(self) -> BinaryIO:
        """The log, to write to; a long one is put aside first."""
        if self.log.exists() and self.log.stat().st_size > _LOG_MAX:
            self.log.replace(self._beside(".log.1"))
        # The node may write down what it was asked, and by whom.
        descriptor = os.open(self.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        os.fchmod(descriptor, 0o600)
        return os.fdopen(descriptor, "ab")

    def remember(self, started: Remembered) -> None:
        write_private(self._beside(".json"), json.dumps(asdict(started)))

    def recall(self) -> Remembered:
        """What was remembered last; of a file that is missing or damaged nothing."""
        try:
            state: Any = json.loads(self._beside(".json").read_text())
            ports = state.get("ports")
            return Remembered(
                state.get("pid"),
                NodePorts(**ports) if ports else None,
                state.get("fingerprint"),
            )
        except (OSError, ValueError, TypeError, AttributeError):
            return Remembered()

    def _beside(self, suffix: str) -> Path:
        return self.directory.with_name(self.directory.name + suffix)
