"""The sorts of value that an option can hold: how each is read and written.

A reader takes the text to the right of ``=`` and raises ``ValueError`` with a
message that says what would be right; it knows neither files nor options.
Reading back what was written gives the same value.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, Generic, TypeVar

from attrs import frozen

Value = TypeVar("Value")

_SIZE_UNITS = {"T": 1024**4, "G": 1024**3, "M": 1024**2, "K": 1024}
_SECONDS = {"d": 86400, "h": 3600, "m": 60, "s": 1}
_FLAGS = {"true": True, "yes": True, "on": True, "false": False, "no": False, "off": False}
_AMQP_NAME_BYTES = 255
LARGEST_SIZE = 2**63 - 1
ONE_DAY = 86400.0


@frozen
class Kind(Generic[Value]):
    """One sort of value.

    :ivar read: text to value; raises ``ValueError``.
    :ivar write: value to the text that reads back as the same value.
    """

    read: Callable[[str], Value]
    write: Callable[[Value], str]


def read_size(text: str) -> int:
    """A number of bytes: ``4096``, or with a binary unit ``512K``, ``8M``, ``5G``, ``1T``.

    :raises ValueError: anything else, and more than 2^63 - 1 bytes.
    """
    match = re.fullmatch(r"([0-9]{1,19})([KMGT]?)", text.upper())
    if match is None:
        raise ValueError(f"{text!r} is not a size; write 4096 (bytes), 512K, 8M or 5G")
    size = int(match[1]) * _SIZE_UNITS.get(match[2], 1)
    if size > LARGEST_SIZE:
        raise ValueError(f"{text} is more than {LARGEST_SIZE} bytes")
    return size


def write_size(size: int) -> str:
    """The shortest exact text of a number of bytes: ``8388608`` is ``8M``."""
    for unit, factor in _SIZE_UNITS.items():
        if size and size % factor == 0:
            return f"{size // factor}{unit}"
    return str(size)


def read_duration(text: str) -> float:
    """Seconds, from a number with its unit: ``15ms``, ``1.5s``, ``2m``, ``1h``, ``7d``.

    :raises ValueError: anything else, a number without a unit included.
    """
    match = re.fullmatch(r"([0-9]{1,12}(?:\.[0-9]{1,9})?)(ms|s|m|h|d)", text)
    if match is None:
        raise ValueError(f"{text!r} is not a duration; write 15ms, 10s, 2m, 1h or 7d")
    number = float(match[1])
    return number / 1000 if match[2] == "ms" else number * _SECONDS[match[2]]


def write_duration(seconds: float) -> str:
    """The shortest exact text of a number of seconds: ``0.015`` is ``15ms``."""
    for unit, factor in _SECONDS.items():
        if seconds and seconds % factor == 0:
            return f"{int(seconds // factor)}{unit}"
    milliseconds = round(seconds * 1000, 6)
    return f"{milliseconds:.6f}".rstrip("0").rstrip(".") + "ms"


def size(minimum: int = 1, maximum: int = LARGEST_SIZE) -> Kind[int]:
    """A number of bytes within bounds."""
    return _within(Kind(read_size, write_size), minimum, maximum)


def duration(minimum: float = 0.001, maximum: float = ONE_DAY) -> Kind[float]:
    """A number of seconds within bounds."""
    return _within(Kind(read_duration, write_duration), minimum, maximum)


def whole(minimum: int, maximum: int) -> Kind[int]:
    """A whole number within bounds."""

    def read(text: str) -> int:
        if re.fullmatch(r"-?[0-9]{1,19}", text) is None:
            raise ValueError(f"{text!r} is not a whole number")
        return int(text)

    return _within(Kind(read, str), minimum, maximum)


def flag() -> Kind[bool]:
    """True or false."""

    def read(text: str) -> bool:
        try:
            return _FLAGS[text.lower()]
        except KeyError:
            raise ValueError(f"{text!r} is neither true nor false") from None

    return Kind(read, lambda value: "true" if value else "false")


def choice(*words: str) -> Kind[Any]:
    """One of a few words; typed ``Any`` so that options may declare a ``Literal``."""

    def read(text: str) -> str:
        if text not in words:
            raise ValueError(f"{text!r} is not one of {', '.join(words)}")
        return text

    return Kind(read, str)


def amqp_name() -> Kind[str]:
    """The name of an exchange or queue: an AMQP 0-9-1 short string that is ours to declare."""

    def read(text: str) -> str:
        if not text or re.search(r"\s", text):
            raise ValueError(f"{text!r} is not a name; it must not be empty or hold blanks")
        if len(text.encode()) > _AMQP_NAME_BYTES:
            raise ValueError(f"the name is longer than {_AMQP_NAME_BYTES} bytes")
        if text.startswith("amq."):
            raise ValueError(f"{text!r}: names that start with amq. are the broker's own")
        return text

    return Kind(read, str)


def directory() -> Kind[Path]:
    """An absolute path, or one that starts with ``~``; it need not exist."""

    def read(text: str) -> Path:
        try:
            path = Path(text).expanduser()
        except RuntimeError:
            raise ValueError(f"{text!r}: there is no such user") from None
        if not path.is_absolute() or "\0" in text:
            raise ValueError(f"{text!r} is not an absolute path")
        return path

    return Kind(read, str)


def text() -> Kind[str]:
    """Any text of one line, as it stands; may be empty."""
    return Kind(str, str)


def optional_file() -> Kind[Path]:
    """Empty, or an absolute path or one that starts with ``~``; it need not exist."""

    def read(text: str) -> Path:
        return directory().read(text) if text else Path()

    return Kind(read, lambda path: "" if path == Path() else str(path))


def directory_in_home() -> Kind[Path]:
    """A path that is absolute, starts with ``~``, or is relative to ``[service] home``."""

    def read(text: str) -> Path:
        if not text or "\0" in text:
            raise ValueError(f"{text!r} is not a path")
        return directory().read(text) if text.startswith("~") else Path(text)

    return Kind(read, str)


def _within(kind: Kind[Any], minimum: float, maximum: float) -> Kind[Any]:
    def read(text: str) -> Any:
        value = kind.read(text)
        if value < minimum:
            raise ValueError(f"{text} is too small; {kind.write(minimum)} is the smallest")
        if value > maximum:
            raise ValueError(f"{text} is too large; {kind.write(maximum)} is the largest")
        return value

    return Kind(read, kind.write)
