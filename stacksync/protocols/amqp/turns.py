"""Whose request is next: each sender's in turn, however many one of them sends.

Requests that there is no room for wait here, the first of each sender in
front.  Knows nothing of brokers, and nothing of what a request says.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from attrs import define, field

from stacksync.protocols.amqp.wire.frames import Delivery

BYTES_IN_WORK = 32 * 1024**2
"""Bodies that may be in work together.  Read, a body takes ten times as much memory, and more if
somebody means it to; it keeps that while its request waits for the database."""

BYTES_OF_SENDER = 8 * 1024**2
"""Of those, what one sender may have; a single larger one has to be alone."""


@define(eq=False)
class Sender:
    """What one sender has with us.

    :ivar in_work: how many of its requests have begun and are not done.
    :ivar bytes_in_work: what the bodies of those have together.
    :ivar waiting: those that have not begun, in the order in which they came.
    :ivar is_ready: whether it has a place among those who are next.
    """

    name: str
    in_work: int = 0
    bytes_in_work: int = 0
    is_ready: bool = False
    waiting: deque[Delivery] = field(factory=deque)


@define(eq=False)
class Turns:
    """Lets requests begin: round robin among senders, first come first served for each of them.

    :param in_all: how many requests may be in work at a time.
    :param per_sender: how many of those may be of one sender.
    :param begin: begins a request; who does the work tells :meth:`done` when
        it is over, at once or later.
    :ivar in_work: how many have begun and are not done.
    :ivar waiting: how many have not begun.
    :ivar waiting_bytes: what the bodies of those have together.
    """

    _in_all: int
    _per_sender: int
    _begin: Callable[[Sender, Delivery], None]
    _bytes_in_work: int = field(init=False, default=0)
    in_work: int = field(init=False, default=0)
    waiting: int = field(init=False, default=0)
    waiting_bytes: int = field(init=False, default=0)
    _senders: dict[str, Sender] = field(init=False, factory=dict)
    _ready: deque[Sender] = field(init=False, factory=deque)
    """Those who have something waiting and less in work than they may, each once."""
    _is_choosing: bool = field(init=False, default=False)

    def add(self, name: str, delivery: Delivery) -> None:
        """Let a request begin, now or when its turn comes.

        :param name: the sender's.
        """
        sender = self._senders.get(name)
        if sender is None:
            sender = self._senders[name] = Sender(name)
        sender.waiting.append(delivery)
        self.waiting += 1
        self.waiting_bytes += len(delivery.body)
        self._line_up(sender)
        self._choose()

    def done(self, sender: Sender, delivery: Delivery) -> None:
        """One of a sender's requests is over: somebody else's begins."""
        size = len(delivery.body)
        self.in_work -= 1
        self._bytes_in_work -= size
        sender.in_work -= 1
        sender.bytes_in_work -= size
        self._line_up(sender)
        if not sender.in_work and not sender.waiting:
            del self._senders[sender.name]
        self._choose()

    def drop(self) -> list[Delivery]:
        """Forget what waits; what that was, in the order in which it came."""
        dropped = [each for sender in self._senders.values() for each in sender.waiting]
        for sender in list(self._senders.values()):
            sender.waiting.clear()
            sender.is_ready = False
            if not sender.in_work:
                del self._senders[sender.name]
        self._ready.clear()
        self.waiting = self.waiting_bytes = 0
        return sorted(dropped, key=lambda delivery: delivery.delivery_tag)

    def _choose(self) -> None:
        """Begin what there is room for.  What is over at once calls this again, and need not."""
        if self._is_choosing:
            return
        self._is_choosing = True
        try:
            while self._ready and self._has_room_for(self._ready[0].waiting[0]):
                sender = self._ready.popleft()
                sender.is_ready = False
                delivery = sender.waiting.popleft()
                self.waiting -= 1
                self.waiting_bytes -= len(delivery.body)
                self._count(sender, delivery)
                # Before it begins: it may be over at once, which looks at this.
                self._line_up(sender)
                self._begin(sender, delivery)
        finally:
            self._is_choosing = False

    def _count(self, sender: Sender, delivery: Delivery) -> None:
        size = len(delivery.body)
        self.in_work += 1
        self._bytes_in_work += size
        sender.in_work += 1
        sender.bytes_in_work += size

    def _line_up(self, sender: Sender) -> None:
        """Give a sender a place among those who are next, if the first of its requests may be."""
        if sender.waiting and not sender.is_ready and self._is_within_share(sender):
            sender.is_ready = True
            self._ready.append(sender)

    def _is_within_share(self, sender: Sender) -> bool:
        size = len(sender.waiting[0].body)
        fits = sender.bytes_in_work + size <= BYTES_OF_SENDER or not sender.in_work
        return fits and sender.in_work < self._per_sender

    def _has_room_for(self, delivery: Delivery) -> bool:
        fits = self._bytes_in_work + len(delivery.body) <= BYTES_IN_WORK or not self.in_work
        return fits and self.in_work < self._in_all
