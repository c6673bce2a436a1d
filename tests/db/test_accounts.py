"""Accounts are kept under an e-mail address that is one whatever its case."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from attrs import evolve
from pytest_twisted import ensureDeferred
from twisted.internet.defer import Deferred, DeferredList

from stacksync.db.accounts import AccountTable
from stacksync.errors import EmailTaken
from stacksync.model import Role
from tests.db.builders import World, number


def address(name: str = "Anna") -> str:
    return f"{name}-{number()}@Example.org"


@ensureDeferred
async def test_a_new_account_begins_with_a_workspace_of_its_own(world: World) -> None:
    email = address()
    account = await world.accounts.insert(email, "Änne", 2**63 - 1, "hash", "My files")
    assert (account.email, account.name) == (email, "Änne")
    assert (account.quota_limit, account.quota_used) == (2**63 - 1, 0)
    assert abs(datetime.now(UTC) - account.created_at) < timedelta(minutes=1)
    (workspace,) = await world.workspaces.of_account(account.id)
    assert workspace.owner == account
    assert (workspace.name, workspace.role) == ("My files", Role.OWNER)
    assert workspace.container == str(workspace.id)


@ensureDeferred
async def test_an_account_is_found_by_its_id_and_its_address_in_any_case(world: World) -> None:
    accounts = world.accounts
    email = address("Älfred")
    account = await accounts.insert(email, "A", 1, "the hash", "files")
    assert await accounts.by_id(account.id) == account
    for spelling in (email, email.lower(), email.upper()):
        assert await accounts.by_email(spelling) == account


@ensureDeferred
async def test_who_is_unknown_is_none(world: World) -> None:
    accounts = world.accounts
    assert await accounts.by_id(uuid4()) is None
    for nobody in ("nobody@example.org", "", "%", "' OR true --"):
        assert await accounts.by_email(nobody) is None
    assert await accounts.update(uuid4(), None, "A", None) is None


@ensureDeferred
async def test_an_address_can_be_had_once_whatever_its_case(world: World) -> None:
    accounts = world.accounts
    email = address()
    account = await accounts.insert(email, "A", 1, None, "files")
    with pytest.raises(EmailTaken, match="exists already"):
        await accounts.insert(email.swapcase(), "B", 1, None, "files")
    other = await accounts.insert(address("Berta"), "B", 1, None, "files")
    with pytest.raises(EmailTaken):
        await accounts.update(other.id, email.lower(), None, None)
    # One's own in another spelling is no conflict.
    updated = await accounts.update(account.id, email.upper(), None, None)
    assert updated == evolve(account, email=email.upper())


@ensureDeferred
async def test_of_many_who_want_an_address_at_once_one_gets_it(world: World) -> None:
    email = address()
    outcomes = await DeferredList(
        [
            Deferred.fromCoroutine(world.accounts.insert(email, "A", 1, None, "files"))
            for _ in range(8)
        ],
        consumeErrors=True,
    )
    assert sorted(success for success, _ in outcomes) == [False] * 7 + [True]


@ensureDeferred
async def test_an_update_changes_what_is_given_and_keeps_the_rest(world: World) -> None:
    accounts = world.accounts
    account = await accounts.insert(address(), "A", 1, "hash", "files")
    assert await accounts.update(account.id, None, None, None) == account
    assert await accounts.update(account.id, None, "B", None) == evolve(account, name="B")
    updated = await accounts.update(account.id, None, None, 0)
    assert updated == evolve(account, name="B", quota_limit=0)


@ensureDeferred
async def test_all_are_listed_by_address_whatever_its_case(
    world: World, module_database_dsn: str
) -> None:
    table: AccountTable = world.accounts
    made = [await table.insert(address(name), name, 1, None, "files") for name in ("zoe", "Yan")]
    listed = await table.all()
    emails = [account.email.lower() for account in listed]
    assert emails == sorted(emails)
    assert set(made) <= set(listed)
