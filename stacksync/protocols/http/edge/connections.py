"""The open connections, and who of them has to go when they become too many or too large.

One that has nothing under way can go: it has sent nothing yet, or not all of a
request, or its requests have been answered, or nobody has signed in for what
it asks.  The one for which that has been so for longest goes first, whoever
trickles bytes included; a whole request counts anew.  So it is with what has
come of bodies, which nobody has had to sign in for.  What a connection says is
not looked at here.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING

from attrs import define, field
from twisted.logger import Logger

if TYPE_CHECKING:
    from twisted.internet.interfaces import IReactorTime

    from stacksync.protocols.http.edge.channel import ApiChannel

BODIES_BYTES = 256 * 1024**2
"""What incomplete bodies may have together, or four of the largest if that is more."""

TOLD_EVERY = 60.0
"""Seconds between two lines in the log that say that there is too much."""


@define(eq=False)
class Connections:
    """The open connections of a site.

    :param most: how many there may be.
    :param max_body: the bytes that one body may have.
    :ivar all: them all.
    """

    _clock: IReactorTime
    _most: int
    _max_body: int
    all: set[ApiChannel] = field(init=False, factory=set)
    _waiting: OrderedDict[ApiChannel, None] = field(init=False, factory=OrderedDict)
    """Those that may go, the one for which that has been so for longest first."""
    _bodies: OrderedDict[ApiChannel, int] = field(init=False, factory=OrderedDict)
    """Bytes of bodies that are not all there, the one that began first in front."""
    _bodies_bytes: int = field(init=False, default=0)
    _told_at: float | None = field(init=False, default=None)
    _log = Logger()

    def has_room(self) -> bool:
        """Whether there may be one more; ends another one for it, if one can go."""
        if len(self.all) < self._most:
            return True
        self._tell("connections are open", len(self.all))
        if not self._waiting:
            return False
        self._end(next(iter(self._waiting)))
        return True

    def opened(self, channel: ApiChannel) -> None:
        """A connection was made."""
        self.all.add(channel)
        self._waiting[channel] = None

    def arrived(self, channel: ApiChannel) -> None:
        """All of a request is there.  Who it is from nobody knows: that may take time."""
        if channel in self._waiting:
            self._waiting.move_to_end(channel)
        self._let_go(channel)

    def works(self, channel: ApiChannel) -> None:
        """Somebody has signed in for the request that is under way: it is not to be ended."""
        self._waiting.pop(channel, None)

    def waits(self, channel: ApiChannel) -> None:
        """Its request was answered."""
        if channel in self.all:
            self._waiting[channel] = None

    def closed(self, channel: ApiChannel) -> None:
        """It is at its end."""
        self.all.discard(channel)
        self._waiting.pop(channel, None)
        self._let_go(channel)

    def holds(self, channel: ApiChannel, size: int) -> None:
        """So many bytes more of a body are kept for it, until it has arrived; others may have to
        go."""
        self._bodies[channel] = self._bodies.get(channel, 0) + size
        self._bodies_bytes += size
        most = max(BODIES_BYTES, 4 * self._max_body)
        while self._bodies_bytes > most:
            self._tell("bytes of bodies are waiting for the rest", self._bodies_bytes)
            self._end(next(iter(self._bodies)))

    def _end(self, channel: ApiChannel) -> None:
        self.closed(channel)
        channel.forceAbortClient()

    def _let_go(self, channel: ApiChannel) -> None:
        if channel in self._bodies:
            self._bodies_bytes -= self._bodies.pop(channel)

    def _tell(self, what: str, count: int) -> None:
        now = self._clock.seconds()
        if self._told_at is None or now - self._told_at >= TOLD_EVERY:
            self._told_at = now
            self._log.warn(
                "{count} {what}, as many as may be: for new ones those connections go that"
                " have done nothing for longest",
                what=what,
                count=count,
            )
