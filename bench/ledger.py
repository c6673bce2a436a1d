"""Which requests were sent, which came to their end, and how long each took.

Every request must come to its end exactly once.  What ends that was not under
way is a stray: a duplicate, or somebody else's.
"""

from __future__ import annotations

from attrs import define, field


@define(eq=False)
class Ledger:
    """Times are seconds of any one clock.

    :ivar under_way: the requests that have not ended, with the time of sending.
    :ivar durations: of the requests that ended while :attr:`measuring`.
    """

    under_way: dict[bytes, float] = field(factory=dict)
    durations: list[float] = field(factory=list)
    measuring: bool = False
    sent: int = 0
    strays: int = 0
    refused: int = 0

    def begun(self, stamp: bytes, now: float) -> None:
        self.sent += 1
        self.under_way[stamp] = now

    def ended(self, stamp: bytes, now: float, as_wished: bool) -> bool:
        """Returns whether this request was under way."""
        started = self.under_way.pop(stamp, None)
        if started is None:
            self.strays += 1
            return False
        if not as_wished:
            self.refused += 1
        if self.measuring:
            self.durations.append(now - started)
        return True

    @property
    def faults(self) -> dict[str, int]:
        """What must all be zero at the end."""
        return {"missing": len(self.under_way), "strays": self.strays, "refused": self.refused}


def percentile(values: list[float], part: float) -> float:
    """The smallest value that is not less than this part of all (nearest rank).

    :param part: more than 0, up to 1.
    :raises ValueError: there are no values.
    """
    if not values:
        raise ValueError("no values, so no percentile of them")
    ordered = sorted(values)
    rank = -int(-part * len(ordered) // 1)
    return ordered[max(rank, 1) - 1]


def milliseconds(durations: list[float]) -> dict[str, float]:
    """What is reported of durations in seconds."""
    marks = {"p50": 0.5, "p95": 0.95, "p99": 0.99, "max": 1.0}
    return {name: 1000 * percentile(durations, part) for name, part in marks.items()} | {
        "samples": len(durations)
    }
