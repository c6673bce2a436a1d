"""Whose request is next: each sender's in turn, however many one of them sends.

Requests that there is no room for wait here, the first of each sender in
front.  Knows nothing of brokers, and nothing of what a request says.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from attrs import define, field

from stacksync.protocols.amqp.frames import Delivery


@define(eq=False)
class Sender:
    """What one sender has with us.

    :ivar in_work: how many of its requests have begun and are not done.
    :ivar waiting: those that have not begun, in the order in which they came.
    """

    name: str
    in_work: int = 0
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
        has_turn = sender.in_work < self._per_sender and not sender.waiting
        if has_turn and self.in_work < self._in_all and not self._ready:
            self._start(sender, delivery)
            return
        if has_turn:
            self._ready.append(sender)
        sender.waiting.append(delivery)
        self.waiting += 1
        self.waiting_bytes += len(delivery.body)

    def done(self, sender: Sender) -> None:
        """One of a sender's requests is over: somebody else's begins."""
        self.in_work -= 1
        sender.in_work -= 1
        if sender.waiting and sender.in_work == self._per_sender - 1:
            self._ready.append(sender)
        elif not sender.in_work and not sender.waiting:
            del self._senders[sender.name]
        self._choose()

    def drop(self) -> list[Delivery]:
        """Forget what waits; what that was, in the order in which it came."""
        dropped = [each for sender in self._senders.values() for each in sender.waiting]
        for sender in list(self._senders.values()):
            sender.waiting.clear()
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
            while self._ready and self.in_work < self._in_all:
                sender = self._ready.popleft()
                delivery = sender.waiting.popleft()
                self.waiting -= 1
                self.waiting_bytes -= len(delivery.body)
                # Before it begins: it may be over at once, which looks at this.
                if sender.waiting and sender.in_work + 1 < self._per_sender:
                    self._ready.append(sender)
                self._start(sender, delivery)
        finally:
            self._is_choosing = False

    def _start(self, sender: Sender, delivery: Delivery) -> None:
        self.in_work += 1
        sender.in_work += 1
        self._begin(sender, delivery)
