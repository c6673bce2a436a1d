"""Parts of a content: the headers ``Range`` and ``If-Range`` (RFC 9110 §14).

One range is answered with that part.  Several are answered with the whole,
which a server may do, as is a header that is not understood.
"""

from __future__ import annotations

import re
from http import HTTPStatus
from typing import TYPE_CHECKING

from attrs import frozen

from stacksync.protocols.http.errors import Refusal

if TYPE_CHECKING:
    from stacksync.protocols.http.request import ApiRequest

UNIT = re.compile(rb"bytes=", re.IGNORECASE)
# More digits are more bytes than there are; such a header is passed over.
SPECIFIER = re.compile(rb"(\d{0,19})-(\d{0,19})")


@frozen
class Part:
    """The bytes from ``start`` up to but not including ``stop``."""

    start: int
    stop: int

    def content_range(self, size: int) -> bytes:
        """The value of ``Content-Range`` for this part of so many bytes."""
        return b"bytes %d-%d/%d" % (self.start, self.stop - 1, size)


def requested_part(request: ApiRequest, size: int, tag: bytes) -> Part | None:
    """The part of a content that is asked for, ``None`` for the whole.

    :param size: bytes of the whole.
    :param tag: its entity tag.
    :raises Refusal: 416, there is nothing of what is asked for.
    """
    headers = request.requestHeaders
    values = headers.getRawHeaders(b"Range")
    if request.method != b"GET" or values is None or len(values) != 1:
        return None
    # A date never is the condition that holds: clients say what it is.
    if headers.getRawHeaders(b"If-Range", [tag]) != [tag]:
        return None
    return part_of(values[0], size)


def part_of(told: bytes, size: int) -> Part | None:
    """What the value of a header ``Range`` means for so many bytes.

    :raises Refusal: 416, it means nothing of them.
    """
    unit = UNIT.match(told)
    if unit is None:
        return None
    specifiers = [each.strip(b" \t") for each in told[unit.end() :].split(b",")]
    parts: list[Part | None] = []
    for specifier in specifiers:
        if specifier:
            found = SPECIFIER.fullmatch(specifier)
            if found is None or not is_valid(found[1], found[2]):
                return None
            parts.append(satisfied(found[1], found[2], size))
    if not parts:
        return None
    if not any(parts):
        raise Refusal(
            HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE,
            f"Range: there are {size} bytes, and none of those that were asked for",
            ((b"Content-Range", b"bytes */%d" % size),),
        )
    part = parts[0]
    # Of no bytes there is no part that Content-Range could tell.
    return part if len(parts) == 1 and size else None


def is_valid(first: bytes, last: bytes) -> bool:
    if first and last:
        return int(first) <= int(last)
    return bool(first or last)


def satisfied(first: bytes, last: bytes, size: int) -> Part | None:
    """What there is of a valid specifier's bytes, ``None`` for nothing."""
    if not first:
        return Part(max(0, size - int(last)), size) if int(last) else None
    if int(first) >= size:
        return None
    return Part(int(first), min(size, int(last) + 1) if last else size)
