"""A connection without a network, and what a broker of the test's making says on it."""

from __future__ import annotations

from typing import Any

from pika import spec
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport

from stacksync.protocols.amqp.wire.connection import Connection
from tests.protocols.amqp.broker_frames import frames_of, method


class TCPTransport(StringTransport):
    """One that can be asked not to hold small frames back."""

    def setTcpNoDelay(self, enabled: bool) -> None:
        self.no_delay = enabled


class Wire(StringTransport):
    """Keeps what is written; with what a TCP transport has besides."""

    def setTcpNoDelay(self, enabled: bool) -> None:
        self.no_delay = enabled


class Script:
    """Both ends of a connection; time passes when the test says so."""

    def __init__(self, heartbeat: float = 30.0) -> None:
        self.clock = Clock()
        self.transport = TCPTransport()
        self.connection = Connection(self.clock, "/", heartbeat, 1000)
        self.connection.makeConnection(self.transport)
        self.transport.clear()

    def log_in(self, frame_max: int = 131072) -> None:
        """Let the handshake succeed."""
        logging_in = Deferred.fromCoroutine(self.connection.log_in("guest", "guest"))
        self.say(
            spec.Connection.Start(0, 9, {}, "PLAIN", "en_US"),
            spec.Connection.Tune(2047, frame_max, 60),
            spec.Connection.OpenOk(),
        )
        assert logging_in.called

    def say(self, *methods: Any, channel: int = 0) -> None:
        """What the broker says."""
        for each in methods:
            self.connection.dataReceived(method(channel, each))

    def heard(self) -> list[Any]:
        """The frames that the broker got since it was last asked."""
        found = frames_of(self.transport.value())
        self.transport.clear()
        return found

    def methods(self) -> list[Any]:
        """The methods among them."""
        return [each.method for each in self.heard() if hasattr(each, "method")]

    def is_aborted(self) -> bool:
        """Whether we have ended the connection at once."""
        return bool(self.transport.disconnected)
