"""An application asks, a person allows or denies, and the application is given a token once."""

from __future__ import annotations

import time
from collections.abc import Iterator
from uuid import uuid4

import pytest
from attrs import evolve
from pytest_twisted import ensureDeferred
from twisted.internet import reactor
from twisted.internet.defer import Deferred, gatherResults

from stacksync.config import LimitsConfig, ServiceConfig
from stacksync.config.sign_in_options import OAuthConfig, TokensConfig
from stacksync.db.database import Database
from stacksync.engine import Engine, engine_on
from stacksync.engine.oauth.applications import SENT_CHARACTERS, TYPED_CHARACTERS
from stacksync.engine.oauth.signers import Nonce
from stacksync.errors import (
    AccountNotFound,
    Conflict,
    ConsumerNotFound,
    Forbidden,
    InvalidRequest,
    NotAuthenticated,
    TokenNotFound,
)
from stacksync.model import Consumer, Principal, Scope, SignIn, TokenCredentials
from stacksync.storage import DiskStore
from tests.db.observation import Psql
from tests.engine.conftest import People

CALLBACK = "https://app.example.org/done"
HERE = "192.0.2.1"


@pytest.fixture
def engine(database: Database, store: DiskStore) -> Iterator[Engine]:
    """One whose accounts have few tokens, which last a minute."""
    made = engine_on(
        database,
        reactor,
        ServiceConfig(),
        LimitsConfig(),
        lanes=2,
        store=store,
        oauth=OAuthConfig(access_expire=60.0),
        tokens=TokensConfig(max_per_account=2),
    )
    yield made
    made.stop()


async def allowed(
    engine: Engine, consumer: Consumer, principal: Principal, scope: Scope = Scope.SYNC
) -> tuple[str, str]:
    """Key of a request token that the principal has allowed, and its verifier."""
    asked = await engine.oauth.applications.ask(consumer.key, CALLBACK, scope)
    return asked.key, (await engine.oauth.applications.allow(principal, asked.key)).verifier


async def redeemed(engine: Engine, consumer: Consumer, key: str, verifier: str) -> TokenCredentials:
    return await engine.oauth.applications.redeem(consumer.key, key, verifier, HERE)


@ensureDeferred
async def test_what_was_allowed_becomes_a_token_of_the_person_s(
    engine: Engine, people: People
) -> None:
    anna, consumer = await people.person(), await engine.oauth.consumers.add("Photos", CALLBACK)
    given = await redeemed(
        engine, consumer, *await allowed(engine, consumer, anna.principal, Scope.READ_ONLY)
    )
    (token,) = await engine.tokens.list(anna.principal)
    assert (token.name, token.application, token.scope) == ("Photos", "Photos", Scope.READ_ONLY)
    assert token.consumer_key == consumer.key
    assert token.device_id is None
    assert token.expires_at is not None
    assert 50 < (token.expires_at - token.created_at).total_seconds() <= 60
    signer = await engine.oauth.signers.acting(consumer.key, given.key)
    assert (signer.account_id, signer.token_id) == (anna.user.account.id, token.id)
    assert signer.token_secret == given.secret
    assert given.secret not in repr(given)


@ensureDeferred
async def test_of_two_who_redeem_at_once_one_is_given_a_token(
    engine: Engine, people: People
) -> None:
    anna, consumer = await people.person(), await engine.oauth.consumers.add("Photos", CALLBACK)
    key, verifier = await allowed(engine, consumer, anna.principal)
    tries = [Deferred.fromCoroutine(redeemed(engine, consumer, key, verifier)) for _ in range(4)]
    results = await gatherResults(
        [each.addErrback(lambda failure: failure.value) for each in tries]
    )
    assert len([each for each in results if isinstance(each, TokenCredentials)]) == 1
    assert len(await engine.tokens.list(anna.principal)) == 1


@ensureDeferred
async def test_a_code_that_is_typed_is_short_and_one_that_is_sent_is_not(
    engine: Engine, people: People
) -> None:
    anna = await people.person()
    desk = await engine.oauth.consumers.add("Desk", None)
    asked = await engine.oauth.applications.ask(desk.key, "oob", Scope.SYNC)
    typed = (await engine.oauth.applications.allow(anna.principal, asked.key)).verifier
    assert len(typed) == TYPED_CHARACTERS
    assert set(typed).isdisjoint("0O1Il")
    photos = await engine.oauth.consumers.add("Photos", CALLBACK)
    assert len((await allowed(engine, photos, anna.principal))[1]) == SENT_CHARACTERS


