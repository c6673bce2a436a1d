"""What the resources of files, folders and their content do alike.

A query is refused that says more than the resource knows; a write is refused
that a foreign page is behind, and is carried to its end once it has begun; who
asks for a folder among the files is told where it is.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from http import HTTPStatus
from typing import TYPE_CHECKING

from twisted.internet.defer import Deferred

from stacksync.engine.carried_out import carried_out
from stacksync.errors import InvalidRequest, ItemNotFound, NotFound
from stacksync.protocols.fields import Fields, integer, shortened
from stacksync.protocols.http.answer import Answer, Headers, StreamedAnswer, json_answer
from stacksync.protocols.http.conditions import expected_version, is_known, tag_of
from stacksync.protocols.http.edge.origin import check_origin
from stacksync.protocols.http.errors import Refusal
from stacksync.protocols.http.items import encode_item
from stacksync.protocols.http.query import INT64, Query
from stacksync.protocols.http.resource import ApiResource, Handler

if TYPE_CHECKING:
    from stacksync.engine import Engine
    from stacksync.interfaces import IAuthenticator
    from stacksync.model import Item, Principal
    from stacksync.protocols.http.request import ApiRequest

NUMBER = re.compile(r"[1-9][0-9]{0,18}")
READING = frozenset([b"GET", b"HEAD"])
NONE: frozenset[str] = frozenset()


class ContentResource(ApiResource):
    """A resource whose query is read strictly and whose writes are carried to their end.

    :cvar parameters: what the query may have, by method; ``GET``'s are ``HEAD``'s.
    """

    parameters: Mapping[bytes, frozenset[str]] = {}

    def __init__(
        self, authenticator: IAuthenticator, engine: Engine, handlers: Mapping[bytes, Handler]
    ) -> None:
        super().__init__(authenticator, handlers)
        self._engine = engine

    def query(self, request: ApiRequest) -> Query:
        """:raises InvalidRequest: a parameter is not one that this method has."""
        method = b"GET" if request.method == b"HEAD" else request.method
        return Query(request, self.parameters.get(method, NONE))

    async def _handle(
        self, handler: Handler, request: ApiRequest, principal: Principal
    ) -> Answer | StreamedAnswer | None:
        self.query(request)
        if request.method in READING:
            return await handler(request, principal)
        check_origin(request)
        work = handler(request, principal)
        return await carried_out(Deferred.fromCoroutine(work))  # type: ignore[arg-type]


class ItemResource(ContentResource):
    """A resource at or below ``/file/:id`` or ``/folder/:id``.

    :cvar is_folder: which of the two.
    """

    is_folder = False

    async def _handle(
        self, handler: Handler, request: ApiRequest, principal: Principal
    ) -> Answer | StreamedAnswer | None:
        try:
            return await super()._handle(handler, request, principal)
        except ItemNotFound:
            await self._say_where_it_is(request, principal)
            raise

    async def expected(self, request: ApiRequest, principal: Principal) -> int | None:
        """The version that a write is meant for; see :func:`.conditions.expected_version`."""

        async def current() -> Item:
            return await self._engine.items.get(
                principal, number_in_path(request, "item"), is_folder=self.is_folder
            )

        return await expected_version(request, current)

    async def _say_where_it_is(self, request: ApiRequest, principal: Principal) -> None:
        """:raises Refusal: 404, the principal has it, but it is of the other kind."""
        try:
            item = await self._engine.items.get(
                principal, number_in_path(request, "item"), is_folder=not self.is_folder
            )
        except ItemNotFound:
            return
        this, other = ("folder", "file") if self.is_folder else ("file", "folder")
        mount = request.location.split("/")[1]
        raise Refusal(
            HTTPStatus.NOT_FOUND,
            f"no such {this}: {item.id} is a {other}, at /{mount}/{other}/{item.id}",
        )


def number_in_path(request: ApiRequest, name: str, unknown: type[NotFound] = ItemNotFound) -> int:
    """The positive integer in a variable part of the path.

    :raises ItemNotFound: or ``unknown``; it is no such number, and nothing has that name.
    """
    segment = request.segments[name].decode("utf-8", "replace")
    if NUMBER.fullmatch(segment) is None or int(segment) >= INT64:
        raise unknown(shortened(segment))
    return int(segment)


def parent_in(fields: Fields) -> int | None:
    """The folder that a body names; 0 is the root.

    :raises InvalidRequest: it is no integer, or below 0.
    """
    parent = integer(fields, "parent")
    if parent is not None and parent < 0:
        raise InvalidRequest("parent", "must be the id of a folder, or 0 for the root")
    return parent


def item_answer(item: Item, code: int = HTTPStatus.OK, headers: Headers = ()) -> Answer:
    """The metadata of an item, with its version as the entity tag."""
    return json_answer(encode_item(item), code, ((b"ETag", tag_of(item)), *headers))


def shown(request: ApiRequest, item: Item) -> Answer | StreamedAnswer:
    """The metadata of an item for who reads it; 304 where they have it already."""
    if is_known(request, item):
        return StreamedAnswer(None, 0, HTTPStatus.NOT_MODIFIED, ((b"ETag", tag_of(item)),))
    return item_answer(item)


def created(request: ApiRequest, item: Item) -> Answer:
    """What tells of an item that was made below this path."""
    location = b"%s/%d" % (request.path, item.id)
    return item_answer(item, HTTPStatus.CREATED, ((b"Location", location),))
