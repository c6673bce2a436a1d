"""An item looks the same however it comes out, and a change survives the way to the server."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pytest_twisted import ensureDeferred

from stacksync.model import ItemChange, ItemOutcome, ItemStatus, Refusal
from stacksync.protocols.fields import iso
from stacksync.protocols.http.items import ITEM, encode_outcome
from tests.protocols.http.builders import item, new_file, new_folder
from tests.protocols.http.conftest import User

INT64 = st.integers(-(2**63), 2**63 - 1)
TEXT = st.text(st.characters(exclude_categories=["Cs"]))
INSTANTS = st.datetimes(datetime(1, 1, 2), datetime(9999, 12, 30), timezones=st.just(UTC)).map(
    lambda moment: moment.replace(microsecond=moment.microsecond // 1000 * 1000)
)
CHANGES = st.builds(
    ItemChange,
    status=st.sampled_from(ItemStatus),
    version=INT64,
    modified_at=INSTANTS,
    id=st.none() | INT64,
    temp_id=st.none() | INT64,
    parent_id=st.none() | INT64,
    name=st.none() | TEXT,
    is_folder=st.none() | st.booleans(),
    size=st.none() | INT64,
    checksum=st.none() | INT64,
    mimetype=st.none() | TEXT,
    chunks=st.none() | st.lists(TEXT).map(tuple),
)


@given(CHANGES)
def test_a_change_is_read_as_it_was_written(change: ItemChange) -> None:
    sent = orjson.loads(orjson.dumps(ITEM.encode_change(change)))

    assert ITEM.decode_change(sent, "items[0]") == change


@given(INSTANTS, st.integers(-14, 14))
def test_a_moment_is_the_same_in_every_zone(moment: datetime, hours: int) -> None:
    elsewhere = moment.astimezone(timezone(timedelta(hours=hours)))

    assert iso(elsewhere) == iso(moment)
    assert datetime.fromisoformat(iso(moment)) == moment


@pytest.mark.parametrize(
    ("told", "moment"),
    [
        ("2026-11-21T05:27:00.123Z", "2026-11-21T05:27:00.123Z"),
        ("2026-11-21T05:27Z", "2026-11-21T05:27:00.000Z"),
        ("2026-11-21T06:27:00.123999+01:00", "2026-11-21T05:27:00.123Z"),
        (1795238820123, "2026-11-21T05:27:00.123Z"),
        (0, "1970-01-01T00:00:00.000Z"),
        (-1, "1969-12-31T23:59:59.999Z"),
    ],
)
def test_a_date_is_iso_8601_or_milliseconds(told: object, moment: str) -> None:
    change = ITEM.decode_change(new_file(modified_at=told), "items[0]")

    assert iso(change.modified_at) == moment


def test_a_folder_has_no_chunks() -> None:
    assert ITEM.encode(item(is_folder=True, chunks=()))["chunks"] is None
    assert ITEM.encode(item(chunks=()))["chunks"] == ()


def test_a_refusal_without_an_item_tells_none() -> None:
    told = encode_outcome(ItemOutcome(Refusal.NOT_FOUND, None, None))

    assert told["metadata"] is None
    assert told["reason"] == "not-found"


def test_a_problem_elsewhere_than_in_the_name_is_told_as_it_is() -> None:
    outcome = ItemOutcome(Refusal.INVALID, None, None, "temp_id: 3 names an earlier item")

    assert encode_outcome(outcome)["problem"] == "temp_id: 3 names an earlier item"


@ensureDeferred
async def test_commits_and_changes_tell_an_item_alike(anna: User) -> None:
    told = await anna.commit(
        new_folder("ordner", 1),
        new_file("ä 🦉.txt", parent_id=1, size=2**63 - 1 - 10**18, checksum=-(2**63))
        | {"size": 17},
        new_file("empty", size=0, chunks=[], mimetype=None),
    )

    changes = (await anna.client.get(anna.changes)).json["items"]

    assert changes == [each["metadata"] for each in told["items"]]
    assert set(changes[0]) == set(ITEM.names.values())
