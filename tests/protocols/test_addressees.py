"""Whom sharing is about is read once, for both protocols: e-mail addresses, and a role."""

from __future__ import annotations

from typing import Any

import pytest

from stacksync.errors import InvalidRequest
from stacksync.model import Role
from stacksync.protocols.addressees import ADDRESSEES_MAX, read_emails, read_role


def test_addresses_are_taken_as_they_are_written_in_their_order() -> None:
    emails = ["Berta@Example.org", "anna+photos@example.org", "élise@example.org"]

    assert read_emails(emails, "share_to") == tuple(emails)


def test_as_many_as_are_allowed_are_taken() -> None:
    emails = [f"guest{number}@example.org" for number in range(ADDRESSEES_MAX)]

    assert len(read_emails(emails, "share_to")) == ADDRESSEES_MAX
    with pytest.raises(InvalidRequest, match=f"{ADDRESSEES_MAX} are allowed"):
        read_emails([*emails, "one@example.org"], "share_to")


@pytest.mark.parametrize("value", [None, "a@example.org", {"a@example.org": 1}, 7, True])
def test_what_is_no_list_is_refused(value: Any) -> None:
    with pytest.raises(InvalidRequest, match=r"^share_to: must be a list"):
        read_emails(value, "share_to")


def test_a_list_of_nobody_is_refused() -> None:
    with pytest.raises(InvalidRequest, match=r"^share_to: is empty"):
        read_emails([], "share_to")


@pytest.mark.parametrize(
    ("email", "problem"),
    [
        (None, "must be a string"),
        (7, "must be a string"),
        (["b@example.org"], "must be a string"),
        ("", "is not an e-mail address"),
        ("berta", "is not an e-mail address"),
        ("@example.org", "is not an e-mail address"),
        ("berta@", "is not an e-mail address"),
        ("berta@exam ple.org", "is not an e-mail address"),
        (" berta@example.org", "is not an e-mail address"),
        ("berta@example.org\n", "is not an e-mail address"),
        ("b\u200bb@example.org", "is not an e-mail address"),
        ("b\0b@example.org", "NUL"),
        ("b\ud800b@example.org", ""),
        ("b" * 250 + "@example.org", "254"),
    ],
)
def test_what_is_no_address_is_refused_with_its_place(email: Any, problem: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        read_emails(["anna@example.org", email], "unshare_to")
    assert caught.value.field == "unshare_to[1]"
    assert problem in caught.value.problem


@pytest.mark.parametrize("again", ["anna@example.org", "ANNA@EXAMPLE.ORG"])
def test_an_address_that_comes_twice_is_refused_whatever_its_case(again: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        read_emails(["anna@example.org", "berta@example.org", again], "emails")
    assert (caught.value.field, caught.value.problem) == ("emails[2]", "is the same as emails[0]")


@pytest.mark.parametrize(
    ("fields", "role"),
    [
        ({}, Role.EDITOR),
        ({"role": None}, Role.EDITOR),
        ({"role": "editor"}, Role.EDITOR),
        ({"role": "viewer"}, Role.VIEWER),
    ],
)
def test_addressees_become_editors_unless_it_is_said_otherwise(
    fields: dict[str, Any], role: Role
) -> None:
    assert read_role(fields, "role") is role


@pytest.mark.parametrize("value", ["owner", "Editor", "", "admin", 1, ["viewer"]])
def test_no_other_role_is_given(value: Any) -> None:
    with pytest.raises(InvalidRequest) as caught:
        read_role({"role": value}, "role")
    assert caught.value.field == "role"
