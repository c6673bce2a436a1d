"""Which error of the domain is which HTTP answer: the one table.

An error that is not in the table is a fault of ours: it gives nothing away
but an id that the log has too.
"""

from __future__ import annotations

import math
import secrets
from http import HTTPStatus
from typing import Any

import orjson
from attrs import frozen
from twisted.logger import Logger
from twisted.python.failure import Failure

from stacksync.errors import (
    ChecksumMismatch,
    Conflict,
    CursorExpired,
    DamagedContent,
    EmailTaken,
    Forbidden,
    IncompleteBody,
    InvalidRequest,
    NotAuthenticated,
    NotFound,
    QuotaExceeded,
    RequestReused,
    SchemaMismatch,
    StackSyncError,
    TooLarge,
    TooManyRequests,
    Unavailable,
    VersionMismatch,
)
from stacksync.model import Item
from stacksync.protocols.http.answer import Answer, Headers
from stacksync.protocols.http.items import encode_item

CODES: dict[type[Exception], int] = {
    InvalidRequest: HTTPStatus.BAD_REQUEST,
    NotAuthenticated: HTTPStatus.UNAUTHORIZED,
    Forbidden: HTTPStatus.FORBIDDEN,
    NotFound: HTTPStatus.NOT_FOUND,
    EmailTaken: HTTPStatus.CONFLICT,
    RequestReused: HTTPStatus.CONFLICT,
    Conflict: HTTPStatus.CONFLICT,
    VersionMismatch: HTTPStatus.PRECONDITION_FAILED,
    ChecksumMismatch: HTTPStatus.BAD_REQUEST,
    IncompleteBody: HTTPStatus.REQUEST_TIMEOUT,
    QuotaExceeded: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    TooLarge: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    DamagedContent: HTTPStatus.INTERNAL_SERVER_ERROR,
    CursorExpired: HTTPStatus.GONE,
    TooManyRequests: HTTPStatus.TOO_MANY_REQUESTS,
    SchemaMismatch: HTTPStatus.SERVICE_UNAVAILABLE,
    Unavailable: HTTPStatus.SERVICE_UNAVAILABLE,
}

# RFC 7617: the charset tells the client to send the password as UTF-8.
CHALLENGE: Headers = (
    (
        b"WWW-Authenticate",
        b'Basic realm="StackSync", charset="UTF-8", Bearer realm="StackSync",'
        b' OAuth realm="StackSync"',
    ),
)
RETRY_SOON: Headers = ((b"Retry-After", b"1"),)


@frozen
class Refusal(StackSyncError):
    """A request that HTTP itself refuses, before the domain is asked."""

    code: int
    description: str
    headers: Headers = ()


def error_answer(error: Exception, request: str, log: Logger) -> Answer:
    """The answer that tells an error.

    :param request: method and path, for the log.
    """
    if isinstance(error, Refusal):
        return told(error.code, error.description, error.headers)
    for kind in type(error).__mro__:
        code = CODES.get(kind)
        if code is not None:
            return told(code, str(error), headers_of(error), **details_of(error))
    error_id = secrets.token_hex(8)
    log.failure(
        "request {request} failed, error {error_id}",
        Failure(error),
        request=request,
        error_id=error_id,
    )
    return told(
        HTTPStatus.INTERNAL_SERVER_ERROR, f"the server failed; its log says why under {error_id}"
    )


def told(code: int, description: str, headers: Headers = (), **details: Any) -> Answer:
    """An error as contracts/rest.md, *Answers and errors*, wants it."""
    body = orjson.dumps({"error": int(code), "description": description, **details})
    return Answer(body, int(code), headers)


def details_of(error: Exception) -> dict[str, Any]:
    """What a program may want to know beyond code and description."""
    if isinstance(error, InvalidRequest):
        return {"parameter": error.field}
    if isinstance(error, Conflict) and isinstance(error.current, Item):
        return {"metadata": encode_item(error.current)}
    if isinstance(error, CursorExpired):
        return {"oldest": error.oldest, "latest": error.latest}
    return {}


def headers_of(error: Exception) -> Headers:
    if isinstance(error, NotAuthenticated):
        return CHALLENGE
    if isinstance(error, TooManyRequests):
        return ((b"Retry-After", b"%d" % max(1, math.ceil(error.retry_after))),)
    if isinstance(error, Unavailable | SchemaMismatch):
        return RETRY_SOON
    return ()
