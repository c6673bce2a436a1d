"""Who waits for a place where there are fewer places than guessers want.

Places that are given to whoever comes next go to whoever asks most often.  A
line gives each network one turn after the other, so somebody who asks now and
then gets in after, at the most, as many turns as there are other networks that
keep asking.  A guesser who wants to keep people out for good would need new
networks for good.
"""

from __future__ import annotations

import ipaddress
from collections import OrderedDict
from functools import lru_cache
from itertools import islice

from attrs import define, field

PATIENCE = 20.0
"""Seconds after which somebody who has not asked again is taken to have gone."""

ADDRESSES_KNOWN = 4096
"""How many are remembered as they were read, for each request asks."""

LINE_MAX = 500
"""Networks in a line; more than these do not keep their turn."""


@define(eq=False)
class Line:
    """Networks that have asked for a place, in the order in which they first did."""

    _asked: OrderedDict[str, float] = field(init=False, factory=OrderedDict)

    def __len__(self) -> int:
        return len(self._asked)

    def may_go(self, address: str, free: int, now: float) -> bool:
        """Whether it is the turn of this address.

        :param free: how many places there are.
        """
        self._drop_gone(now)
        if free <= 0:
            return False
        return len(self._asked) < free or site_of(address) in islice(self._asked, free)

    def goes(self, address: str) -> None:
        """This address has got a place, and is in the line no more."""
        self._asked.pop(site_of(address), None)

    def wait(self, address: str, now: float) -> int:
        """Note that this address wants a place; how many are before it."""
        site = site_of(address)
        if site in self._asked or len(self._asked) < LINE_MAX:
            self._asked[site] = now
        for place, other in enumerate(self._asked):
            if other == site:
                return place
        return LINE_MAX

    def clear(self) -> None:
        """Forget who has asked."""
        self._asked.clear()

    def _drop_gone(self, now: float) -> None:
        while self._asked:
            first = next(iter(self._asked))
            if now - self._asked[first] <= PATIENCE:
                return
            del self._asked[first]


def network_of(address: str) -> str:
    """Whom an address stands for: itself, or its /64 where it is IPv6.

    A single IPv6 customer has 2⁶⁴ addresses to guess from (RFC 6177).
    """
    return prefix_of(address, 64)


def site_of(address: str) -> str:
    """Like :func:`network_of`, with the /48 that a customer may have at the most."""
    return prefix_of(address, 48)


@lru_cache(maxsize=ADDRESSES_KNOWN)
def prefix_of(address: str, length: int) -> str:
    if ":" not in address:
        return address
    try:
        parsed = ipaddress.IPv6Address(address.partition("%")[0])
    except ValueError:
        return address
    if parsed.ipv4_mapped is not None:
        return str(parsed.ipv4_mapped)
    return str(ipaddress.IPv6Network((parsed, length), strict=False).network_address)
