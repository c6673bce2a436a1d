"""Listings page by page: ``limit``, ``after`` and ``sort``, and the way to the next page."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import orjson

from stacksync.errors import InvalidRequest
from stacksync.model import ItemPage, Order, Paging
from stacksync.protocols.http.answer import Answer, Headers
from stacksync.protocols.http.items import encode_listed
from stacksync.protocols.http.query import Query

if TYPE_CHECKING:
    from stacksync.protocols.http.request import ApiRequest

PARAMETERS = frozenset(["limit", "after", "sort"])
LIMIT = 200
LIMIT_MAX = 1000

SORTS = {sign + order.value: (order, bool(sign)) for order in Order for sign in ("", "-")}
"""``name``, ``-name``, …: the order, and whether it is the reverse."""


def read_paging(query: Query, sort: str) -> Paging:
    """Which page a query asks for.

    :param sort: the order where it does not say.
    :raises InvalidRequest: there is no such page.
    """
    told = query.text("sort")
    wanted = SORTS.get(sort if told is None else told)
    if wanted is None:
        raise InvalidRequest("sort", f"must be one of {', '.join(SORTS)}")
    order, descending = wanted
    return Paging(
        limit=query.natural("limit", 1, LIMIT_MAX) or LIMIT,
        after=query.text("after"),
        order=order,
        descending=descending,
    )


def page_answer(request: ApiRequest, page: ItemPage, about: dict[str, Any], name: str) -> Answer:
    """A page of items, with ``next`` to ask the following one with, ``null`` at the end.

    The items come from the database as the JSON that they are to be.

    :param about: what is told before the items.
    :param name: what the list of items is called.
    """
    head = orjson.dumps({**about, "next": page.next})[:-1]
    body = b'%b,"%b":%b}' % (head, name.encode(), encode_listed(page.items))
    return Answer(body, headers=next_link(request, page))


def next_link(request: ApiRequest, page: ItemPage) -> Headers:
    """The header ``Link`` (RFC 8288) that leads to the following page, if there is one."""
    if page.next is None:
        return ()
    parameters = {name: values[0] for name, values in request.args.items()}
    query = urlencode({**parameters, b"after": page.next.encode()})
    return ((b"Link", b'<%s?%s>; rel="next"' % (request.path, query.encode())),)
