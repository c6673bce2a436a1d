"""``/file/:id/versions``, ``/file/:id/version/:n``: what a file was, and making it that again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stacksync.errors import ItemNotFound, VersionNotFound
from stacksync.protocols.http.answer import Answer, StreamedAnswer, json_answer
from stacksync.protocols.http.body import given_request_id, read_optional_object
from stacksync.protocols.http.conditions import tag_of
from stacksync.protocols.http.content.downloads import download
from stacksync.protocols.http.items import encode_item
from stacksync.protocols.http.resources.item_resource import (
    ItemResource,
    item_answer,
    number_in_path,
    shown,
)

if TYPE_CHECKING:
    from stacksync.engine import Engine
    from stacksync.interfaces import IAuthenticator
    from stacksync.model import Principal
    from stacksync.protocols.http.request import ApiRequest

FIELDS = frozenset(["request_id"])


class VersionsResource(ItemResource):
    """``GET /file/:id/versions``: all that are kept, newest first."""

    def __init__(self, authenticator: IAuthenticator, engine: Engine) -> None:
        super().__init__(authenticator, engine, {b"GET": self._list})

    async def _list(self, request: ApiRequest, principal: Principal) -> Answer:
        item_id = number_in_path(request, "item")
        versions = await self._engine.versions.of(principal, item_id)
        if versions[0].is_folder:
            raise ItemNotFound(item_id)
        told = [encode_item(version) for version in versions]
        return json_answer({**told[0], "versions": told}, headers=((b"ETag", tag_of(versions[0])),))


class VersionResource(ItemResource):
    """``GET /file/:id/version/:n``, and ``POST``, which makes it the newest again."""

    def __init__(self, authenticator: IAuthenticator, engine: Engine) -> None:
        super().__init__(authenticator, engine, {b"GET": self._show, b"POST": self._restore})

    async def _show(self, request: ApiRequest, principal: Principal) -> Answer | StreamedAnswer:
        item_id, number = number_in_path(request, "item"), version_in_path(request)
        version = await self._engine.versions.one(principal, item_id, number)
        if version.is_folder:
            raise ItemNotFound(item_id)
        return shown(request, version)

    async def _restore(self, request: ApiRequest, principal: Principal) -> Answer:
        fields = read_optional_object(request, FIELDS)
        item = await self._engine.files.restore_version(
            principal,
            number_in_path(request, "item"),
            version_in_path(request),
            expected=await self.expected(request, principal),
            request_id=given_request_id(request, fields),
        )
        return item_answer(item)


class VersionDataResource(ItemResource):
    """``GET /file/:id/version/:n/data``."""

    def __init__(self, authenticator: IAuthenticator, engine: Engine) -> None:
        super().__init__(authenticator, engine, {b"GET": self._send})

    async def _send(self, request: ApiRequest, principal: Principal) -> StreamedAnswer:
        item_id, number = number_in_path(request, "item"), version_in_path(request)
        return await download(request, await self._engine.files.open(principal, item_id, number))


def version_in_path(request: ApiRequest) -> int:
    """:raises VersionNotFound: it is no version's number."""
    return number_in_path(request, "version", VersionNotFound)
