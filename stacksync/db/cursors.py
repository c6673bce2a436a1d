"""Where a page of a listing ended, as a text that clients hand back unread.

A cursor names the sort key and the id of the last item told, so the next page
begins behind it whatever came or went in between, and costs no more than the
first.
"""

from __future__ import annotations

import base64
import binascii
from datetime import datetime

import orjson
from attrs import frozen

from stacksync.errors import InvalidRequest
from stacksync.model import Order, Paging

Key = str | int | datetime

INT64 = 2**63


@frozen
class Position:
    """The last item of a page: what it is sorted by, and its id, which decides between equals."""

    key: Key
    id: int


def written(paging: Paging, position: Position) -> str:
    """The cursor for the page that follows a position."""
    key = position.key.isoformat() if isinstance(position.key, datetime) else position.key
    told = orjson.dumps([paging.order.value, paging.descending, key, position.id])
    return base64.urlsafe_b64encode(told).rstrip(b"=").decode()


def read(paging: Paging) -> Position | None:
    """The position that a page is to begin behind, or ``None`` for the first page.

    :raises InvalidRequest: the cursor is none of ours, or one of a listing in another order.
    """
    if paging.after is None:
        return None
    try:
        text = paging.after.encode("ascii")
        told = orjson.loads(base64.b64decode(text + b"=" * (-len(text) % 4), b"-_", validate=True))
        order, descending, key, identity = told
        position = Position(key_of(paging.order, key), identity)
        if type(identity) is not int or not 0 <= identity < INT64:
            raise ValueError(identity)
    except (ValueError, TypeError, binascii.Error):
        raise InvalidRequest("after", "is not where a page of this listing ended") from None
    if (order, descending) != (paging.order.value, paging.descending):
        raise InvalidRequest("after", "is where a page of another order ended")
    return position


def key_of(order: Order, told: object) -> Key:
    """The sort key as its type is, checked so that the database takes it.

    :raises ValueError: nothing can be sorted by this.
    """
    if order is Order.NAME and type(told) is str and "\0" not in told:
        return told
    if order is Order.SIZE and type(told) is int and 0 <= told < INT64:
        return told
    if order is Order.MODIFIED and type(told) is str:
        moment = datetime.fromisoformat(told)
        if moment.tzinfo is not None:
            return moment
    raise ValueError(told)
