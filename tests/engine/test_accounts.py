"""Accounts are made by the operator; a principal reaches its own."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest
from attrs import evolve
from pytest_twisted import ensureDeferred

from stacksync.engine import Engine
from stacksync.engine.accounts import FIRST_WORKSPACE
from stacksync.errors import AccountNotFound, Conflict, EmailTaken, InvalidRequest
from stacksync.model import Account, Principal, SignIn
from tests.db.builders import number
from tests.db.observation import Psql

UNSUITABLE = ["nul\0@example.org", "\ud800@example.org", "x" * 300 + "@example.org"]


def address(name: str = "anna") -> str:
    return f"{name}-{number()}@example.org"


async def account(engine: Engine, **values: Any) -> Account:
    given: dict[str, Any] = {
        "email": address(),
        "name": None,
        "quota_limit": 5,
        "password_hash": "the hash",
    }
    return await engine.accounts.create(**{**given, **values})


def principal(account: Account) -> Principal:
    return Principal(account.id, SignIn.PASSWORD)


@ensureDeferred
async def test_a_new_account_has_a_workspace_and_a_name(engine: Engine) -> None:
    anna = await account(engine, email=address("Anna.Ä"))
    assert anna.name == anna.email.partition("@")[0]
    assert (await account(engine, name="Änne")).name == "Änne"
    (workspace,) = await engine.workspaces.list(principal(anna))
    assert (workspace.name, workspace.owner) == (FIRST_WORKSPACE, anna)


@ensureDeferred
@pytest.mark.parametrize(
    ("field", "values"),
    [
        ("email", ["", "anna", "@", "anna@", "@example.org", "a b@c.d", "a\n@b.c", *UNSUITABLE]),
        ("name", ["nul\0", "\ud800", "x" * 1001]),
        ("quota_limit", [-1, 2**63]),
    ],
)
async def test_what_no_account_can_have_is_refused_when_made_and_when_changed(
    engine: Engine, field: str, values: list[Any]
) -> None:
    anna = await account(engine)
    for value in values:
        with pytest.raises(InvalidRequest) as caught:
            await account(engine, **{field: value})
        assert caught.value.field == field
        with pytest.raises(InvalidRequest) as caught:
            await engine.accounts.update(anna.id, **{field: value})
        assert caught.value.field == field
    assert await engine.accounts.of(principal(anna)) == anna


@ensureDeferred
async def test_an_address_is_taken_whatever_its_case(engine: Engine) -> None:
    anna, berta = await account(engine), await account(engine)
    with pytest.raises(EmailTaken):
        await account(engine, email=anna.email.upper())
    with pytest.raises(EmailTaken):
        await engine.accounts.update(berta.id, email=anna.email.upper())


@ensureDeferred
async def test_a_principal_finds_its_own_account_by_its_address_in_any_case(
    engine: Engine,
) -> None:
    anna, berta = await account(engine), await account(engine)
    assert await engine.accounts.of(principal(anna)) == anna
    assert await engine.accounts.named(principal(anna), anna.email.upper()) == anna
    for other in (berta.email, "nobody@example.org", "", *UNSUITABLE):
        with pytest.raises(AccountNotFound, match="no such account"):
            await engine.accounts.named(principal(anna), other)
    with pytest.raises(AccountNotFound):
        await engine.accounts.of(Principal(uuid4(), SignIn.PASSWORD))


@ensureDeferred
async def test_the_operator_finds_any_account_by_its_address(engine: Engine) -> None:
    anna = await account(engine)
    assert await engine.accounts.by_email(anna.email.upper()) == anna
    assert anna in await engine.accounts.list()
    for unknown in ("nobody@example.org", "", *UNSUITABLE):
        with pytest.raises(AccountNotFound):
            await engine.accounts.by_email(unknown)


@ensureDeferred
async def test_what_is_not_mentioned_stays(engine: Engine) -> None:
    anna = await account(engine)
    changed = await engine.accounts.update(anna.id, quota_limit=2**63 - 1)
    assert changed == evolve(anna, quota_limit=2**63 - 1)
    email = address("new")
    changed = await engine.accounts.update(anna.id, email=email)
    assert changed == evolve(anna, quota_limit=2**63 - 1, email=email)
    with pytest.raises(AccountNotFound):
        await engine.accounts.update(uuid4(), name="nobody")


@ensureDeferred
async def test_jobs_see_to_the_container_and_mirror_quota_and_user(
    engine: Engine, psql: Psql
) -> None:
    email = f"jobs-{number()}@example.org"
    account = await engine.accounts.create(
        email, name=None, quota_limit=1, password_hash=None, identity_id=f"user {email}"
    )
    (workspace,) = await engine.workspaces.list(Principal(account.id, SignIn.PASSWORD))

    def jobs() -> int:
        found = psql.value(
            "SELECT count(*) FROM job WHERE kind = 'container' AND queue = %s"
            " AND arguments ->> 'workspace_id' = %s",
            f"container:{workspace.container}", str(workspace.id),
        )  # fmt: skip
        assert isinstance(found, int)
        return found

    assert jobs() == 1
    assert await engine.accounts.by_identity(f"user {email}") == account
    credentials = await engine.passwords.credentials(email)
    assert credentials is not None
    assert credentials.identity_id == f"user {email}"
    await engine.accounts.update(account.id, name="other")
    assert jobs() == 1
    await engine.accounts.update(account.id, quota_limit=2)
    assert jobs() == 2
    linked = await engine.accounts.link(
        account.id, identity_id=f"another {email}", identity_is_ours=True
    )
    assert linked.identity_id == f"another {email}"
    assert jobs() == 3
    with pytest.raises(AccountNotFound):
        await engine.accounts.by_identity(f"user {email}")
    with pytest.raises(Conflict, match="another account has the user"):
        await engine.accounts.create(
            f"x{email}", name=None, quota_limit=1, password_hash=None,
            identity_id=f"another {email}",
        )  # fmt: skip