@ensureDeferred
async def test_who_is_not_the_account_itself_lets_nobody_in(engine: Engine, people: People) -> None:
    anna, consumer = await people.person(), await engine.oauth.consumers.add("Photos", CALLBACK)
    asked = await engine.oauth.applications.ask(consumer.key, CALLBACK, Scope.SYNC)
    for sign_in in (SignIn.TOKEN, SignIn.OAUTH):
        with pytest.raises(Forbidden):
            await engine.oauth.applications.allow(
                evolve(anna.principal, sign_in=sign_in), asked.key
            )
    with pytest.raises(AccountNotFound):
        await engine.oauth.applications.allow(Principal(uuid4(), SignIn.PASSWORD), asked.key)


@ensureDeferred
async def test_an_account_lets_in_as_many_as_it_may_have_tokens(
    engine: Engine, people: People
) -> None:
    anna, consumer = await people.person(), await engine.oauth.consumers.add("Photos", CALLBACK)
    await redeemed(engine, consumer, *await allowed(engine, consumer, anna.principal))
    # One that is allowed and not redeemed yet counts as well.
    await allowed(engine, consumer, anna.principal)
    with pytest.raises(Conflict, match="2 tokens"):
        await allowed(engine, consumer, anna.principal)


@ensureDeferred
async def test_another_application_redeems_nothing(engine: Engine, people: People) -> None:
    anna, consumer = await people.person(), await engine.oauth.consumers.add("Photos", CALLBACK)
    other = await engine.oauth.consumers.add("Other", CALLBACK)
    key, verifier = await allowed(engine, consumer, anna.principal)
    assert (await engine.oauth.signers.asking(other.key, key)).token_secret is None
    with pytest.raises(NotAuthenticated):
        await redeemed(engine, other, key, verifier)


@ensureDeferred
async def test_what_is_over_is_removed_now_and_then(
    engine: Engine, people: People, psql: Psql
) -> None:
    consumer = await engine.oauth.consumers.add("Photos", CALLBACK)
    psql.rows("DELETE FROM request_token RETURNING 1")
    old = await engine.oauth.applications.ask(consumer.key, CALLBACK, Scope.SYNC)
    psql.rows("UPDATE request_token SET expires_at = now() RETURNING 1")
    new = await engine.oauth.applications.ask(consumer.key, CALLBACK, Scope.SYNC)
    now = int(time.time())
    for at in (now - 400, now - 800):
        await engine.oauth.signers.ask(Nonce(consumer.key, "", at, "n"))
    await engine.oauth.sweep.sweep()
    assert psql.rows("SELECT key FROM request_token") == [(new.key,)]
    assert psql.rows("SELECT signed_at FROM oauth_nonce") == [(now - 400,)]
    with pytest.raises(TokenNotFound):
        await engine.oauth.applications.asked(old.key)


@ensureDeferred
async def test_a_consumer_that_is_revoked_acts_for_nobody_and_everybody_hears_of_it(
    engine: Engine, people: People, psql: Psql
) -> None:
    anna, bert = await people.person(), await people.person()
    consumer = await engine.oauth.consumers.add("Photos", CALLBACK)
    given = await redeemed(engine, consumer, *await allowed(engine, consumer, anna.principal))
    waiting = await allowed(engine, consumer, bert.principal)
    psql.rows("UPDATE account SET sign_ins_changed_at = '2000-01-01' RETURNING 1")
    revoked = await engine.oauth.consumers.revoke(consumer.key)
    assert revoked.revoked_at is not None
    assert (await engine.oauth.signers.acting(consumer.key, given.key)).token_secret is None
    assert (await engine.oauth.signers.asking(consumer.key, waiting[0])).token_secret is None
    changed = psql.rows("SELECT id::text FROM account WHERE sign_ins_changed_at > '2000-01-02'")
    assert changed == [(str(anna.user.account.id),)]
    with pytest.raises(NotAuthenticated):
        await engine.oauth.applications.ask(consumer.key, CALLBACK, Scope.SYNC)
    assert (await engine.oauth.consumers.revoke(consumer.key)).revoked_at == revoked.revoked_at
    for unknown in ("nobody's", "", "\x00"):
        with pytest.raises(ConsumerNotFound):
            await engine.oauth.consumers.revoke(unknown)


@pytest.mark.parametrize("name", ["", " ", "x" * 81, "two\nlines", "\x00", "\u202egnp.exe"])
@ensureDeferred
async def test_people_must_be_able_to_read_who_asks(engine: Engine, name: str) -> None:
    with pytest.raises(InvalidRequest):
        await engine.oauth.consumers.add(name, None)
