"""One item by its id, file or folder alike: its metadata, rename and move, delete."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stacksync.errors import InvalidRequest
from stacksync.protocols.fields import text
from stacksync.protocols.http.answer import Answer, StreamedAnswer
from stacksync.protocols.http.body import given_request_id, read_object
from stacksync.protocols.http.resources.item_resource import (
    ItemResource,
    item_answer,
    number_in_path,
    parent_in,
    shown,
)

if TYPE_CHECKING:
    from stacksync.engine import Engine
    from stacksync.interfaces import IAuthenticator
    from stacksync.model import Principal
    from stacksync.protocols.http.request import ApiRequest

FIELDS = frozenset(["name", "parent", "request_id"])


class OneItemResource(ItemResource):
    """``GET``, ``PUT`` and ``DELETE`` of ``/file/:id`` or ``/folder/:id``."""

    def __init__(self, authenticator: IAuthenticator, engine: Engine) -> None:
        super().__init__(
            authenticator,
            engine,
            {b"GET": self._show, b"PUT": self._relocate, b"DELETE": self._delete},
        )

    async def _show(self, request: ApiRequest, principal: Principal) -> Answer | StreamedAnswer:
        item_id = number_in_path(request, "item")
        item = await self._engine.items.get(principal, item_id, is_folder=self.is_folder)
        return shown(request, item)

    async def _relocate(self, request: ApiRequest, principal: Principal) -> Answer:
        item_id = number_in_path(request, "item")
        fields = read_object(request, FIELDS)
        name, parent_id = text(fields, "name"), parent_in(fields)
        if name is None and parent_id is None:
            raise InvalidRequest("body", "nothing to change: give name, parent or both")
        item = await self._engine.items.relocate(
            principal,
            item_id,
            is_folder=self.is_folder,
            name=name,
            parent_id=parent_id,
            expected=await self.expected(request, principal),
            request_id=given_request_id(request, fields),
        )
        return item_answer(item)

    async def _delete(self, request: ApiRequest, principal: Principal) -> Answer:
        item = await self._engine.items.delete(
            principal,
            number_in_path(request, "item"),
            is_folder=self.is_folder,
            expected=await self.expected(request, principal),
            request_id=given_request_id(request),
        )
        return item_answer(item)
