"""How names and sizes are shown to people."""

from __future__ import annotations


def printable(name: str) -> str:
    """A name by which nobody can steer the terminal, and which any terminal can show."""
    return "".join(each if each.isprintable() else "\N{REPLACEMENT CHARACTER}" for each in name)


def size(number: float) -> str:
    """A number of bytes in the unit in which it is below 1000."""
    if number < 1000:
        return f"{number:.0f} B"
    units = iter(("kB", "MB", "GB", "TB", "PB"))
    unit = next(units)
    number /= 1000
    while number >= 999.95:
        number, unit = number / 1000, next(units)
    return f"{number:.1f} {unit}"


def count(number: int, noun: str) -> str:
    """``1 file``, ``2 files``."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
