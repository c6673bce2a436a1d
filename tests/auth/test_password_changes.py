"""A password is changed where it is kept: here, in Keystone, or in both."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest
from attrs import define, evolve, field
from pytest_twisted import ensureDeferred
from zope.interface.verify import verifyObject

from stacksync.auth.password_changes import PasswordChanges
from stacksync.auth.password_policy import PasswordPolicy
from stacksync.auth.passwords import PasswordHasher
from stacksync.errors import Conflict, Forbidden, InvalidRequest, Unavailable
from stacksync.interfaces import IPasswordChanges
from stacksync.model import Account, Principal, SignIn

NEW = "four words nobody combines"
NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
ANNA = Account(uuid4(), "anna@example.org", "Anna", 10, 0, NOW, "anna's id")
OWNER = Principal(ANNA.id, SignIn.PASSWORD)


@define
class Kept:
    """Anna's account and password, here and in Keystone; refuses to change it there if told to."""

    account: Account = ANNA
    hashes: list[str | None] = field(factory=list)
    there: list[tuple[str, str]] = field(factory=list)
    refusal: Exception | None = None

    async def of(self, principal: Principal) -> Account:
        assert principal.account_id == self.account.id
        return self.account

    async def change(self, principal: Principal, password_hash: str | None) -> int:
        self.hashes.append(password_hash)
        return 3

    async def set_password(self, user_id: str, password: str) -> None:
        if self.refusal is not None:
            raise self.refusal
        self.there.append((user_id, password))


def changes(kept: Kept, **parts: Any) -> PasswordChanges:
    made = {"hasher": None, "identities": kept, **parts}
    return PasswordChanges(kept, kept, PasswordPolicy(8), **made)


def test_it_changes_passwords() -> None:
    assert verifyObject(IPasswordChanges, changes(Kept()))


@ensureDeferred
async def test_here_its_hash_is_kept(hasher: PasswordHasher) -> None:
    kept = Kept()

    assert await changes(kept, hasher=hasher, identities=None).change(OWNER, NEW) == 3

    (kept_hash,) = kept.hashes
    assert await hasher.verify(kept_hash, NEW)
    assert not kept.there


@ensureDeferred
async def test_in_keystone_the_user_gets_it_and_what_hangs_on_it_ends_here() -> None:
    kept = Kept()

    assert await changes(kept).change(OWNER, NEW) == 3

    assert kept.there == [("anna's id", NEW)]
    assert kept.hashes == [None]


@ensureDeferred
async def test_in_both_the_two_stay_the_same(hasher: PasswordHasher) -> None:
    kept = Kept()

    await changes(kept, hasher=hasher).change(OWNER, NEW)

    assert kept.there == [("anna's id", NEW)]
    assert await hasher.verify(kept.hashes[0], NEW)


@ensureDeferred
async def test_where_it_can_not_be_changed_the_answer_says_where_it_is() -> None:
    not_ours = Kept(refusal=Forbidden("the password is changed in Keystone"))
    nobody = Kept(evolve(ANNA, identity_id=None))
    for kept, told in ((not_ours, "changed in Keystone"), (nobody, "user add anna@example.org")):
        with pytest.raises(Conflict, match=told):
            await changes(kept).change(OWNER, NEW)
        assert not kept.hashes


@ensureDeferred
async def test_somebody_else_s_user_in_keystone_does_not_matter_where_it_is_kept_here(
    hasher: PasswordHasher,
) -> None:
    kept = Kept(refusal=Forbidden("the password is changed in Keystone"))

    await changes(kept, hasher=hasher).change(OWNER, NEW)

    assert await hasher.verify(kept.hashes[0], NEW)


@ensureDeferred
async def test_while_keystone_is_away_nothing_is_changed(hasher: PasswordHasher) -> None:
    kept = Kept(refusal=Unavailable("keystone", "away"))
    with pytest.raises(Unavailable):
        await changes(kept, hasher=hasher).change(OWNER, NEW)
    assert not kept.hashes


@pytest.mark.parametrize(
    ("principal", "password", "refusal"),
    [
        (OWNER, "short", InvalidRequest),
        (OWNER, "Anna@example.org", InvalidRequest),
        (Principal(ANNA.id, SignIn.OPERATOR), "password1", InvalidRequest),
        (Principal(ANNA.id, SignIn.TOKEN), NEW, Forbidden),
        (Principal(ANNA.id, SignIn.OAUTH), NEW, Forbidden),
        (Principal(ANNA.id, SignIn.KEYSTONE), NEW, Forbidden),
    ],
)
@ensureDeferred
async def test_what_is_refused_reaches_nobody(
    hasher: PasswordHasher, principal: Principal, password: str, refusal: type[Exception]
) -> None:
    kept = Kept()
    with pytest.raises(refusal):
        await changes(kept, hasher=hasher).change(principal, password)
    assert not kept.hashes
    assert not kept.there
