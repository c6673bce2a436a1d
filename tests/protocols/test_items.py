"""One codec serves every spelling of an item, and what it writes it can read."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import orjson
import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from stacksync.errors import InvalidRequest
from stacksync.model import Item, ItemChange, ItemStatus
from stacksync.protocols.items import ItemCodec

WHEN = datetime(2026, 11, 21, 5, 27, 0, 123000, UTC)
NAMES = {
    "id": "ID",
    "version": "VERSION",
    "parent_id": "PARENT",
    "status": "STATUS",
    "modified_at": "MODIFIED",
    "checksum": "CHECKSUM",
    "chunks": "CHUNKS",
    "size": "SIZE",
    "is_folder": "FOLDER",
    "name": "NAME",
    "mimetype": "MIMETYPE",
}
LENIENT = ItemCodec(NAMES, temp_id="TEMP")
STRICT = ItemCodec(NAMES, temp_id="TEMP", known=frozenset((*NAMES.values(), "TEMP")))
ITEM = Item(
    id=7,
    workspace_id=UUID(int=1),
    version=2,
    revision=3,
    status=ItemStatus.CHANGED,
    parent_id=None,
    parent_version=None,
    is_folder=False,
    name="größe 💾.txt",
    size=5,
    checksum=-1,
    mimetype=None,
    chunks=("chk-1", "chk-2"),
    device_id=UUID(int=2),
    modified_at=WHEN,
)
LEAST = {"STATUS": "NEW", "VERSION": 1, "MODIFIED": "2026-11-21T05:27:00.123Z"}

integers = st.integers(-(2**63), 2**63 - 1)
changes = st.builds(
    ItemChange,
    status=st.sampled_from(ItemStatus),
    version=integers,
    modified_at=st.just(WHEN),
    id=st.none() | integers,
    temp_id=st.none() | integers,
    parent_id=st.none() | integers,
    name=st.none() | st.text(),
    is_folder=st.none() | st.booleans(),
    size=st.none() | integers,
    checksum=st.none() | integers,
    mimetype=st.none() | st.text(),
    chunks=st.none() | st.lists(st.text()).map(tuple),
)


def on_the_wire(value: Any) -> Any:
    return orjson.loads(orjson.dumps(value))


@given(changes)
def test_a_change_is_read_as_it_was_written(change: ItemChange) -> None:
    told = on_the_wire(STRICT.encode_change(change))

    assert STRICT.decode_change(told, "items[0]") == change


def test_an_item_is_told_in_the_protocols_own_names() -> None:
    assert on_the_wire(LENIENT.encode(ITEM)) == {
        "ID": 7,
        "VERSION": 2,
        "PARENT": None,
        "STATUS": "CHANGED",
        "MODIFIED": "2026-11-21T05:27:00.123Z",
        "CHECKSUM": -1,
        "CHUNKS": ["chk-1", "chk-2"],
        "SIZE": 5,
        "FOLDER": False,
        "NAME": "größe 💾.txt",
        "MIMETYPE": None,
    }


def test_a_folder_has_no_chunks() -> None:
    assert LENIENT.encode(evolve(ITEM, is_folder=True, chunks=()))["CHUNKS"] is None


def test_what_was_told_of_an_item_may_be_sent_as_a_change() -> None:
    for item in (ITEM, evolve(ITEM, is_folder=True, chunks=())):
        change = STRICT.decode_change(on_the_wire(STRICT.encode(item)), "items[0]")

        assert (change.id, change.version, change.name) == (item.id, item.version, item.name)


def test_the_database_is_told_the_same_names() -> None:
    assert LENIENT.shape.names == NAMES


def test_a_change_needs_no_more_than_status_version_and_date() -> None:
    assert STRICT.decode_change(LEAST, "items[0]") == ItemChange(ItemStatus.NEW, 1, WHEN)


@pytest.mark.parametrize("name", LEAST)
def test_and_none_of_these_may_be_missing(name: str) -> None:
    fields = {key: value for key, value in LEAST.items() if key != name}

    with pytest.raises(InvalidRequest, match=rf"^items\[3\]\.{name}: is missing$"):
        STRICT.decode_change(fields, "items[3]")


@pytest.mark.parametrize("status", ["new", "", "GONE", 1, ["NEW"], {"NEW": 1}])
def test_a_status_is_one_of_five(status: Any) -> None:
    with pytest.raises(
        InvalidRequest, match=r"STATUS: must be one of NEW, CHANGED, RENAMED, MOVED, DELETED$"
    ):
        STRICT.decode_change({**LEAST, "STATUS": status}, "items[0]")


def test_an_unknown_field_is_refused_or_passed_over_as_the_protocol_has_it() -> None:
    fields = {**LEAST, "COLOUR": "green"}

    assert LENIENT.decode_change(fields, "items[0]").version == 1
    with pytest.raises(InvalidRequest, match=r"^items\[0\]\.COLOUR: unknown"):
        STRICT.decode_change(fields, "items[0]")


@pytest.mark.parametrize("value", [None, [], "x", 7])
def test_a_change_is_an_object(value: Any) -> None:
    with pytest.raises(InvalidRequest, match=r"^items\[2\]: must be an object$"):
        STRICT.decode_change(value, "items[2]")


@pytest.mark.parametrize(
    ("problem", "told"),
    [
        (None, None),
        ("name: is empty", "NAME: is empty"),
        ("name: is not: this", "NAME: is not: this"),
        ("temp_id: -1 is taken", "TEMP: -1 is taken"),
        ("chunks[2]: is empty", "chunks[2]: is empty"),
        ("something else", "something else"),
    ],
)
def test_a_complaint_of_the_engine_is_told_in_the_protocols_names(
    problem: str | None, told: str | None
) -> None:
    assert LENIENT.problem_in_wire_names(problem) == told
