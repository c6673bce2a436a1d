"""A cursor comes back as what it was written from; any other text is refused by name."""

from __future__ import annotations

import base64
from datetime import UTC, datetime, timedelta, timezone

import orjson
import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from stacksync.db.cursors import Key, Position, read, written
from stacksync.errors import InvalidRequest
from stacksync.model import Order, Paging

MOMENT = datetime(2026, 11, 21, 12, 0, 0, 123456, tzinfo=UTC)

positions = st.one_of(
    st.tuples(st.just(Order.NAME), st.text(st.characters(exclude_categories=["Cs"]), max_size=20)),
    st.tuples(st.just(Order.SIZE), st.integers(0, 2**63 - 1)),
    st.tuples(st.just(Order.MODIFIED), st.datetimes(timezones=st.just(UTC))),
).filter(lambda pair: "\0" not in str(pair[1]))


def encoded(told: object) -> str:
    return base64.urlsafe_b64encode(orjson.dumps(told)).rstrip(b"=").decode()


@given(positions, st.integers(0, 2**63 - 1), st.booleans())
def test_a_cursor_is_read_as_it_was_written(
    pair: tuple[Order, Key], identity: int, descending: bool
) -> None:
    order, key = pair
    paging = Paging(10, order=order, descending=descending)
    cursor = written(paging, Position(key, identity))
    assert cursor.isascii()
    assert not set(cursor) & set("+/=&? ")
    assert read(evolve(paging, after=cursor)) == Position(key, identity)


def test_the_first_page_needs_none() -> None:
    assert read(Paging(10)) is None


@pytest.mark.parametrize(
    "after",
    [
        "",
        "x",
        "!",
        "é",
        "[]",
        "a" * 100,
        encoded({}),
        encoded(7),
        encoded([]),
        encoded(["name", False, "a"]),
        encoded(["name", False, "a", "1"]),
        encoded(["name", False, "a", True]),
        encoded(["name", False, "a", -1]),
        encoded(["name", False, "a", 2**63]),
        encoded(["name", False, 7, 1]),
        encoded(["name", False, None, 1]),
        encoded(["name", False, "nul\0", 1]),
        base64.urlsafe_b64encode(b'["name",false,"\xff",1]').decode(),
        base64.urlsafe_b64encode(b'["name",false,"\\ud800",1]').decode(),
    ],
)
def test_what_is_no_cursor_is_refused(after: str) -> None:
    with pytest.raises(InvalidRequest, match=r"^after: is not where a page of this listing ended$"):
        read(Paging(10, after=after))


@pytest.mark.parametrize(
    ("order", "key"),
    [
        (Order.SIZE, "7"),
        (Order.SIZE, -1),
        (Order.SIZE, 2**63),
        (Order.SIZE, 1.5),
        (Order.SIZE, True),
        (Order.MODIFIED, 7),
        (Order.MODIFIED, "yesterday"),
        (Order.MODIFIED, "2026-11-21T12:00:00"),
    ],
)
def test_a_key_that_nothing_can_be_sorted_by_is_refused(order: Order, key: object) -> None:
    with pytest.raises(InvalidRequest):
        read(Paging(10, order=order, after=encoded([order, False, key, 1])))


def test_a_cursor_of_another_order_is_refused() -> None:
    cursor = written(Paging(10), Position("a", 1))
    for order, descending in ((Order.NAME, True), (Order.SIZE, False)):
        with pytest.raises(InvalidRequest, match=r"^after: "):
            read(Paging(10, order=order, descending=descending, after=cursor))


def test_an_instant_of_another_zone_is_the_same_instant() -> None:
    paging = Paging(10, order=Order.MODIFIED)
    there = MOMENT.astimezone(timezone(timedelta(hours=5)))
    cursor = written(paging, Position(there, 1))
    assert read(evolve(paging, after=cursor)) == Position(MOMENT, 1)
