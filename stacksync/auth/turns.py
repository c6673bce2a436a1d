"""Who waits for something of which there is little, and whose turn it is.

Lanes come one before the other; within one everybody gets a turn, however much
a single one wants.  What they wait for is not known here.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Callable
from enum import Enum
from typing import Any

from attrs import define, field, frozen
from twisted.internet.defer import Deferred


class Lane(Enum):
    """Who waits; a lane comes before those after it."""

    KNOWN = 1
    """Somebody who has proved before who that is, or whoever sets a password."""
    STRANGER = 2
    """Anybody."""
    SPARE = 3
    """Nobody who waits for it."""


@frozen
class Turn:
    """Whose turn it is.

    :ivar who: with whom it takes turns in its lane; others of the same name wait behind it.
    """

    lane: Lane
    who: str = ""


ANYBODY = Turn(Lane.STRANGER)


@define(eq=False)
class Waiting:
    """What is to be done, and who is told what comes of it."""

    work: Callable[[], Any]
    answer: Deferred[Any] = field(factory=Deferred)


class TakingTurns:
    """Those who wait in a lane, one of each name after the other."""

    def __init__(self) -> None:
        self._waiting: OrderedDict[str, deque[Waiting]] = OrderedDict()
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def add(self, who: str, waiting: Waiting) -> None:
        self._waiting.setdefault(who, deque()).append(waiting)
        self._count += 1

    def next(self) -> Waiting:
        """Take out whose turn it is."""
        who, those = self._waiting.popitem(last=False)
        self._count -= 1
        taken = those.popleft()
        if those:
            self._waiting[who] = those
        return taken

    def drop_one(self) -> Waiting:
        """Take out the latest of those of whom there are most; of several such, the latest."""
        who = max(reversed(self._waiting), key=lambda each: len(self._waiting[each]))
        self._count -= 1
        dropped = self._waiting[who].pop()
        if not self._waiting[who]:
            del self._waiting[who]
        return dropped
