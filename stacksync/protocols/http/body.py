"""Reading the body, the path and the query of a request, strictly.

Each thing that is not as it must be is refused with the name of the parameter
at fault.  What the fields of a body may be is in ``protocols.fields``.
"""

from __future__ import annotations

from collections.abc import Set
from http import HTTPStatus
from typing import TYPE_CHECKING
from uuid import UUID, uuid4

import orjson

from stacksync.errors import InvalidRequest, NotFound
from stacksync.protocols.fields import Fields, as_object, parse_uuid, shortened, text
from stacksync.protocols.http.errors import Refusal

if TYPE_CHECKING:
    from stacksync.protocols.http.request import ApiRequest

DIGITS_MAX = 19


def read_object(request: ApiRequest, known: Set[str]) -> Fields:
    """The JSON object that is the request's body.

    Where a name comes twice the last one counts (RFC 8259 §4 leaves it open).

    :param known: the names that it may have.
    :raises Refusal: the body is not declared as JSON.
    :raises InvalidRequest: it is no JSON, no object, or has other names.
    """
    # Not lenient about the type: a form or script of a foreign web page can
    # send any body with the user's credentials, but none of this type.
    values = request.requestHeaders.getRawHeaders(b"Content-Type", ())
    if len(values) != 1 or values[0].partition(b";")[0].strip().lower() != b"application/json":
        raise Refusal(
            HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "Content-Type: the body must be application/json"
        )
    if request.requestHeaders.hasHeader(b"Content-Encoding"):
        raise Refusal(
            HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "Content-Encoding: the body must not be compressed"
        )
    try:
        value = orjson.loads(request.content.getvalue())
    except orjson.JSONDecodeError as error:
        raise InvalidRequest("body", f"not JSON in UTF-8: {error}") from None
    return as_object(value, "body", "", known)


def identity_in_path(request: ApiRequest, name: str, unknown: type[NotFound]) -> UUID:
    """The UUID in a variable part of the path.

    :raises NotFound: of the given kind, where it is no UUID: there is nothing by that name.
    """
    segment = request.segments[name].decode("utf-8", "replace")
    found = parse_uuid(segment)
    if found is None:
        raise unknown(shortened(segment))
    return found


def query_integer(request: ApiRequest, name: str, default: int) -> int:
    """The one parameter that the query may have, a natural number.

    :raises InvalidRequest: it has others, the same twice, or no such number.
    """
    for parameter in request.args:
        if parameter != name.encode():
            shown = shortened(parameter.decode("utf-8", "replace"))
            raise InvalidRequest(shown, f"unknown; known is {name}")
    values = request.args.get(name.encode())
    if values is None:
        return default
    if len(values) == 1 and values[0].isdigit() and len(values[0]) <= DIGITS_MAX:
        return int(values[0])
    raise InvalidRequest(name, "must be one integer, 0 or greater, of 64 bits")


def request_id(request: ApiRequest, fields: Fields) -> str:
    """What makes a repeat recognisable: ``Idempotency-Key``, or ``request_id`` in the body.

    Without either the server makes one, and a repeat is a request of its own.

    :raises InvalidRequest: the two differ, or the header is no text.
    """
    told = text(fields, "request_id")
    values = request.requestHeaders.getRawHeaders(b"Idempotency-Key")
    if values is None:
        return str(uuid4()) if told is None else told
    if len(values) != 1:
        raise InvalidRequest("Idempotency-Key", "must be one header, not several")
    try:
        key = values[0].decode()
    except UnicodeDecodeError:
        raise InvalidRequest("Idempotency-Key", "must be UTF-8") from None
    if told is not None and told != key:
        raise InvalidRequest("request_id", "differs from the header Idempotency-Key")
    return key
