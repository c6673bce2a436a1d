"""``/workspaces/:id/chunks/:name``: chunks as they are stored, for clients that cut files.

A chunk never changes, so who has it need not ask again.  What is in one is not
looked at here.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from stacksync.errors import ChunkNotFound, WorkspaceNotFound
from stacksync.model import BlobInfo
from stacksync.protocols.fields import iso, shortened
from stacksync.protocols.http.answer import Answer, Headers, StreamedAnswer, json_answer
from stacksync.protocols.http.body import identity_in_path
from stacksync.protocols.http.conditions import read_tags
from stacksync.protocols.http.content.downloads import CONFINED
from stacksync.protocols.http.content.file_body import file_body
from stacksync.protocols.http.content.ranges import requested_part
from stacksync.protocols.http.resource import JSONResource
from stacksync.protocols.http.resources.item_resource import ContentResource

if TYPE_CHECKING:
    from stacksync.engine import Engine
    from stacksync.interfaces import IAuthenticator
    from stacksync.model import Principal
    from stacksync.protocols.http.request import ApiRequest

KEPT: Headers = (
    (b"Cache-Control", b"private, max-age=31536000, immutable"),
    (b"Content-Type", b"application/octet-stream"),
    (b"Content-Disposition", b"attachment"),
    (b"Accept-Ranges", b"bytes"),
    *CONFINED,
)


def chunks_below(authenticator: IAuthenticator, engine: Engine, max_chunk: int) -> JSONResource:
    """What stands at ``/workspaces/:id/chunks``: nothing itself, the chunks by name below."""
    chunks = JSONResource({})
    chunks.put_variable("chunk", ChunkResource(authenticator, engine, max_chunk))
    return chunks


class ChunkResource(ContentResource):
    """``GET``, ``HEAD`` and ``PUT`` of one chunk.

    :param max_chunk: the most bytes that a chunk may have as it is sent.
    """

    streamed_methods = frozenset([b"PUT"])

    def __init__(self, authenticator: IAuthenticator, engine: Engine, max_chunk: int) -> None:
        super().__init__(authenticator, engine, {b"GET": self._send, b"PUT": self._put})
        self._max_chunk = max_chunk

    async def _send(self, request: ApiRequest, principal: Principal) -> StreamedAnswer:
        chunks = self._engine.chunks
        workspace_id = identity_in_path(request, "workspace", WorkspaceNotFound)
        name = name_in_path(request)
        if request.method == b"HEAD":
            info = await chunks.head(principal, workspace_id, name)
        else:
            chunk = await chunks.open(principal, workspace_id, name)
            info = chunk.info
        tag = tag_of_chunk(info)
        headers = ((b"ETag", tag), *KEPT)
        known = read_tags(request, b"If-None-Match")
        if known is not None and known.have_like(tag):
            return StreamedAnswer(None, 0, HTTPStatus.NOT_MODIFIED, headers)
        part = requested_part(request, info.size, tag)
        if request.method == b"HEAD":
            return StreamedAnswer(None, info.size, headers=headers)
        if part is None:
            return StreamedAnswer(await chunk.read(), info.size, headers=headers)
        return StreamedAnswer(
            await chunk.read(part.start, part.stop),
            part.stop - part.start,
            HTTPStatus.PARTIAL_CONTENT,
            (*headers, (b"Content-Range", part.content_range(info.size))),
        )

    async def _put(self, request: ApiRequest, principal: Principal) -> Answer:
        workspace_id = identity_in_path(request, "workspace", WorkspaceNotFound)
        name = name_in_path(request)
        body = file_body(request, self._max_chunk)
        info, is_new = await self._engine.chunks.put(principal, workspace_id, name, body)
        headers: Headers = ((b"ETag", tag_of_chunk(info)),)
        if is_new:
            headers = (*headers, (b"Location", request.path))
        return json_answer(
            encode_chunk(info), HTTPStatus.CREATED if is_new else HTTPStatus.OK, headers
        )


def name_in_path(request: ApiRequest) -> str:
    """:raises ChunkNotFound: no chunk can have such a name."""
    segment = request.segments["chunk"]
    try:
        return segment.decode()
    except UnicodeDecodeError:
        raise ChunkNotFound(shortened(segment.decode("utf-8", "replace"))) from None


def tag_of_chunk(info: BlobInfo) -> bytes:
    return b'"%s-%d"' % (quote(info.name, safe="").encode(), info.size)


def encode_chunk(info: BlobInfo) -> dict[str, Any]:
    return {"name": info.name, "size": info.size, "modified_at": iso(info.modified_at)}
