"""What passes the checks can be stored; what does not is told by the name of its field."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from uuid import uuid4

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from stacksync.config import LimitsConfig
from stacksync.engine import validation
from stacksync.engine.validation import change_problem, name_problem, parent_ordinals, text_problem
from stacksync.errors import InvalidRequest
from stacksync.model import CommitRequest, DeviceDescription, ItemChange, ItemStatus
from tests.db.builders import folder, new

LIMITS = LimitsConfig(items_per_commit=5, chunks_per_item=3)
any_text = st.text(st.characters(exclude_categories=()))
surrogates = st.characters(categories=["Cs"])


@given(any_text)
def test_a_good_name_is_one_that_a_file_system_and_the_database_can_keep(name: str) -> None:
    good = name_problem(name) is None
    encoded = name.encode(errors="surrogatepass")
    assert good == (
        0 < len(encoded) <= 255
        and name not in (".", "..")
        and not set("/\0") & set(name)
        and not any("\ud800" <= character <= "\udfff" for character in name)
    )


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("", "is empty"),
        (".", "cannot be '.'"),
        ("..", "cannot be '..'"),
        ("a/b", "holds a slash or a NUL"),
        ("\0", "holds a slash or a NUL"),
        ("\ud83d", "is not well-formed Unicode"),
        ("ä" * 128, "has 256 bytes in UTF-8; 255 are allowed"),
        ("a" * 255, None),
        ("ä" * 127 + "b", None),
        ("🙂" * 63, None),
        ("...", None),
        (" ", None),
        ("a\nb\x7f\u202e", None),
    ],
)
def test_names_at_the_edge(name: str, problem: str | None) -> None:
    assert name_problem(name) == problem


@given(any_text)
def test_a_good_text_can_be_stored(text: str) -> None:
    if text_problem(text, 10) is None:
        assert "\0" not in text
        assert len(text) <= 10
        text.encode()


@given(st.text(max_size=5), surrogates, st.text(max_size=5))
def test_half_a_character_is_no_text(before: str, half: str, after: str) -> None:
    assert text_problem(before + half + after) is not None
    assert name_problem(before + half + after) is not None


@pytest.mark.parametrize("field", ["name", "os", "ip", "app_version"])
def test_a_device_names_the_field_at_fault(field: str) -> None:
    validation.check_device(DeviceDescription())
    with pytest.raises(InvalidRequest, match=f"^{field}: holds a NUL$"):
        validation.check_device(DeviceDescription(**{field: "\0"}))


def existing(**fields: Any) -> ItemChange:
    values = {"id": 7, "version": 2, "modified_at": datetime(2026, 11, 21, tzinfo=UTC), **fields}
    return ItemChange(status=ItemStatus.CHANGED, **values)


@pytest.mark.parametrize(
    "change",
    [
        new("a"),
        folder("a", temp_id=2**100),
        new("a", size=2**63 - 1, checksum=-(2**63), chunks=("1", "2", "3")),
        new("a", -(2**63)),
        existing(),
        existing(id=2**63 - 1, version=2**63 - 1, parent_id=2**63 - 1, checksum=2**63 - 1),
        existing(modified_at=datetime(1, 1, 3, tzinfo=UTC)),
        existing(modified_at=datetime(9999, 12, 29, tzinfo=timezone(timedelta(hours=-12)))),
        *(evolve(existing(), status=status) for status in ItemStatus),
    ],
)
def test_good_changes(change: ItemChange) -> None:
    assert change_problem(change, LIMITS) is None


@pytest.mark.parametrize(
    ("change", "field"),
    [
        (evolve(new("a"), version=2), "version"),
        (evolve(new("a"), status=ItemStatus.CHANGED), "status"),
        (evolve(new("a"), name=None), "name"),
        (existing(id=0), "id"),
        (existing(id=-1), "id"),
        (existing(id=2**63), "id"),
        (existing(version=0), "version"),
        (existing(version=2**63), "version"),
        (existing(parent_id=2**63), "parent_id"),
        (existing(parent_id=-(2**63) - 1), "parent_id"),
        (existing(size=-1), "size"),
        (existing(size=2**63), "size"),
        (existing(checksum=2**63), "checksum"),
        (existing(checksum=-(2**63) - 1), "checksum"),
        (existing(modified_at=datetime(1, 1, 1, tzinfo=UTC)), "modified_at"),
        (existing(modified_at=datetime(9999, 12, 31, tzinfo=UTC)), "modified_at"),
        (existing(name="a/b"), "name"),
        (existing(mimetype="\0"), "mimetype"),
        (existing(mimetype="x" * 1001), "mimetype"),
        (existing(chunks=("a", "b", "c", "d")), "chunks"),
        (existing(chunks=("a", "b/c")), "chunks[1]"),
        (existing(chunks=("",)), "chunks[0]"),
    ],
)
def test_bad_changes_name_their_field(change: ItemChange, field: str) -> None:
    problem = change_problem(change, LIMITS)
    assert problem is not None
    assert problem.partition(":")[0] == field


def test_a_request_is_checked_as_a_whole() -> None:
    good = CommitRequest(uuid4(), uuid4(), "r" * 128, (new("a"),) * 5)
    validation.check_request(good, LIMITS)
    for bad, message in (
        (evolve(good, changes=()), "items: is empty"),
        (evolve(good, changes=(new("a"),) * 6), "items: has 6 items; 5 are allowed"),
        (evolve(good, request_id=""), "request_id: is empty"),
        (evolve(good, request_id="r" * 129), "request_id: has more than 128 bytes in UTF-8"),
        (evolve(good, request_id="ä" * 65), "request_id: has more than 128 bytes in UTF-8"),
        (evolve(good, request_id="\0"), "request_id: holds a NUL"),
        (evolve(good, request_id="\ud800"), "request_id: is not well-formed Unicode"),
        (evolve(good, request_id="r" * 10**6), "request_id: has 1000000 characters; 1000 are"),
    ):
        with pytest.raises(InvalidRequest) as caught:
            validation.check_request(bad, LIMITS)
        assert str(caught.value).startswith(message)


def test_temporary_ids_point_to_earlier_items_of_the_commit() -> None:
    changes = (
        folder("0", 5, temp_id=1),
        folder("1", 1, temp_id=2),
        new("2", 2),
        new("3", 3, temp_id=3),
        new("4", 3),
        new("5"),
    )
    assert parent_ordinals(changes) == ({1: 0, 2: 1, 4: 3}, {})


def test_a_temporary_id_that_is_used_twice_is_the_seconds_problem() -> None:
    changes = (folder("0", temp_id=1), folder("1", temp_id=1), new("2", 1))
    parents, problems = parent_ordinals(changes)
    assert parents == {2: 0}
    assert problems == {1: "temp_id: 1 names an earlier item of this commit"}


def test_an_item_with_an_id_of_its_own_needs_no_temporary_one() -> None:
    changes = (existing(temp_id=1), new("1", 1), folder("2", temp_id=1), new("3", 1))
    assert parent_ordinals(changes) == ({3: 2}, {})


@given(st.lists(st.tuples(st.integers(-3, 3) | st.none(), st.integers(-3, 3) | st.none())))
def test_whatever_the_temporary_ids_a_parent_comes_before_its_child(
    ids: list[tuple[int | None, int | None]],
) -> None:
    changes = tuple(folder("f", parent, temp_id=temp_id) for temp_id, parent in ids)
    parents, problems = parent_ordinals(changes)
    for place, parent in parents.items():
        assert parent < place
        assert changes[parent].temp_id == changes[place].parent_id
        assert parent not in problems
