"""Reading decoded JSON, strictly, for every front-end.

A value of the wrong type, or text that is no text, is refused with the name of
the parameter at fault.  What a value may be beyond its type is for the engine
to say.
"""

from __future__ import annotations

from collections.abc import Mapping, Set
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from stacksync.errors import InvalidRequest

Fields = Mapping[str, Any]

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
NAME_SHOWN = 80


def as_object(value: Any, where: str, prefix: str = "", known: Set[str] | None = None) -> Fields:
    """Check that a value is an object, and that it has no unknown names.

    :param where: what to call the object in an error.
    :param prefix: what comes before the names of its fields there (``items[3].``).
    :param known: the names that it may have; left out, any.
    """
    if type(value) is not dict:
        raise InvalidRequest(where, "must be an object")
    if known is not None and not known >= value.keys():
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


def identity(fields: Fields, name: str, prefix: str = "") -> UUID | None:
    value = fields.get(name)
    if value is None:
        return None
    found = parse_uuid(value) if type(value) is str else None
    if found is None:
        raise InvalidRequest(prefix + name, "must be a UUID")
    return found


def required(value: Any, name: str, prefix: str = "") -> Any:
    """The value, which must be there."""
    if value is None:
        raise InvalidRequest(prefix + name, "is missing")
    return value


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


def iso(moment: datetime) -> str:
    """ISO 8601 in UTC with milliseconds and Z, as all protocols tell an instant."""
    if moment.tzinfo is not UTC:
        moment = moment.astimezone(UTC)
    return moment.replace(tzinfo=None).isoformat(timespec="milliseconds") + "Z"
