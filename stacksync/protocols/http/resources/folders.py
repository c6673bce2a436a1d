"""``/folder``: folders and what is in them.

Folder 0 is the root of the account's default workspace: it is no item, has no
versions, and stays where it is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from stacksync.errors import Forbidden
from stacksync.protocols.fields import required, text
from stacksync.protocols.http.answer import Answer, StreamedAnswer, json_answer
from stacksync.protocols.http.body import given_request_id, read_object
from stacksync.protocols.http.conditions import check_new
from stacksync.protocols.http.items import ITEM, ROOT, encode_item
from stacksync.protocols.http.paging import PARAMETERS, page_answer, read_paging
from stacksync.protocols.http.resources.item_resource import (
    ContentResource,
    ItemResource,
    created,
    number_in_path,
    parent_in,
)
from stacksync.protocols.http.resources.members import (
    LeaveResource,
    MembersResource,
    UnshareResource,
)
from stacksync.protocols.http.resources.one_item import FIELDS, OneItemResource
from stacksync.protocols.http.resources.proposals import FolderSharesResource, ShareResource
from stacksync.protocols.http.resources.trash import RestoreResource

if TYPE_CHECKING:
    from stacksync.engine import Engine
    from stacksync.interfaces import IAuthenticator
    from stacksync.model import Principal
    from stacksync.protocols.http.request import ApiRequest


class FoldersResource(ContentResource):
    """``POST /folder``, and all that is below ``/folder``."""

    def __init__(self, authenticator: IAuthenticator, engine: Engine) -> None:
        super().__init__(authenticator, engine, {b"POST": self._create})
        folder = FolderResource(authenticator, engine)
        folder.putChild(b"contents", FolderContentsResource(authenticator, engine))
        folder.putChild(b"leave", LeaveResource(authenticator, engine))
        folder.putChild(b"members", MembersResource(authenticator, engine))
        folder.putChild(b"restore", RestoreResource(authenticator, engine, is_folder=True))
        folder.putChild(b"share", ShareResource(authenticator, engine))
        folder.putChild(b"shares", FolderSharesResource(authenticator, engine))
        folder.putChild(b"unshare", UnshareResource(authenticator, engine))
        self.put_variable("item", folder)

    async def _create(self, request: ApiRequest, principal: Principal) -> Answer:
        fields = read_object(request, FIELDS)
        name = required(text(fields, "name"), "name")
        check_new(request)
        item = await self._engine.items.create_folder(
            principal, name, parent_in(fields) or None, request_id=given_request_id(request, fields)
        )
        return created(request, item)


class FolderResource(OneItemResource):
    """``GET``, ``PUT`` and ``DELETE`` of ``/folder/:id``."""

    is_folder = True

    async def _show(self, request: ApiRequest, principal: Principal) -> Answer | StreamedAnswer:
        return json_answer(ROOT) if is_root(request) else await super()._show(request, principal)

    async def _relocate(self, request: ApiRequest, principal: Principal) -> Answer:
        check_not_root(request)
        return await super()._relocate(request, principal)

    async def _delete(self, request: ApiRequest, principal: Principal) -> Answer:
        check_not_root(request)
        return await super()._delete(request, principal)


class FolderContentsResource(ItemResource):
    """``GET /folder/:id/contents``: the folder and what is in it, page by page."""

    is_folder = True
    parameters = {b"GET": PARAMETERS | {"include_deleted"}}

    def __init__(self, authenticator: IAuthenticator, engine: Engine) -> None:
        super().__init__(authenticator, engine, {b"GET": self._list})

    async def _list(self, request: ApiRequest, principal: Principal) -> Answer:
        query = self.query(request)
        paging = read_paging(query, "name")
        folder_id, told = None, ROOT
        if not is_root(request):
            folder_id = number_in_path(request, "item")
            told = encode_item(await self._engine.items.get(principal, folder_id, is_folder=True))
        page = await self._engine.items.contents(
            principal,
            folder_id,
            paging,
            ITEM.shape,
            include_deleted=query.flag("include_deleted"),
        )
        return page_answer(request, page, told, "contents")


def is_root(request: ApiRequest) -> bool:
    return request.segments["item"] == b"0"


def check_not_root(request: ApiRequest) -> None:
    """:raises Forbidden: the root stays as it is."""
    if is_root(request):
        raise Forbidden("folder 0 is the root, which can't be renamed, moved or deleted")
