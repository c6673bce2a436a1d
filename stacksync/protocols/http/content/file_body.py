"""The body of a request that is a file's content itself, not a description of it."""

from __future__ import annotations

import re
from http import HTTPStatus
from typing import TYPE_CHECKING

from zope.interface import implementer

from stacksync.errors import InvalidRequest, TooLarge
from stacksync.interfaces import IByteStream
from stacksync.protocols.http.errors import Refusal
from stacksync.protocols.http.query import Query

if TYPE_CHECKING:
    from stacksync.protocols.http.request import ApiRequest

TOKEN = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
MIMETYPE = re.compile(rf"{TOKEN}/{TOKEN}")
MIMETYPE_MAX = 255

SAYS_NOTHING = frozenset(
    [
        "application/octet-stream",
        "application/x-www-form-urlencoded",  # what curl says unless told otherwise
        "binary/octet-stream",
    ]
)


@implementer(IByteStream)
class LimitedBody:
    """A body that may have only so many bytes, however it is sent."""

    def __init__(self, body: IByteStream, limit: int) -> None:
        self._body = body
        self._limit = limit
        self._left = limit

    async def read(self) -> bytes:
        """:raises TooLarge: there are more bytes."""
        piece = await self._body.read()
        self._left -= len(piece)
        if self._left < 0:
            raise beyond(self._limit)
        return piece

    async def close(self) -> None:
        await self._body.close()


def file_body(request: ApiRequest, limit: int) -> IByteStream:
    """The body, if it can be taken as it is.

    :param limit: the most bytes that it may have; 0: any number.
    :raises Refusal: 411, nobody says where it ends; 415, it is wrapped or compressed.
    :raises TooLarge: it says that it is larger.
    """
    headers = request.requestHeaders
    if not headers.hasHeader(b"Content-Length") and not headers.hasHeader(b"Transfer-Encoding"):
        raise Refusal(
            HTTPStatus.LENGTH_REQUIRED, "Content-Length: say how long the body is, or send chunked"
        )
    if headers.hasHeader(b"Content-Encoding"):
        raise Refusal(
            HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
            "Content-Encoding: send the content as it is, not compressed",
        )
    if declared_type(request) == "multipart/form-data":
        raise Refusal(
            HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
            "Content-Type: the body is the content itself, not a form with a file in it"
            " (curl: --data-binary @FILE or --upload-file FILE)",
        )
    if not limit:
        return request.body
    if request.body_length is not None and request.body_length > limit:
        raise beyond(limit)
    return LimitedBody(request.body, limit)


def mimetype_of(request: ApiRequest, query: Query) -> str | None:
    """What the sender says that the content is: in the query, or else as the body's type.

    :raises InvalidRequest: the query's is no MIME type.
    """
    told = query.text("mimetype")
    if told is not None:
        if not is_mimetype(told):
            raise InvalidRequest("mimetype", "must be a MIME type like text/plain")
        return told.lower()
    declared = declared_type(request)
    generic = declared in SAYS_NOTHING or declared.startswith("multipart/")
    return declared if is_mimetype(declared) and not generic else None


def is_mimetype(told: str) -> bool:
    """Whether this is type and subtype (RFC 9110 §8.3.1), without parameters."""
    return len(told) <= MIMETYPE_MAX and MIMETYPE.fullmatch(told) is not None


def declared_type(request: ApiRequest) -> str:
    """Type and subtype of the body, without parameters; empty where it is not said."""
    values = request.requestHeaders.getRawHeaders(b"Content-Type", [b""])
    return values[0].partition(b";")[0].strip().lower().decode("latin-1")


def beyond(limit: int) -> TooLarge:
    return TooLarge(f"a file may have {limit} bytes at most")
