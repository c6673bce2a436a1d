"""The nouns of the domain are values: alike when they say the same, and never changed."""

from __future__ import annotations

from uuid import UUID

import pytest
from attrs.exceptions import FrozenInstanceError

from stacksync.model import (
    Changes,
    ItemOutcome,
    ItemShape,
    ItemStatus,
    Principal,
    Refusal,
    Role,
    SignIn,
)
from tests.db.builders import new

NOBODY = UUID(int=0)


def test_a_value_cannot_be_changed_and_equals_its_like() -> None:
    principal = Principal(NOBODY, SignIn.PASSWORD)
    with pytest.raises(FrozenInstanceError):
        principal.account_id = UUID(int=1)  # type: ignore[misc]
    assert principal == Principal(NOBODY, SignIn.PASSWORD)
    assert len({principal, Principal(NOBODY, SignIn.PASSWORD)}) == 1
    assert new("a") == new("a")


def test_a_shape_keeps_its_names_whatever_becomes_of_those_it_was_made_from() -> None:
    names = {"name": "filename"}
    shape = ItemShape(names)
    names["size"] = "size"
    assert shape.names == {"name": "filename"}


def test_an_outcome_without_a_refusal_is_committed() -> None:
    assert ItemOutcome(None, None, None).committed
    for refusal in Refusal:
        assert not ItemOutcome(refusal, None, None).committed


def test_the_words_are_those_of_the_wire_and_the_database() -> None:
    assert [status.value for status in ItemStatus] == [
        "NEW", "CHANGED", "RENAMED", "MOVED", "DELETED",
    ]  # fmt: skip
    assert [role.value for role in Role] == ["owner", "editor", "viewer"]
    assert {refusal.value for refusal in Refusal} == {
        "stale", "name-taken", "not-found", "parent-not-found", "cycle", "quota", "kind",
        "invalid", "dependency", "shared-folder",
    }  # fmt: skip


def test_changes_carry_the_cursor_for_the_next_question() -> None:
    changes = Changes(NOBODY, 7, b"[]", 0)
    assert (changes.revision, changes.items, changes.count) == (7, b"[]", 0)
