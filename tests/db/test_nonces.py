"""A nonce is taken once, however many ask for it at once, and kept no longer than needed."""

from __future__ import annotations

from uuid import UUID

from attrs import evolve, frozen
from pytest_twisted import ensureDeferred
from twisted.internet.defer import Deferred, gatherResults

from stacksync.db.database import Database
from stacksync.db.nonces import Nonce, NonceTable, SignerRow
from stacksync.db.tokens import USED_AT_STEP
from stacksync.model import Scope
from tests.db.builders import User, World, number
from tests.db.observation import Psql


@frozen
class Grant:
    """A token of an application's."""

    nonce: Nonce
    token_id: UUID
    user: User


async def grant(world: World, psql: Psql) -> Grant:
    user, key = await world.user(), f"key-{number()}"
    psql.rows("INSERT INTO consumer VALUES (%s, 'c-secret', 'app') RETURNING 1", key)
    token_id = psql.value(
        "INSERT INTO token (account_id, consumer_key, name, scope, oauth_key, oauth_secret)"
        " VALUES (%s, %s, 'app', 'read-only', %s, 't-secret') RETURNING id",
        *(str(user.account.id), key, f"token of {key}"),
    )
    return Grant(Nonce(key, f"token of {key}", 1_790_000_000, "n"), UUID(str(token_id)), user)


@ensureDeferred
async def test_of_many_at_once_one_takes_a_nonce(
    database: Database, world: World, psql: Psql
) -> None:
    table, given = NonceTable(database), await grant(world, psql)
    tries = [Deferred.fromCoroutine(table.use(given.nonce, given.token_id)) for _ in range(8)]
    assert sorted(await gatherResults(tries)) == [(True, False)] * 7 + [(True, True)]
    tries_alone = [
        Deferred.fromCoroutine(table.insert(evolve(given.nonce, token_key=""))) for _ in range(8)
    ]
    assert sorted(await gatherResults(tries_alone)) == [False] * 7 + [True]


@ensureDeferred
async def test_a_token_that_ended_takes_no_nonce(
    database: Database, world: World, psql: Psql
) -> None:
    table, given = NonceTable(database), await grant(world, psql)
    psql.rows("UPDATE token SET expires_at = now() WHERE id = %s RETURNING 1", str(given.token_id))
    assert await table.use(given.nonce, given.token_id) == (False, False)
    psql.rows("UPDATE token SET expires_at = NULL WHERE id = %s RETURNING 1", str(given.token_id))
    psql.rows(
        "UPDATE consumer SET revoked_at = now() WHERE key = %s RETURNING 1",
        given.nonce.consumer_key,
    )
    assert await table.use(given.nonce, given.token_id) == (False, False)
    assert (
        psql.value(
            "SELECT count(*) FROM oauth_nonce WHERE consumer_key = %s", given.nonce.consumer_key
        )
        == 0
    )


@ensureDeferred
async def test_a_use_is_noted_now_and_then(database: Database, world: World, psql: Psql) -> None:
    table, given = NonceTable(database), await grant(world, psql)
    seen = "SELECT used_at FROM token WHERE id = %s"
    await table.use(given.nonce, given.token_id)
    first = psql.value(seen, str(given.token_id))
    assert first is not None
    await table.use(evolve(given.nonce, nonce="m"), given.token_id)
    assert psql.value(seen, str(given.token_id)) == first
    psql.rows("UPDATE token SET used_at = now() - %s", USED_AT_STEP)
    await table.use(evolve(given.nonce, nonce="o"), given.token_id)
    assert psql.value(seen, str(given.token_id)) > first


@ensureDeferred
async def test_signers_are_known_with_what_they_hold(
    database: Database, world: World, psql: Psql
) -> None:
    table, given = NonceTable(database), await grant(world, psql)
    key, token_key = given.nonce.consumer_key, given.nonce.token_key
    known = await table.signer(key, token_key)
    assert (known.consumer_secret, known.token_secret) == ("c-secret", "t-secret")
    assert (known.account_id, known.scope) == (given.user.account.id, Scope.READ_ONLY)
    assert "secret" not in repr(known)
    assert (await table.signer(key, "another")).token_secret is None
    assert await table.signer("another", token_key) == SignerRow()
    assert (await table.asker(key, token_key)).token_secret is None


@ensureDeferred
async def test_old_nonces_go(database: Database, world: World, psql: Psql) -> None:
    table, given = NonceTable(database), await grant(world, psql)
    psql.rows("DELETE FROM oauth_nonce RETURNING 1")
    for at in (100, 200, 300):
        await table.insert(evolve(given.nonce, signed_at=at))
    assert await table.prune(200) == 1
    assert not await table.insert(evolve(given.nonce, signed_at=200))
