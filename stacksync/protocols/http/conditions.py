"""Conditional requests: entity tags, ``If-Match`` and ``If-None-Match`` (RFC 9110 §13).

The tag of an item is its version.  Dates are not looked at: they are what the
clients say, and no proof that nothing has changed.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import TYPE_CHECKING

from attrs import frozen

from stacksync.errors import InvalidRequest, VersionMismatch
from stacksync.model import Item
from stacksync.protocols.http.errors import Refusal

if TYPE_CHECKING:
    from stacksync.protocols.http.request import ApiRequest

ELEMENT = re.compile(rb'(W/)?("[\x21\x23-\x7e\x80-\xff]*")[ \t]*(?:,[ \t,]*|$)')
VERSION = re.compile(rb'"([1-9][0-9]{0,17})"')


@frozen
class Tags:
    """The entity tags of a header.

    :ivar anything: the header is ``*``.
    :ivar strong: those without ``W/``, in their quotes.
    :ivar weak: the others.
    """

    anything: bool = False
    strong: tuple[bytes, ...] = ()
    weak: tuple[bytes, ...] = ()

    def have_same(self, tag: bytes) -> bool:
        """Strong comparison, for writing and for ranges (RFC 9110 §8.8.3.2)."""
        return self.anything or tag in self.strong

    def have_like(self, tag: bytes) -> bool:
        """Weak comparison, for caches."""
        return self.anything or tag in self.strong or tag in self.weak


def read_tags(request: ApiRequest, name: bytes) -> Tags | None:
    """The tags in a header, ``None`` without it.

    :raises InvalidRequest: it holds something else.  To pass over that would
        be to write without the condition that was meant.
    """
    values = request.requestHeaders.getRawHeaders(name)
    if values is None:
        return None
    told = b", ".join(values).strip(b" \t")
    if told == b"*":
        return Tags(anything=True)
    strong: list[bytes] = []
    weak: list[bytes] = []
    place = len(told) - len(told.lstrip(b" \t,"))
    while place < len(told):
        element = ELEMENT.match(told, place)
        if element is None:
            break
        (weak if element[1] else strong).append(element[2])
        place = element.end()
    if place < len(told) or not (strong or weak):
        raise InvalidRequest(
            name.decode(), 'must be * or entity tags in their quotes, like "3" or "3", "4"'
        )
    return Tags(strong=tuple(strong), weak=tuple(weak))


def tag_of(item: Item) -> bytes:
    """The entity tag of an item at its version, for its metadata and its content alike."""
    return b'"%d"' % item.version


async def expected_version(
    request: ApiRequest, current: Callable[[], Awaitable[Item]]
) -> int | None:
    """The version that a write is meant for, ``None`` for whichever is the newest.

    :param current: reads the item, which is only needed for unusual conditions.
    :raises VersionMismatch: the item, as it is now, is not what was meant.
    :raises InvalidRequest: see :func:`read_tags`.
    """
    wanted, unwanted = read_tags(request, b"If-Match"), read_tags(request, b"If-None-Match")
    if unwanted is None:
        if wanted is None or wanted.anything:
            return None
        if len(wanted.strong) == 1 and not wanted.weak:
            version = VERSION.fullmatch(wanted.strong[0])
            if version is not None:
                return int(version[1])
    item = await current()
    check(wanted, unwanted, item)
    return item.version


def check_new(request: ApiRequest) -> None:
    """Refuse to make something anew on the condition that it has a version already.

    :raises Refusal: there is ``If-Match``.
    """
    if read_tags(request, b"If-Match") is not None:
        raise Refusal(
            HTTPStatus.PRECONDITION_FAILED, "If-Match: what is to be made has no version yet"
        )


def is_known(request: ApiRequest, item: Item) -> bool:
    """Whether a reader has this version of an item already, and 304 is the answer.

    :raises VersionMismatch: the reader wanted another version.
    :raises InvalidRequest: see :func:`read_tags`.
    """
    check(read_tags(request, b"If-Match"), None, item)
    known = read_tags(request, b"If-None-Match")
    return known is not None and known.have_like(tag_of(item))


def check(wanted: Tags | None, unwanted: Tags | None, item: Item) -> None:
    """:raises VersionMismatch: the item is not one of those, or is one of those unwanted."""
    tag = tag_of(item)
    if wanted is not None and not wanted.have_same(tag):
        raise VersionMismatch(f"If-Match: item {item.id} is at version {item.version}", item)
    if unwanted is not None and unwanted.have_like(tag):
        raise VersionMismatch(f"If-None-Match: item {item.id} is at version {item.version}", item)
