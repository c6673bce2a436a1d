"""A value is taken for what it is or refused by its name; nothing is guessed or converted."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from uuid import UUID

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stacksync.errors import InvalidRequest
from stacksync.protocols.fields import (
    Fields,
    as_object,
    boolean,
    identity,
    instant,
    integer,
    iso,
    parse_uuid,
    required,
    shortened,
    text,
    texts,
)

Reader = Callable[[Fields, str, str], Any]

READERS: list[Reader] = [integer, text, boolean, texts, instant, identity]
ANNA = "6ba7b810-9dad-11d1-80b4-00c04fd430c8"
moments = st.datetimes(datetime(1, 1, 2), datetime(9999, 12, 30), timezones=st.just(UTC))


@pytest.mark.parametrize("read", READERS)
@pytest.mark.parametrize("fields", [{}, {"x": None}])
def test_a_field_that_is_missing_or_null_is_none(read: Reader, fields: dict[str, Any]) -> None:
    assert read(fields, "x", "") is None


@pytest.mark.parametrize(
    ("read", "value"),
    [
        (integer, 0),
        (integer, -(2**63)),
        (integer, 2**64 - 1),
        (text, ""),
        (text, "größe 💾"),
        (boolean, False),
        (boolean, True),
    ],
)
def test_a_value_of_the_right_type_is_taken_as_it_is(read: Reader, value: Any) -> None:
    assert read({"x": value}, "x", "") is value


@pytest.mark.parametrize(
    ("read", "json", "complaint"),
    [
        (integer, "true", "must be an integer of 64 bits"),
        (integer, "1.0", "must be an integer of 64 bits"),
        (integer, "18446744073709551616", "must be an integer of 64 bits"),
        (integer, "-9223372036854775809", "must be an integer of 64 bits"),
        (integer, '"1"', "must be an integer of 64 bits"),
        (text, "1", "must be a string"),
        (text, '["x"]', "must be a string"),
        (boolean, "1", "must be true or false"),
        (boolean, '"true"', "must be true or false"),
        (texts, '"x"', "must be a list of strings"),
        (texts, "{}", "must be a list of strings"),
        (identity, "1", "must be a UUID"),
        (identity, '""', "must be a UUID"),
        (instant, '"2026-11-21T05:27:00"', "must be an ISO 8601 date and time with its zone"),
        (instant, '"2026-11-21"', "must be an ISO 8601 date"),
        (instant, '"yesterday"', "must be an ISO 8601 date"),
        (instant, '"0001-01-01T00:00:00+14:00"', "must be an ISO 8601 date"),
        (instant, '"9999-12-31T23:00:00-14:00"', "must be an ISO 8601 date"),
        (instant, "18446744073709551615", "or milliseconds since 1970"),
        (instant, "-9223372036854775808", "or milliseconds since 1970"),
        (instant, "1.5", "or milliseconds since 1970"),
        (instant, "true", "or milliseconds since 1970"),
    ],
)
def test_a_value_of_another_type_is_refused_by_its_name(
    read: Reader, json: str, complaint: str
) -> None:
    with pytest.raises(InvalidRequest) as refused:
        read({"x": orjson.loads(json)}, "x", "items[3].")

    assert refused.value.field == "items[3].x"
    assert complaint in refused.value.problem


def complaint_of(read: Reader, value: Any) -> str | None:
    """What is wrong with a value, or ``None`` if it can be read."""
    try:
        read({"x": value}, "x", "")
    except InvalidRequest as refused:
        return str(refused)
    return None


@given(
    st.sampled_from(READERS),
    st.recursive(st.none() | st.booleans() | st.floats() | st.text(), st.lists),
)
def test_whatever_the_value_is_it_is_read_or_refused(read: Reader, value: Any) -> None:
    complaint = complaint_of(read, value)

    assert complaint is None or complaint.startswith("x")


def test_texts_are_a_tuple_and_the_one_at_fault_is_named() -> None:
    assert texts({"x": ["a", "b"]}, "x") == ("a", "b")
    assert texts({"x": []}, "x") == ()

    with pytest.raises(InvalidRequest, match=r"^items\[0\]\.x\[1\]: must be a string$"):
        texts({"x": ["a", 1]}, "x", "items[0].")


# -- instants


@given(moments)
def test_an_instant_comes_back_as_it_was_told(moment: datetime) -> None:
    moment = moment.replace(microsecond=moment.microsecond // 1000 * 1000)

    assert instant({"x": iso(moment)}, "x") == moment


@given(moments)
def test_milliseconds_and_iso_8601_are_the_same_instant(moment: datetime) -> None:
    told = iso(moment)
    milliseconds = (datetime.fromisoformat(told) - datetime(1970, 1, 1, tzinfo=UTC)) / timedelta(
        milliseconds=1
    )

    assert instant({"x": round(milliseconds)}, "x") == instant({"x": told}, "x")


@pytest.mark.parametrize(
    ("told", "meant"),
    [
        ("2026-11-21T05:27:00.123Z", "2026-11-21T05:27:00.123Z"),
        ("2026-11-21T05:27:00.123999Z", "2026-11-21T05:27:00.123Z"),
        ("2026-11-21T05:27:00Z", "2026-11-21T05:27:00.000Z"),
        ("2026-11-21T06:57:00.5+01:30", "2026-11-21T05:27:00.500Z"),
        (1795238820123, "2026-11-21T05:27:00.123Z"),
        (0, "1970-01-01T00:00:00.000Z"),
        (-1, "1969-12-31T23:59:59.999Z"),
    ],
)
def test_an_instant_is_told_in_utc_with_milliseconds(told: Any, meant: str) -> None:
    moment = instant({"x": told}, "x")

    assert moment is not None
    assert iso(moment) == meant


def test_an_instant_of_another_zone_is_told_in_utc() -> None:
    moment = datetime(2026, 11, 21, 5, 27, tzinfo=timezone(timedelta(hours=2)))

    assert iso(moment) == "2026-11-21T03:27:00.000Z"


# -- identities


@given(st.uuids())
def test_a_uuid_is_read_in_its_canonical_form_whatever_its_case(value: UUID) -> None:
    assert parse_uuid(str(value)) == parse_uuid(str(value).upper()) == value


@pytest.mark.parametrize(
    "value",
    [
        "",
        ANNA.replace("-", ""),
        "{" + ANNA + "}",
        "urn:uuid:" + ANNA,
        ANNA[:-1],
        ANNA[:-1] + "g",
        ANNA[:-1] + "٣",
        ANNA[:-3] + "1_1",
        "-" + ANNA.replace("-", "", 1),
        " " + ANNA[1:],
    ],
)
def test_any_other_form_is_none(value: str) -> None:
    assert parse_uuid(value) is None


@given(st.text(max_size=40))
def test_no_text_does_any_harm(value: str) -> None:
    found = parse_uuid(value)

    assert found is None or str(found) == value.lower()


# -- objects


@pytest.mark.parametrize("value", [None, [], "x", 1, True])
def test_what_is_no_object_is_refused(value: Any) -> None:
    with pytest.raises(InvalidRequest, match=r"^body: must be an object$"):
        as_object(value, "body")


def test_an_unknown_name_is_refused_with_those_that_are_known() -> None:
    known = frozenset(("name", "size"))
    assert as_object({"size": 1}, "items[0]", "items[0].", known) == {"size": 1}
    assert as_object({"anything": 1}, "body") == {"anything": 1}

    with pytest.raises(InvalidRequest, match=r"^items\[0\]\.nmae: unknown; known are name, size$"):
        as_object({"nmae": 1, "size": 1}, "items[0]", "items[0].", known)


def test_a_name_that_the_client_made_up_is_said_back_in_short() -> None:
    assert shortened("x" * 80) == "x" * 80
    assert shortened("x" * 81) == "x" * 80 + "…"
    with pytest.raises(InvalidRequest, match=r"^x{80}…: unknown"):
        as_object({"x" * 10_000: 1}, "body", known=frozenset())


def test_what_is_required_may_be_empty_but_not_missing() -> None:
    for value in (0, "", False, ()):
        assert required(value, "x") is value

    with pytest.raises(InvalidRequest, match=r"^items\[1\]\.x: is missing$"):
        required(None, "x", "items[1].")
