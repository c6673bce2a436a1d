"""Access lists as data: whatever else is on a list, granting and revoking touch one user."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stacksync.storage.swift.access_list import AccessList, is_user_id

PROJECT = "5ca1ab1e" * 4
OTHER_PROJECT = "0ddba11" * 4 + "0000"

users = st.text("0123456789abcdef", min_size=32, max_size=64)
# What is like an element of ours, and is none.
foreign = st.one_of(
    st.sampled_from(
        [
            ".r:*",
            ".rlistings",
            ".r:-example.org",
            "swiftoperator",
            f"{PROJECT}:*",
            f"*:{'a' * 32}",
            f"{PROJECT}:alice",
            f"{PROJECT}:{'A' * 32}",
            f"{PROJECT}:{'a' * 31}",
            f"{PROJECT}:{'a' * 65}",
            PROJECT,
            "a" * 32,
            f"x{PROJECT}:{'a' * 32}",
            f"{PROJECT}:",
            f":{'a' * 32}",
        ]
    ),
    users.map(lambda user: f"{OTHER_PROJECT}:{user}"),
)
ours = users.map(lambda user: f"{PROJECT}:{user}")
lists = st.lists(st.one_of(foreign, ours), max_size=8, unique=True).map(
    lambda elements: AccessList(tuple(elements))
)


def others(of: AccessList, user: str) -> list[str]:
    return [each for each in of.elements if each != f"{PROJECT}:{user}"]


@given(lists)
def test_a_list_is_written_as_it_was_read(access: AccessList) -> None:
    assert AccessList.parse(access.format()) == access


@given(lists, st.lists(st.sampled_from([" ", "\t", ","]), max_size=3))
def test_blanks_and_empty_elements_mean_nothing(access: AccessList, noise: list[str]) -> None:
    spread = f" ,{''.join(noise)}".join(access.elements) + "".join(noise)

    assert AccessList.parse(spread) == access


@given(lists, users)
def test_who_is_granted_is_on_the_list_and_nobody_else_has_moved(
    access: AccessList, user: str
) -> None:
    granted = access.granting(PROJECT, user)

    assert granted.users(PROJECT) == access.users(PROJECT) | {user}
    assert others(granted, user) == others(access, user)


@given(lists, users)
def test_granting_twice_is_granting_once(access: AccessList, user: str) -> None:
    granted = access.granting(PROJECT, user)

    assert granted.granting(PROJECT, user) == granted


@given(lists, users)
def test_revoking_what_was_granted_is_what_was_before(access: AccessList, user: str) -> None:
    before = access.revoking(PROJECT, user)

    assert before.granting(PROJECT, user).revoking(PROJECT, user) == before
    assert before.revoking(PROJECT, user) == before
    assert others(before, user) == list(before.elements)


@given(lists, st.text("0123456789abcdef", min_size=32, max_size=40), st.text("0123456789abcdef"))
def test_a_user_whose_id_begins_like_anothers_is_not_touched(
    access: AccessList, user: str, end: str
) -> None:
    longer = (user + end + "0")[:64]
    both = access.granting(PROJECT, user).granting(PROJECT, longer)

    assert longer in both.revoking(PROJECT, user).users(PROJECT)
    assert user in both.revoking(PROJECT, longer).users(PROJECT)


@given(lists, st.frozensets(users, max_size=4))
def test_the_users_of_a_project_are_made_exactly_these(
    access: AccessList, wanted: frozenset[str]
) -> None:
    changed = access.with_users(PROJECT, wanted)

    assert changed.users(PROJECT) == wanted
    assert changed.with_users(PROJECT, wanted) == changed
    kept = [each for each in access.elements if not is_ours(each)]
    assert [each for each in changed.elements if not is_ours(each)] == kept


def is_ours(element: str) -> bool:
    return element.startswith(f"{PROJECT}:") and is_user_id(element.partition(":")[2])


@pytest.mark.parametrize("name", ["", "alice", "a" * 31, "a" * 65, "A" * 32, "a" * 32 + "\n", "*"])
def test_what_is_no_id_is_not_taken_for_one(name: str) -> None:
    assert not is_user_id(name)
