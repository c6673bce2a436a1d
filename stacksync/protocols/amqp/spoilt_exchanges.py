"""Exchanges that have closed our channel, because somebody deleted them or made them another.

Whoever may declare an exchange may do that, again and again, and each time all
that is on the way has to wait for a new channel: so it may happen a few times,
and then nothing is published there for a while.  Knows nothing of channels.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable
from typing import Any

MOST = 3
"""How often one exchange may close the channel."""

WITHIN = 60.0
"""Seconds in which it may do so, and until which it is barred then."""

REMEMBERED = 10_000


class SpoiltExchanges:
    """Those of one connection.

    :param clock: an ``IReactorTime``.
    """

    def __init__(self, clock: Any) -> None:
        self._clock = clock
        self._counts: OrderedDict[str, tuple[int, float]] = OrderedDict()

    def blame(self, exchanges: Iterable[str], text: str) -> str | None:
        """Count that one of these has closed the channel; which one.

        :param text: the broker's, which has the name of the exchange in quotation marks.
        :returns: ``None``: it names none of them.
        """
        blamed = next((each for each in exchanges if f"'{each}'" in text), None)
        if blamed is not None:
            count, since = self._counts.pop(blamed, (0, 0.0))
            now = self._clock.seconds()
            self._counts[blamed] = (count + 1, since) if now - since < WITHIN else (1, now)
            if len(self._counts) > REMEMBERED:
                self._counts.popitem(last=False)
        return blamed

    def is_barred(self, exchange: str) -> bool:
        """Whether nothing may be published there now."""
        count, since = self._counts.get(exchange, (0, 0.0))
        return count >= MOST and self._clock.seconds() - since < WITHIN
