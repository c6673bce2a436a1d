"""``/trash`` and ``…/restore``: what was deleted, and how it comes back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stacksync.protocols.fields import text
from stacksync.protocols.http.answer import Answer
from stacksync.protocols.http.body import given_request_id, read_optional_object
from stacksync.protocols.http.items import ITEM
from stacksync.protocols.http.paging import PARAMETERS, page_answer, read_paging
from stacksync.protocols.http.resources.item_resource import (
    ContentResource,
    ItemResource,
    item_answer,
    number_in_path,
    parent_in,
)

if TYPE_CHECKING:
    from stacksync.engine import Engine
    from stacksync.interfaces import IAuthenticator
    from stacksync.model import Principal
    from stacksync.protocols.http.request import ApiRequest

FIELDS = frozenset(["name", "parent", "request_id"])
NEWEST_FIRST = "-modified_at"


class TrashResource(ContentResource):
    """``GET /trash``: what was deleted in a workspace, page by page."""

    parameters = {b"GET": PARAMETERS | {"workspace"}}

    def __init__(self, authenticator: IAuthenticator, engine: Engine) -> None:
        super().__init__(authenticator, engine, {b"GET": self._list})

    async def _list(self, request: ApiRequest, principal: Principal) -> Answer:
        query = self.query(request)
        paging, workspace_id = read_paging(query, NEWEST_FIRST), query.identity("workspace")
        page = await self._engine.trash.list(
            principal, paging, ITEM.shape, workspace_id=workspace_id
        )
        return page_answer(request, page, {}, "items")


class RestoreResource(ItemResource):
    """``POST /file/:id/restore`` or ``POST /folder/:id/restore``."""

    def __init__(self, authenticator: IAuthenticator, engine: Engine, *, is_folder: bool) -> None:
        super().__init__(authenticator, engine, {b"POST": self._restore})
        self.is_folder = is_folder

    async def _restore(self, request: ApiRequest, principal: Principal) -> Answer:
        item_id = number_in_path(request, "item")
        fields = read_optional_object(request, FIELDS)
        item = await self._engine.trash.restore(
            principal,
            item_id,
            is_folder=self.is_folder,
            name=text(fields, "name"),
            parent_id=parent_in(fields),
            expected=await self.expected(request, principal),
            request_id=given_request_id(request, fields),
        )
        return item_answer(item)
