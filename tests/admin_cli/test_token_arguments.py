"""Which token or device is meant is said by its id, or by whose they are."""

from __future__ import annotations

from uuid import UUID

import pytest

from stacksync.admin_cli.arguments import parse

ONE = UUID("65aa5a76-033c-4c35-8f48-c3596fdc41c2")


def test_lists_are_of_everybody_or_of_one_account() -> None:
    for noun in ("token", "device"):
        assert parse([noun, "list"]).email is None
        assert parse([noun, "list", "anna@example.org", "--json"]).email == "anna@example.org"


def test_a_token_is_revoked_alone_or_with_all_of_its_account() -> None:
    alone = parse(["token", "revoke", str(ONE)])
    assert alone.token_id == ONE
    assert not alone.email
    every = parse(["token", "revoke", "--all", "anna@example.org"])
    assert (every.token_id, every.email) == (None, "anna@example.org")
    assert parse(["device", "revoke", str(ONE)]).device_id == ONE


@pytest.mark.parametrize(
    "argv",
    [
        ["token"],
        ["token", "revoke"],
        ["token", "revoke", "anna@example.org"],
        ["token", "revoke", str(ONE), "--all", "anna@example.org"],
        ["device", "revoke"],
        ["device", "revoke", "--all", "anna@example.org"],
    ],
)
def test_wrong_usage_has_status_2(argv: list[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        parse(argv)
    assert ended.value.code == 2
