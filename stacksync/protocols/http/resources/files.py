"""``/file``: files and their content."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stacksync.protocols.fields import required
from stacksync.protocols.http.answer import Answer, StreamedAnswer
from stacksync.protocols.http.body import given_request_id
from stacksync.protocols.http.conditions import check_new
from stacksync.protocols.http.content.downloads import download
from stacksync.protocols.http.content.file_body import file_body, mimetype_of
from stacksync.protocols.http.resource import JSONResource
from stacksync.protocols.http.resources.item_resource import (
    ContentResource,
    ItemResource,
    created,
    item_answer,
    number_in_path,
)
from stacksync.protocols.http.resources.one_item import OneItemResource
from stacksync.protocols.http.resources.trash import RestoreResource
from stacksync.protocols.http.resources.versions import (
    VersionDataResource,
    VersionResource,
    VersionsResource,
)

if TYPE_CHECKING:
    from stacksync.engine import Engine
    from stacksync.interfaces import IAuthenticator
    from stacksync.model import Principal
    from stacksync.protocols.http.request import ApiRequest

OF_CONTENT = frozenset(["mimetype", "modified_at"])


class FilesResource(ContentResource):
    """``POST /file?name=…&parent=…``, and all that is below ``/file``.

    :param max_file: the most bytes that a file may have; 0: any number.
    """

    streamed_methods = frozenset([b"POST"])
    parameters = {b"POST": OF_CONTENT | {"name", "parent"}}

    def __init__(self, authenticator: IAuthenticator, engine: Engine, max_file: int) -> None:
        super().__init__(authenticator, engine, {b"POST": self._create})
        self._max_file = max_file
        version = VersionResource(authenticator, engine)
        version.putChild(b"data", VersionDataResource(authenticator, engine))
        numbered = JSONResource({})
        numbered.put_variable("version", version)
        file = FileResource(authenticator, engine)
        file.putChild(b"data", FileDataResource(authenticator, engine, max_file))
        file.putChild(b"versions", VersionsResource(authenticator, engine))
        file.putChild(b"version", numbered)
        file.putChild(b"restore", RestoreResource(authenticator, engine, is_folder=False))
        self.put_variable("item", file)

    async def _create(self, request: ApiRequest, principal: Principal) -> Answer:
        query = self.query(request)
        name = required(query.text("name"), "name")
        check_new(request)
        item = await self._engine.files.create(
            principal,
            name,
            query.natural("parent") or None,
            file_body(request, self._max_file),
            length=request.body_length,
            mimetype=mimetype_of(request, query),
            modified_at=query.instant("modified_at"),
            request_id=given_request_id(request),
        )
        return created(request, item)


class FileResource(OneItemResource):
    """``GET``, ``PUT`` and ``DELETE`` of ``/file/:id``."""


class FileDataResource(ItemResource):
    """``GET /file/:id/data``, ``PUT /file/:id/data``."""

    streamed_methods = frozenset([b"PUT"])
    parameters = {b"PUT": OF_CONTENT}

    def __init__(self, authenticator: IAuthenticator, engine: Engine, max_file: int) -> None:
        super().__init__(authenticator, engine, {b"GET": self._send, b"PUT": self._replace})
        self._max_file = max_file

    async def _send(self, request: ApiRequest, principal: Principal) -> StreamedAnswer:
        item_id = number_in_path(request, "item")
        return await download(request, await self._engine.files.open(principal, item_id))

    async def _replace(self, request: ApiRequest, principal: Principal) -> Answer:
        query = self.query(request)
        item = await self._engine.files.replace(
            principal,
            number_in_path(request, "item"),
            file_body(request, self._max_file),
            length=request.body_length,
            mimetype=mimetype_of(request, query),
            modified_at=query.instant("modified_at"),
            expected=await self.expected(request, principal),
            request_id=given_request_id(request),
        )
        return item_answer(item)
