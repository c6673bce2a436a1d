"""``/uploads``: uploads that can be resumed, by tus 1.0.0.

With the extensions creation, creation-with-upload, creation-defer-length,
checksum, expiration and termination.  See
https://tus.io/protocols/resumable-upload; what is beyond it is in docs/http.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

from stacksync.engine.uploads.body import HASHES
from stacksync.errors import ChecksumMismatch, UploadNotFound
from stacksync.protocols.fields import iso
from stacksync.protocols.http.answer import Answer, Headers, StreamedAnswer, json_answer
from stacksync.protocols.http.body import identity_in_path
from stacksync.protocols.http.content.file_body import beyond
from stacksync.protocols.http.content.upload_headers import (
    EXTENSIONS,
    VERSION,
    check_piece_type,
    check_tus_version,
    order_headers,
    read_checksum,
    read_offset,
    read_order,
    read_size,
    state_headers,
)
from stacksync.protocols.http.errors import Refusal
from stacksync.protocols.http.resource import ApiResource, Handler

if TYPE_CHECKING:
    from collections.abc import Mapping
    from uuid import UUID

    from stacksync.engine.uploads import Upload, Uploads
    from stacksync.interfaces import IAuthenticator
    from stacksync.model import Principal
    from stacksync.protocols.http.request import ApiRequest

CHECKSUM_MISMATCH = 460


class TusResource(ApiResource):
    """What is alike wherever tus is spoken.

    :param max_file: the most bytes of a file; 0: any number.
    """

    # Those that X-HTTP-Method-Override may come with, too: whether a body is
    # streamed is decided before that header is looked at.
    streamed_methods = frozenset([b"PATCH", b"POST", b"PUT"])

    def __init__(
        self,
        authenticator: IAuthenticator,
        uploads: Uploads,
        handlers: Mapping[bytes, Handler],
        max_file: int,
    ) -> None:
        super().__init__(authenticator, {**handlers, b"OPTIONS": self._describe})
        self._uploads = uploads
        self._max_file = max_file

    def render(self, request: ApiRequest) -> int:
        request.setHeader(b"Tus-Resumable", VERSION)
        told = request.requestHeaders.getRawHeaders(b"X-HTTP-Method-Override")
        if told is not None:
            method = told[-1].strip().upper()
            # Whoever sent another method than HEAD waits for the body of the answer.
            request.method = b"GET" if method == b"HEAD" != request.method else method
        return super().render(request)

    async def _run(self, handler: Handler, request: ApiRequest) -> Answer | StreamedAnswer | None:
        if request.method == b"OPTIONS":
            # A browser asks before it may say who it is.
            return await handler(request)
        check_tus_version(request)
        try:
            return await super()._run(handler, request)
        except ChecksumMismatch as error:
            raise Refusal(CHECKSUM_MISMATCH, str(error)) from None

    async def _describe(self, request: ApiRequest) -> StreamedAnswer:
        headers: Headers = (
            (b"Allow", b", ".join(sorted(self.methods))),
            (b"Tus-Version", VERSION),
            (b"Tus-Extension", EXTENSIONS),
            (b"Tus-Checksum-Algorithm", ",".join(HASHES).encode()),
        )
        if self._max_file:
            headers = (*headers, (b"Tus-Max-Size", b"%d" % self._max_file))
        return done(headers)

    async def _append(
        self,
        request: ApiRequest,
        principal: Principal,
        upload_id: UUID,
        offset: int,
        length: int | None = None,
    ) -> Upload:
        """Take the request's body as the next piece."""
        return await self._uploads.append(
            principal,
            upload_id,
            offset,
            request.body,
            size=piece_size(request),
            checksum=read_checksum(request),
            length=length,
            limit=self._max_file or None,
        )

    def _check_length(self, length: int | None) -> None:
        if self._max_file and length is not None and length > self._max_file:
            raise beyond(self._max_file)


class UploadsResource(TusResource):
    """``POST /uploads``, ``OPTIONS /uploads``."""

    def __init__(self, authenticator: IAuthenticator, uploads: Uploads, max_file: int) -> None:
        super().__init__(authenticator, uploads, {b"POST": self._create}, max_file)
        self.put_variable("upload", UploadResource(authenticator, uploads, max_file))

    async def _create(self, request: ApiRequest, principal: Principal) -> StreamedAnswer:
        order = read_order(request)
        self._check_length(order.length)
        has_body = piece_size(request) != 0
        if has_body:
            check_piece_type(request)
        read_checksum(request)
        upload = await self._uploads.create(principal, order)
        # An answer that tells what went wrong afterwards has it too: the upload can go on.
        request.setHeader(b"Location", b"%s/%s" % (request.path, str(upload.id).encode()))
        if has_body or upload.complete:
            upload = await self._append(request, principal, upload.id, 0)
        return done(state_headers(upload, request), HTTPStatus.CREATED)


class UploadResource(TusResource):
    """``HEAD``, ``PATCH``, ``DELETE`` and ``GET /uploads/:id``."""

    def __init__(self, authenticator: IAuthenticator, uploads: Uploads, max_file: int) -> None:
        handlers: dict[bytes, Handler] = {
            b"GET": self._show,
            b"PATCH": self._go_on,
            b"DELETE": self._terminate,
        }
        super().__init__(authenticator, uploads, handlers, max_file)

    async def _show(self, request: ApiRequest, principal: Principal) -> Answer:
        upload = await self._uploads.get(principal, identity(request))
        if upload.complete and upload.item_id is None:
            # To a client all is well when the last byte is there, so it has to hear
            # of a file that could not be made; and where it can be now, it is.
            set_headers(request, upload)
            upload = await self._uploads.settle(principal, upload.id)
        state = {
            "id": upload.id,
            "offset": upload.offset,
            "length": upload.length,
            "expires_at": iso(upload.expires_at),
            "file_id": upload.item_id,
            "file_version": upload.item_version,
        }
        return json_answer(state, headers=(*state_headers(upload, request), *order_headers(upload)))

    async def _go_on(self, request: ApiRequest, principal: Principal) -> StreamedAnswer:
        check_piece_type(request)
        offset = read_offset(request)
        length = read_size(request, "Upload-Length")
        self._check_length(length)
        upload = await self._append(request, principal, identity(request), offset, length)
        return done(state_headers(upload, request))

    async def _terminate(self, request: ApiRequest, principal: Principal) -> StreamedAnswer:
        await self._uploads.terminate(principal, identity(request))
        return done(())


def identity(request: ApiRequest) -> UUID:
    return identity_in_path(request, "upload", UploadNotFound)


def piece_size(request: ApiRequest) -> int | None:
    """Bytes of the piece that a request brings; ``None``: as many as come."""
    # A method that is overridden may be one whose body has been read already.
    return request.body_length if request.body_length != 0 else len(request.content.getvalue())


def set_headers(request: ApiRequest, upload: Upload) -> None:
    for name, value in (*state_headers(upload, request), *order_headers(upload)):
        request.setHeader(name, value)


def done(headers: Headers, code: int = HTTPStatus.NO_CONTENT) -> StreamedAnswer:
    """An answer without a body."""
    return StreamedAnswer(None, 0, code, headers)
