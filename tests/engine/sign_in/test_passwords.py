"""What a sign-in is checked against, and what ends when a password is changed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from uuid import UUID, uuid4

import pytest
from attrs import evolve
from pytest_twisted import ensureDeferred
from twisted.internet import reactor

from stacksync.config import LimitsConfig, ServiceConfig
from stacksync.db.database import Database
from stacksync.engine import Engine, engine_on
from stacksync.engine.sign_in.passwords import Credentials
from stacksync.engine.sign_in.sign_ins import BrokerAnswers
from stacksync.errors import AccountNotFound, Forbidden
from stacksync.model import Account, Principal, Scope, SignIn
from stacksync.storage import DiskStore
from tests.db.builders import number
from tests.db.observation import Psql

UNSUITABLE = ["nul\0@example.org", "\ud800@example.org", "x" * 300 + "@example.org"]


async def account(engine: Engine, password_hash: str | None = "the hash") -> Account:
    return await engine.accounts.create(
        f"anna-{number()}@example.org", name=None, quota_limit=5, password_hash=password_hash
    )


def owner(account: Account, **values: Any) -> Principal:
    return evolve(Principal(account.id, SignIn.PASSWORD), **values)


def add_tokens(psql: Psql, account_id: UUID, device_id: UUID) -> None:
    """A device's token, an application's, and one that is about to be an application's."""
    account = str(account_id)
    key = f"application {number()}"
    psql.rows("INSERT INTO consumer (key, secret, name) VALUES (%s, 's', 'n')", key)
    psql.rows(
        "INSERT INTO token (account_id, device_id, name, scope, secret_hash)"
        " VALUES (%s, %s, 'laptop', 'sync', %s)",
        *(account, str(device_id), key.encode()),
    )
    psql.rows(
        "INSERT INTO token (account_id, consumer_key, name, scope, oauth_key, oauth_secret)"
        " VALUES (%s, %s, 'app', 'sync', %s, 's')",
        *(account, key, key),
    )
    psql.rows(
        "INSERT INTO request_token"
        " (key, secret, consumer_key, callback, scope, account_id, expires_at)"
        " VALUES (%s, 's', %s, 'oob', 'sync', %s, now() + interval '1 hour')",
        *(key, key, account),
    )


def tokens(psql: Psql, account_id: UUID) -> tuple[int, int]:
    """How many tokens, and how many that are about to be some, an account has."""
    count = "SELECT count(*) FROM {} WHERE account_id = %s"
    one, other = (
        psql.value(count.format(table), str(account_id)) for table in ("token", "request_token")
    )
    assert isinstance(one, int)
    assert isinstance(other, int)
    return one, other


@ensureDeferred
async def test_credentials_are_for_known_addresses_and_do_not_show_the_hash(
    engine: Engine,
) -> None:
    anna, without = await account(engine), await account(engine, None)
    found = await engine.passwords.credentials(anna.email.upper())
    assert found is not None
    assert found == Credentials(anna.id, "the hash", password_id=found.password_id)
    assert found.password_id is not None
    assert "the hash" not in repr(found)
    none = await engine.passwords.credentials(without.email)
    assert none is not None
    assert none.password_hash is None
    for unknown in ("nobody@example.org", "", *UNSUITABLE):
        assert await engine.passwords.credentials(unknown) is None


@ensureDeferred
async def test_with_a_password_all_ends_that_was_given_out_by_the_one_before(
    engine: Engine, psql: Psql
) -> None:
    anna, bert = await account(engine), await account(engine)
    before = await engine.passwords.credentials(anna.email)
    assert before is not None
    signed_in = owner(anna, grant_id=before.password_id)
    for each in (anna, bert):
        laptop = psql.value(
            "INSERT INTO device (account_id, name) VALUES (%s, 'laptop') RETURNING id",
            str(each.id),
        )
        assert isinstance(laptop, UUID)
        add_tokens(psql, each.id, laptop)
    heard: list[UUID] = []
    engine.sign_ins.subscribe(heard.append)
    assert await engine.sign_ins.holds(signed_in)

    assert await engine.passwords.change(signed_in, "another hash") == 2

    after = await engine.passwords.credentials(anna.email)
    assert after is not None
    assert after.password_hash == "another hash"
    assert after.password_id != before.password_id
    assert not await engine.sign_ins.holds(signed_in)
    assert tokens(psql, anna.id) == (0, 0)
    assert tokens(psql, bert.id) == (2, 1)
    assert set(heard) == {anna.id}, "at once, without waiting for the database"


