"""How often somebody may ask: a token bucket for each name, and of names a bounded number.

A bucket holds ``burst`` tokens and gets ``rate`` of them back in a second; a
request takes one.  Of each bucket only the moment is kept at which it is full
again, which says the same (the generic cell rate algorithm, ITU-T I.371, annex
A).  Knows nothing of requests.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable
from typing import TYPE_CHECKING

from attrs import define, field

from stacksync.errors import TooManyRequests

if TYPE_CHECKING:
    from twisted.internet.interfaces import IReactorTime

ROUNDING = 0.001
"""Part of a token that does not count, for moments are no exact numbers."""

BUCKETS_MAX = 100_000
"""Of more, the one that was asked least lately is forgotten, which makes it full."""


@define(eq=False)
class Buckets:
    """The buckets of one kind of name.

    :param rate: tokens that come back in a second; 0: nobody is ever refused.
    :param burst: tokens in a full bucket.
    :param whose: of whom there are too many requests, for the one who is told.
    """

    _clock: IReactorTime
    _rate: int
    _burst: int
    _whose: str
    _full_at: OrderedDict[Hashable, float] = field(init=False, factory=OrderedDict)
    _interval: float = field(init=False, default=0.0)
    _tolerance: float = field(init=False, default=0.0)

    def __attrs_post_init__(self) -> None:
        if self._rate:
            self._interval = 1 / self._rate
            self._tolerance = (self._burst - 1 + ROUNDING) * self._interval

    def __len__(self) -> int:
        return len(self._full_at)

    def take(self, name: Hashable) -> None:
        """Take a token out of somebody's bucket.

        :raises TooManyRequests: it is empty.
        """
        if not self._rate:
            return
        now = self._clock.seconds()
        full_at = self._full_at.get(name)
        if full_at is None:
            self._full_at[name] = now + self._interval
            if len(self._full_at) > BUCKETS_MAX:
                self._full_at.popitem(last=False)
            return
        self._full_at.move_to_end(name)
        if full_at <= now:
            self._full_at[name] = now + self._interval
        elif full_at - now <= self._tolerance:
            self._full_at[name] = full_at + self._interval
        else:
            raise TooManyRequests(
                f"too many requests {self._whose}: {self._rate} a second are allowed in the long"
                " run",
                retry_after=full_at - now - self._tolerance,
            )
