"""``getAccountInfo``: one's own account, and nobody else's."""

from __future__ import annotations

from uuid import uuid4

import pytest
from pytest_twisted import ensureDeferred

from tests.protocols.amqp.conftest import User


@ensureDeferred
async def test_an_account_is_told_by_its_email(anna: User) -> None:
    # As old clients ask: they do not know their id yet.
    info = await anna.call("getAccountInfo", userId=None, email=anna.account.email.upper())

    assert info == {
        "userId": anna.id,
        "name": "Änne",
        "email": anna.account.email,
        "quotaLimit": 10**9,
        "quotaUsed": 0,
    }


@ensureDeferred
async def test_somebody_elses_account_looks_like_none(anna: User, bert: User) -> None:
    theirs = await anna.refusal("getAccountInfo", email=bert.account.email)
    nobodys = await anna.refusal("getAccountInfo", email="nobody@example.org")

    assert theirs == ("UserNotFoundException", f"no such account: {bert.account.email}")
    assert nobodys == ("UserNotFoundException", "no such account: nobody@example.org")


@ensureDeferred
async def test_an_account_that_is_gone_is_told_as_such(anna: User) -> None:
    gone = str(uuid4())

    refusal = await anna.refusal("getAccountInfo", userId=gone, email=anna.account.email)

    assert refusal == ("UserNotFoundException", f"no such account: {gone}")


@pytest.mark.parametrize(
    ("email", "complaint"), [(None, "email: is missing"), (7, "email: must be a string")]
)
@ensureDeferred
async def test_an_email_that_is_none_is_refused(anna: User, email: object, complaint: str) -> None:
    assert await anna.refusal("getAccountInfo", email=email) == (
        "IllegalArgumentException",
        complaint,
    )
