"""A network between us and the broker that a test may cut, freeze and mend."""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import Any

from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.internet.endpoints import TCP4ClientEndpoint, connectProtocol
from twisted.internet.protocol import Factory, Protocol
from twisted.python.failure import Failure


class Link:
    """Listens on a port of its own and passes everything on to the broker's, both ways."""

    def __init__(self, broker_port: int) -> None:
        # Bound for as long as the link is used: nobody else gets the port while it is cut.
        self._held = socket.socket()
        self._held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._held.bind(("127.0.0.1", 0))
        self.port: int = self._held.getsockname()[1]
        self.connections = 0
        """How many have been made through it."""
        self.replied: Callable[[int], None] = lambda replies: None
        """Called with the number of pieces that have come from the broker, after each."""
        self._replies = 0
        self._broker_port = broker_port
        self._ends: list[End] = []
        self._listening: Any = None

    def mend(self) -> None:
        """Let connections through, on the same port as before."""
        clock: Any = reactor
        factory = Factory.forProtocol(lambda: NearEnd(self))
        factory.noisy = False
        self._listening = clock.listenTCP(self.port, factory, interface="127.0.0.1")

    async def cut(self) -> None:
        """End the connections and let none through."""
        listening, self._listening = self._listening, None
        self.drop()
        if listening is not None:
            await listening.stopListening()

    async def close(self) -> None:
        """Cut it for good."""
        await self.cut()
        self._held.close()

    def drop(self) -> None:
        """End the connections; new ones may be made."""
        for end in list(self._ends):
            end.transport.abortConnection()

    def freeze(self) -> None:
        """Pass nothing on, in neither direction."""
        for end in self._ends:
            end.transport.pauseProducing()

    def thaw(self) -> None:
        """Go on, with all that was said meanwhile."""
        for end in self._ends:
            end.transport.resumeProducing()

    def joined(self, end: End) -> None:
        self._ends.append(end)

    def left(self, end: End) -> None:
        self._ends.remove(end)

    def passed_reply(self) -> None:
        self._replies += 1
        self.replied(self._replies)

    @property
    def is_quiet(self) -> bool:
        """Whether there are no connections now."""
        return not self._ends

    async def reach_broker(self, far: End) -> None:
        await connectProtocol(TCP4ClientEndpoint(reactor, "127.0.0.1", self._broker_port), far)


class End(Protocol):
    """One of the two sockets of a connection."""

    other: End | None = None

    def __init__(self, link: Link) -> None:
        self.link = link

    def connectionMade(self) -> None:
        self.link.joined(self)

    def dataReceived(self, data: bytes) -> None:
        if self.other is not None:
            self.other.transport.write(data)

    def connectionLost(self, reason: Failure | None = None) -> None:
        self.link.left(self)
        if self.other is not None and self.other.transport is not None:
            self.other.transport.loseConnection()


class FarEnd(End):
    """The socket that the broker has."""

    def dataReceived(self, data: bytes) -> None:
        super().dataReceived(data)
        self.link.passed_reply()


class NearEnd(End):
    """The socket that we have connected to."""

    def connectionMade(self) -> None:
        super().connectionMade()
        self.link.connections += 1
        self.transport.pauseProducing()
        far = FarEnd(self.link)
        far.other = self
        self.other = far
        reaching = Deferred.fromCoroutine(self.link.reach_broker(far))
        reaching.addCallbacks(
            lambda _: self._reached(far), lambda _: self.transport.abortConnection()
        )

    def _reached(self, far: End) -> None:
        if self.transport.connected:
            self.transport.resumeProducing()
        else:
            # Dropped meanwhile.
            far.transport.loseConnection()
