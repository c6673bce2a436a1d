"""How long a job that has failed waits before the next try."""

from __future__ import annotations

import random

FIRST = 1.0
"""Seconds before the second try, or less."""


def delay_after(attempts: int, longest: float) -> float:
    """Seconds after so many tries in a row: doubling up to ``longest``, and jittered."""
    delay: float = min(longest, FIRST * 2 ** min(attempts - 1, 30))
    return delay * random.uniform(0.5, 1.0)
