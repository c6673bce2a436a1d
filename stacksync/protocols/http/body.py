"""Reading the body and the query of a request, strictly.

A value of the wrong type, a name that is not known, text that is no text: each
is refused with the name of the parameter at fault.  What a value may be beyond
its type is for the engine to say.
"""

from __future__ import annotations

from collections.abc import Set
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

import orjson

from stacksync.errors import InvalidRequest, NotFound
from stacksync.protocols.http.errors import Refusal

if TYPE_CHECKING:
    from stacksync.protocols.http.request import ApiRequest

Fields = dict[str, Any]

DIGITS_MAX = 19
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
NAME_SHOWN = 80


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


def as_object(value: Any, where: str, prefix: str, known: Set[str]) -> Fields:
    """Check that a value is an object without unknown names.

    :param where: what to call the object in an error.
    :param prefix: what comes before the names of its fields there (``items[3].``).
    """
    if type(value) is not dict:
        raise InvalidRequest(where, "must be an object")
    if not known >= value.keys():
        unknown = min(value.keys() - known)
        raise InvalidRequest(
            prefix + shortened(unknown), f"unknown; known are {', '.join(sorted(known))}"
        )
    return value


def integer(fields: Fields, name: str, prefix: str = "") -> int | None:
    value = fields.get(name)
    if value is None:
        return None
    # One beyond 64 bits comes from orjson as a float.
    if type(value) is not int:
        raise InvalidRequest(prefix + name, "must be an integer of 64 bits")
    return value


def text(fields: Fields, name: str, prefix: str = "") -> str | None:
    value = fields.get(name)
    if value is None:
        return None
    if type(value) is not str:
        raise InvalidRequest(prefix + name, "must be a string")
    return value


def boolean(fields: Fields, name: str, prefix: str = "") -> bool | None:
    value = fields.get(name)
    if value is not None and type(value) is not bool:
        raise InvalidRequest(prefix + name, "must be true or false")
    return value


def texts(fields: Fields, name: str, prefix: str = "") -> tuple[str, ...] | None:
    value = fields.get(name)
    if value is None:
        return None
    if type(value) is not list:
        raise InvalidRequest(prefix + name, "must be a list of strings")
    for index, element in enumerate(value):
        if type(element) is not str:
            raise InvalidRequest(f"{prefix}{name}[{index}]", "must be a string")
    return tuple(value)


def instant(fields: Fields, name: str, prefix: str = "") -> datetime | None:
    """ISO 8601 with its time zone, or milliseconds since 1970; in UTC, to the millisecond."""
    value = fields.get(name)
    if value is None:
        return None
    try:
        if type(value) is int:
            return EPOCH + timedelta(milliseconds=value)
        if type(value) is str:
            moment = datetime.fromisoformat(value)
            if moment.tzinfo is not None:
                moment = moment.astimezone(UTC)
                return moment.replace(microsecond=moment.microsecond // 1000 * 1000)
    except (ValueError, OverflowError):
        pass
    raise InvalidRequest(
        prefix + name,
        "must be an ISO 8601 date and time with its zone (2026-11-21T05:27:00.123Z) "
        "or milliseconds since 1970",
    )


def identity(fields: Fields, name: str) -> UUID | None:
    value = fields.get(name)
    if value is None:
        return None
    found = parse_uuid(value) if type(value) is str else None
    if found is None:
        raise InvalidRequest(name, "must be a UUID")
    return found


def required(value: Any, name: str, prefix: str = "") -> Any:
    """The value, which must be there."""
    if value is None:
        raise InvalidRequest(prefix + name, "is missing")
    return value


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


def parse_uuid(value: str) -> UUID | None:
    """A UUID in its canonical form; the class alone takes braces, ``urn:`` and more."""
    if len(value) != 36:
        return None
    try:
        found = UUID(value)
    except ValueError:
        return None
    return found if str(found) == value.lower() else None


def shortened(name: str) -> str:
    """A name that the client has made up, short enough to say it back."""
    return name if len(name) <= NAME_SHOWN else name[:NAME_SHOWN] + "…"
