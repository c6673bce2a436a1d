"""The numbers that random runs begin with, and others if the environment says so."""

from __future__ import annotations

import os
from collections.abc import Sequence


def seeds(variable: str, usual: range) -> Sequence[int]:
    """Those of the environment, such as ``17`` or ``0-999``, or the usual ones."""
    told = os.environ.get(variable, "")
    if not told:
        return usual
    first, _, last = told.partition("-")
    return range(int(first), int(last or first) + 1)


def portions(numbers: Sequence[int], size: int) -> list[Sequence[int]]:
    """The same numbers, so many at a time."""
    return [numbers[start : start + size] for start in range(0, len(numbers), size)]


def name_of(portion: object) -> str:
    """What a test of a portion is called."""
    assert isinstance(portion, Sequence)
    return f"{portion[0]}-{portion[-1]}"
