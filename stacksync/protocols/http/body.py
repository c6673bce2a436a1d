"""Reading the body and the path of a request, strictly; its query is ``query``'s.

Each thing that is not as it must be is refused with the name of the parameter
at fault.  What the fields of a body may be is in ``protocols.fields``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Set
from contextlib import contextmanager
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

from stacksync.errors import InvalidRequest, NotFound
from stacksync.protocols.fields import Fields, as_object, parse_uuid, shortened, text
from stacksync.protocols.http.errors import Refusal
from stacksync.protocols.nesting import decode_json

if TYPE_CHECKING:
    from stacksync.protocols.http.request import ApiRequest


def read_json(request: ApiRequest) -> Any:
    """The JSON that is the request's body.

    :raises Refusal: the body is not declared as JSON.
    :raises InvalidRequest: it is no JSON, or lists and objects in it stand in one another too deep.
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
    return decode_json(request.content.getvalue(), request.site.json_depth)


def read_object(request: ApiRequest, known: Set[str]) -> Fields:
    """The JSON object that is the request's body.

    :param known: the names that it may have.
    :raises Refusal: the body is not declared as JSON.
    :raises InvalidRequest: it is no JSON, no object, or has other names.
    """
    return as_object(read_json(request), "body", "", known)


def read_optional_object(request: ApiRequest, known: Set[str]) -> Fields:
    """Like :func:`read_object`, and no body at all is an empty object."""
    return read_object(request, known) if request.content.getvalue() else {}


@contextmanager
def told_as(names: Mapping[str, str]) -> Iterator[None]:
    """Tell the engine's complaints in the words of the request.

    :param names: what the request calls the engine's parameters.
    """
    try:
        yield
    except InvalidRequest as error:
        name, bracket, place = error.field.partition("[")
        if name not in names:
            raise
        raise InvalidRequest(names[name] + bracket + place, error.problem) from None


def identity_in_path(request: ApiRequest, name: str, unknown: type[NotFound]) -> UUID:
    """The UUID in a variable part of the path.

    :raises NotFound: of the given kind, where it is no UUID: there is nothing by that name.
    """
    segment = request.segments[name].decode("utf-8", "replace")
    found = parse_uuid(segment)
    if found is None:
        raise unknown(shortened(segment))
    return found


def request_id(request: ApiRequest, fields: Fields) -> str:
    """Like :func:`given_request_id`; without one the server makes one up."""
    given = given_request_id(request, fields)
    return str(uuid4()) if given is None else given


def given_request_id(request: ApiRequest, fields: Fields | None = None) -> str | None:
    """What makes a repeat recognisable: ``Idempotency-Key``, or ``request_id`` in the body.

    ``None``: nobody means to repeat this, and nothing has to be looked up for it.

    :param fields: the body, where it is JSON.
    :raises InvalidRequest: the two differ, or the header is no text.
    """
    told = text(fields, "request_id") if fields is not None else None
    key = idempotency_key(request)
    if key is None:
        return told
    if told is not None and told != key:
        raise InvalidRequest("request_id", "differs from the header Idempotency-Key")
    return key


def idempotency_key(request: ApiRequest) -> str | None:
    """The header ``Idempotency-Key``.

    :raises InvalidRequest: there are several, or it is no text.
    """
    values = request.requestHeaders.getRawHeaders(b"Idempotency-Key")
    if values is None:
        return None
    if len(values) != 1:
        raise InvalidRequest("Idempotency-Key", "must be one header, not several")
    try:
        return values[0].decode()
    except UnicodeDecodeError:
        raise InvalidRequest("Idempotency-Key", "must be UTF-8") from None
