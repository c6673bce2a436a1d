"""Reading the query of a request, strictly.

A parameter that is not known, that comes twice or that is not as it must be is
refused by its name.  What a value may be beyond its type is for the engine to say.
"""

from __future__ import annotations

from collections.abc import Mapping, Set
from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID

from stacksync.errors import InvalidRequest
from stacksync.protocols.fields import identity, instant, shortened

if TYPE_CHECKING:
    from stacksync.protocols.http.request import ApiRequest

INT64 = 2**63
DIGITS_MAX = 19
FLAGS = {"true": True, "false": False}


class Query:
    """The parameters after the question mark.

    :param known: the names that they may have.
    :raises InvalidRequest: one has another name, comes twice or is not UTF-8.
    """

    def __init__(self, request: ApiRequest, known: Set[str]) -> None:
        self._values: Mapping[str, str] = dict(map(decoded, request.args.items()))
        for name in self._values:
            if name not in known:
                raise InvalidRequest(
                    shortened(name), f"unknown; known are {', '.join(sorted(known)) or 'none'}"
                )

    def text(self, name: str) -> str | None:
        return self._values.get(name)

    def natural(self, name: str, least: int = 0, most: int = INT64 - 1) -> int | None:
        """:raises InvalidRequest: it is no integer between the two."""
        value = self._values.get(name)
        if value is None:
            return None
        if value.isascii() and value.isdigit() and len(value) <= DIGITS_MAX:
            number = int(value)
            if least <= number <= most:
                return number
        bounds = "0 or greater, of 64 bits" if (least, most) == (0, INT64 - 1) else ""
        raise InvalidRequest(
            name, f"must be one integer, {bounds or f'between {least} and {most}'}"
        )

    def flag(self, name: str) -> bool:
        """Whether it is ``true``; left out it is not.

        :raises InvalidRequest: it is neither ``true`` nor ``false``.
        """
        value = self._values.get(name, "false")
        if value not in FLAGS:
            raise InvalidRequest(name, "must be true or false")
        return FLAGS[value]

    def identity(self, name: str) -> UUID | None:
        """:raises InvalidRequest: it is no UUID."""
        return identity(self._values, name)

    def instant(self, name: str) -> datetime | None:
        """ISO 8601 with its zone, or milliseconds since 1970.

        :raises InvalidRequest: it is neither.
        """
        value = self._values.get(name)
        if value is None:
            return None
        digits = value.removeprefix("-")
        is_number = digits.isascii() and digits.isdigit() and len(digits) <= DIGITS_MAX
        return instant({name: int(value) if is_number else value}, name)


def decoded(parameter: tuple[bytes, list[bytes]]) -> tuple[str, str]:
    name, values = parameter[0].decode("utf-8", "replace"), parameter[1]
    if len(values) != 1:
        raise InvalidRequest(shortened(name), "must be given once")
    try:
        return name, values[0].decode()
    except UnicodeDecodeError:
        raise InvalidRequest(shortened(name), "must be UTF-8, percent-encoded") from None
