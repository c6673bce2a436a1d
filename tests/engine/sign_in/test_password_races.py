"""What is given out while a password is being changed does not outlive it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import closing
from uuid import UUID

import pytest
from attrs import evolve, field, frozen
from pytest_twisted import ensureDeferred
from twisted.internet.defer import Deferred

from stacksync.engine import Engine
from stacksync.engine.sign_in.tokens import TokenOrder
from stacksync.errors import NotAuthenticated
from stacksync.model import Principal, Scope, TokenCredentials
from tests.db.observation import Psql, until
from tests.engine.conftest import People


@frozen
class Signed:
    """Somebody who has signed in with the password, and an application that has asked them."""

    engine: Engine
    principal: Principal
    device_id: UUID
    consumer_key: str
    asked: str = field(repr=False)

    async def make(self) -> object:
        return await self.engine.tokens.make(
            self.principal, TokenOrder(name="late", device_id=self.device_id)
        )

    async def allow(self) -> object:
        return await self.engine.oauth.applications.allow(self.principal, self.asked)

    async def change(self) -> object:
        return await self.engine.passwords.change(self.principal, "a thief's hash")

    async def redeem(self, verifier: str) -> TokenCredentials:
        return await self.engine.oauth.applications.redeem(
            self.consumer_key, self.asked, verifier, "192.0.2.1"
        )


async def signed_in(people: People) -> Signed:
    anna = await people.person()
    engine = people.engine
    known = await engine.passwords.credentials(anna.user.account.email)
    assert known is not None
    consumer = await engine.oauth.consumers.add("Desk", None)
    asked = await engine.oauth.applications.ask(consumer.key, "oob", Scope.SYNC)
    principal = evolve(anna.principal, grant_id=known.password_id)
    return Signed(engine, principal, anna.user.device_id, consumer.key, asked.key)


def given_out(psql: Psql, signed: Signed) -> tuple[int, int]:
    """How many tokens, and how many that are about to be some, the account has."""
    one, other = (
        psql.value(
            f"SELECT count(*) FROM {table} WHERE account_id = %s", str(signed.principal.account_id)
        )
        for table in ("token", "request_token")
    )
    return one, other


def waiting(psql: Psql) -> int:
    """How many of our statements wait for others."""
    found = psql.value(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
        " AND application_name = 'stacksync' AND wait_event_type = 'Lock'"
    )
    assert isinstance(found, int)
    return found


@pytest.mark.parametrize("late", [Signed.make, Signed.allow, Signed.change])
@ensureDeferred
async def test_whom_the_old_password_has_let_in_is_too_late_after_it_was_changed(
    people: People, psql: Psql, late: Callable[[Signed], Awaitable[object]]
) -> None:
    signed = await signed_in(people)
    await signed.engine.passwords.change(signed.principal, "the owner's hash")

    with pytest.raises(NotAuthenticated, match="sign in with the new one"):
        await late(signed)

    assert given_out(psql, signed) == (0, 0)
    account = await signed.engine.accounts.of(signed.principal)
    known = await signed.engine.passwords.credentials(account.email)
    assert known is not None
    assert known.password_hash == "the owner's hash"


@ensureDeferred
async def test_a_token_that_is_being_made_ends_with_the_password(
    people: People, psql: Psql
) -> None:
    signed = await signed_in(people)
    account = str(signed.principal.account_id)
    with closing(psql.connect()) as other, other.cursor() as making:
        making.execute("SELECT FROM account WHERE id = %s FOR NO KEY UPDATE", [account])
        making.execute(
            "INSERT INTO token (account_id, device_id, name, scope, secret_hash)"
            " VALUES (%s, %s, 'laptop', 'sync', %s)",
            [account, str(signed.device_id), account.encode()],
        )
        changing = Deferred.fromCoroutine(signed.engine.passwords.change(signed.principal, "new"))
        await until(lambda: waiting(psql) == 1)
        other.commit()

    assert await changing == 1
    assert given_out(psql, signed) == (0, 0)


@ensureDeferred
async def test_a_token_that_an_application_is_being_given_ends_with_the_password(
    people: People, psql: Psql
) -> None:
    signed = await signed_in(people)
    allowed = await signed.engine.oauth.applications.allow(signed.principal, signed.asked)
    with closing(psql.connect()) as other, other.cursor() as holding:
        holding.execute("SELECT FROM request_token WHERE key = %s FOR UPDATE", [signed.asked])
        redeeming = Deferred.fromCoroutine(signed.redeem(allowed.verifier))
        await until(lambda: waiting(psql) == 1)
        changing = Deferred.fromCoroutine(signed.engine.passwords.change(signed.principal, "new"))
        await until(lambda: waiting(psql) == 2)
        other.commit()

    assert isinstance(await redeeming, TokenCredentials)
    assert await changing == 1
    assert given_out(psql, signed) == (0, 0)


@ensureDeferred
async def test_what_was_allowed_but_not_fetched_yet_ends_with_all_tokens(
    people: People, psql: Psql
) -> None:
    signed = await signed_in(people)
    await signed.make()
    allowed = await signed.engine.oauth.applications.allow(signed.principal, signed.asked)

    assert await signed.engine.tokens.revoke_all(signed.principal) == 1

    assert given_out(psql, signed) == (0, 0)
    with pytest.raises(NotAuthenticated):
        await signed.redeem(allowed.verifier)