@pytest.fixture
def asked(database: Database, store: DiskStore) -> Iterator[Engine]:
    """An engine that a broker asks, which remembers its answers for a while."""
    made = engine_on(
        *(database, reactor, ServiceConfig(), LimitsConfig()),
        lanes=2,
        store=store,
        broker=BrokerAnswers(asked=True, remembered=5.0),
    )
    yield made
    made.notifier.stop()


def disconnects(psql: Psql, account_id: UUID) -> list[list[str]]:
    """The logins whose connections are to be closed, job by job."""
    rows = psql.rows(
        "SELECT arguments -> 'logins' FROM job WHERE kind = 'disconnect'"
        " AND arguments ->> 'account_id' = %s ORDER BY id",
        str(account_id),
    )
    return [row[0] for row in rows]


@ensureDeferred
async def test_connections_to_the_broker_end_with_the_password_and_with_the_e_mail(
    asked: Engine, psql: Psql
) -> None:
    anna = await account(asked)
    logins, old = [str(anna.id), anna.email], anna.email

    await asked.passwords.change(owner(anna), "another hash")
    assert disconnects(psql, anna.id) == [logins] * 2, "and again, when it has forgotten"

    await asked.accounts.update(anna.id, name="Änne", quota_limit=10)
    await asked.accounts.update(anna.id, email=old)
    assert len(disconnects(psql, anna.id)) == 2
    await asked.accounts.update(anna.id, email=f"new-{old}")
    after = disconnects(psql, anna.id)[2:]
    assert after.count(logins) == 2
    assert after.count([str(anna.id), f"new-{old}"]) == 2
    assert len(after) == 4


@ensureDeferred
async def test_where_another_service_keeps_the_password_the_hash_stays(engine: Engine) -> None:
    anna = await account(engine)
    before = await engine.passwords.credentials(anna.email)

    assert await engine.passwords.change(owner(anna), None) == 0

    after = await engine.passwords.credentials(anna.email)
    assert before is not None
    assert after == evolve(before, password_id=after.password_id if after else None)
    assert after != before


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"sign_in": SignIn.TOKEN}, "needs the password"),
        ({"sign_in": SignIn.OAUTH}, "needs the password"),
        ({"sign_in": SignIn.KEYSTONE}, "needs the password"),
        ({"sign_in": SignIn.BROKER}, "needs the password"),
        ({"sign_in": SignIn.TOKEN, "scope": Scope.READ_ONLY}, "may only read"),
    ],
)
@ensureDeferred
async def test_a_token_is_not_enough(engine: Engine, values: Any, message: str) -> None:
    anna = await account(engine)
    before = await engine.passwords.credentials(anna.email)

    with pytest.raises(Forbidden, match=message):
        await engine.passwords.change(owner(anna, **values), "another hash")

    assert await engine.passwords.credentials(anna.email) == before


@ensureDeferred
async def test_nobody_s_password_is_not_changed(engine: Engine) -> None:
    with pytest.raises(AccountNotFound):
        await engine.passwords.change(Principal(uuid4(), SignIn.OPERATOR), "hash")


@ensureDeferred
async def test_another_hash_of_the_same_password_ends_nothing_and_yields_to_a_new_password(
    engine: Engine,
) -> None:
    anna = await account(engine)
    before = await engine.passwords.credentials(anna.email)
    assert before is not None

    assert await engine.passwords.renew(anna.id, "the hash", "stronger hash")
    renewed = await engine.passwords.credentials(anna.email)
    assert renewed == evolve(before, password_hash="stronger hash")
    await engine.passwords.change(owner(anna), "another hash")
    assert not await engine.passwords.renew(anna.id, "stronger hash", "late hash")
    after = await engine.passwords.credentials(anna.email)
    assert after is not None
    assert after.password_hash == "another hash"
