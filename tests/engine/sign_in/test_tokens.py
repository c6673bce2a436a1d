"""Tokens: who may make, see and revoke them, what they are bound to, and when they end."""

from __future__ import annotations

from hashlib import sha256
from uuid import uuid4

import pytest
from attrs import evolve
from pytest_twisted import ensureDeferred

from stacksync.config import TokensConfig
from stacksync.db.database import Database
from stacksync.engine.sign_in.tokens import TokenOrder
from stacksync.errors import (
    Conflict,
    DeviceNotFound,
    Forbidden,
    InvalidRequest,
    TokenNotFound,
)
from stacksync.model import DeviceDescription, NewToken, Principal, Scope, SignIn
from tests.db.builders import folder, new
from tests.engine.conftest import People, Person

HOUR = 3600


async def made(person: Person, **order: object) -> NewToken:
    order.setdefault("device_id", person.user.device_id)
    return await person.engine.tokens.make(person.principal, TokenOrder(**order))  # type: ignore[arg-type]


def bearer(token: NewToken) -> Principal:
    """Who signs in by a token."""
    known = token.token
    return Principal(
        known.account_id, SignIn.TOKEN, known.device_id, known.scope, known.id, known.expires_at
    )


@ensureDeferred
async def test_a_token_is_found_by_its_secret_which_is_kept_nowhere(
    people: People, database: Database
) -> None:
    anna = await people.person()

    token = await made(anna, name="laptop at home", scope=Scope.READ_ONLY, expires_in=HOUR)

    found = await anna.engine.tokens.shown(token.secret)
    assert found is not None
    assert found.token.id == token.token.id
    assert (found.token.name, found.token.scope) == ("laptop at home", Scope.READ_ONLY)
    assert found.lasts == pytest.approx(HOUR, abs=60)
    assert await anna.engine.tokens.shown(token.secret[:-1] + "!") is None
    rows = await database.query(
        "look",
        "SELECT t::text, secret_hash FROM token t WHERE account_id = %s",
        [found.token.account_id],
    )
    assert [bytes(row[1]) for row in rows] == [sha256(token.secret.encode()).digest()]
    assert token.secret not in rows[0][0]
    assert token.secret not in repr(token)


@ensureDeferred
async def test_a_token_is_for_a_device_named_or_acting_or_newly_registered(people: People) -> None:
    anna, bert = await people.person(), await people.person()
    acting = evolve(anna.principal, device_id=anna.user.device_id)
    tokens = anna.engine.tokens

    named = await made(anna)
    own = await tokens.make(acting, TokenOrder())
    new = await made(anna, device_id=None, device=DeviceDescription(name="phone", os="Android"))
    nameless = await made(anna, device_id=None, name="backup")

    assert named.token.device_id == own.token.device_id == anna.user.device_id
    assert named.token.name == "laptop"
    devices = {each.id: each for each in await anna.engine.devices.list(anna.principal)}
    assert new.token.device_id is not None
    assert nameless.token.device_id is not None
    assert devices[new.token.device_id].os == "Android"
    assert (new.token.name, devices[nameless.token.device_id].name) == ("phone", "backup")
    for stranger in (bert.user.device_id, uuid4()):
        with pytest.raises(DeviceNotFound):
            await made(anna, device_id=stranger)


@pytest.mark.parametrize(
    ("field", "order"),
    [
        ("expires_in", {"expires_in": 0}),
        ("expires_in", {"expires_in": -1}),
        ("expires_in", {"expires_in": int(TokensConfig().lifetime) + 1}),
        ("name", {"name": "\0"}),
        ("device", {"device": DeviceDescription(name="phone")}),
        ("device.os", {"device_id": None, "device": DeviceDescription(os="x" * 1001)}),
    ],
)
@ensureDeferred
async def test_an_order_that_can_not_be_is_refused(
    people: People, field: str, order: dict[str, object]
) -> None:
    anna = await people.person()

    with pytest.raises(InvalidRequest) as refused:
        await made(anna, **order)

    assert refused.value.field == field
    assert await anna.engine.tokens.list(anna.principal) == ()


@ensureDeferred
async def test_who_holds_a_token_sees_and_revokes_that_one_and_no_other(people: People) -> None:
    anna, bert = await people.person(), await people.person()
    tokens = anna.engine.tokens
    mine, other, strangers = await made(anna), await made(anna), await made(bert)

    assert [each.id for each in await tokens.list(anna.principal)] == [
        mine.token.id,
        other.token.id,
    ]
    assert [each.id for each in await tokens.list(bearer(mine))] == [mine.token.id]
    for refused in (
        tokens.make(bearer(mine), TokenOrder()),
        tokens.revoke(bearer(mine), other.token.id),
        tokens.revoke_all(bearer(mine)),
        anna.engine.devices.revoke(evolve(bearer(mine), device_id=uuid4()), anna.user.device_id),
    ):
        with pytest.raises(Forbidden):
            await refused
    with pytest.raises(TokenNotFound):
        await tokens.revoke(anna.principal, strangers.token.id)
    await tokens.revoke(bearer(mine), mine.token.id)
    assert [each.id for each in await tokens.list(anna.principal)] == [other.token.id]
    with pytest.raises(TokenNotFound):
        await tokens.revoke(anna.principal, mine.token.id)


@ensureDeferred
async def test_what_a_sign_in_hangs_on_holds_until_it_is_revoked_or_expires(
    people: People, database: Database
) -> None:
    anna = await people.person()
    revoked, expired, kept = await made(anna), await made(anna), await made(anna)
    holds = anna.engine.sign_ins.holds
    assert all([await holds(bearer(each)) for each in (revoked, expired, kept)])

    await anna.engine.tokens.revoke(anna.principal, revoked.token.id)
    await database.query(
        "expire",
        "UPDATE token SET expires_at = now() - interval '1 ms' WHERE id = %s",
        [expired.token.id],
    )

    assert [await holds(bearer(each)) for each in (revoked, expired, kept)] == [False, False, True]
    assert await anna.engine.tokens.shown(expired.secret) is None
    assert await holds(anna.principal)
    assert not await holds(evolve(anna.principal, grant_id=uuid4()))


@ensureDeferred
async def test_a_revoked_device_can_do_nothing_and_is_shown_no_more(people: People) -> None:
    anna = await people.person()
    item = await anna.item(new("a"))
    token, other = await made(anna), await made(anna, device_id=None, name="other")
    engine, device_id = anna.engine, anna.user.device_id

    await engine.devices.revoke(anna.principal, device_id)

    assert device_id not in [each.id for each in await engine.devices.list(anna.principal)]
    assert [each.id for each in await engine.tokens.list(anna.principal)] == [other.token.id]
    assert await engine.tokens.shown(token.secret) is None
    acting = evolve(anna.principal, device_id=device_id)
    assert not await engine.sign_ins.holds(acting)
    for refused in (
        anna.commit(new("b")),
        engine.devices.update(anna.principal, device_id, DeviceDescription(name="back")),
        engine.devices.check_acting(acting),
        engine.devices.revoke(anna.principal, device_id),
        made(anna),
    ):
        with pytest.raises(DeviceNotFound):
            await refused
    versions = await engine.versions.of(anna.principal, item.id)
    assert [each.device_id for each in versions] == [device_id]


@ensureDeferred
async def test_a_revoked_device_does_not_come_back_by_a_repeated_registration(
    people: People,
) -> None:
    anna = await people.person()
    phone = DeviceDescription(name="phone")
    device = await anna.engine.devices.register(anna.principal, phone, request_id="1")
    await anna.engine.devices.revoke(anna.principal, device.id)

    with pytest.raises(Conflict, match="revoked"):
        await anna.engine.devices.register(anna.principal, phone, request_id="1")

    again = await anna.engine.devices.register(anna.principal, phone, request_id="2")
    assert again.id != device.id


@ensureDeferred
async def test_what_stands_for_requests_without_a_device_is_not_to_be_revoked(
    people: People,
) -> None:
    anna = await people.person()
    device_id = await anna.engine.devices.acting(anna.principal)

    with pytest.raises(Conflict, match="without a device"):
        await anna.engine.devices.revoke(anna.principal, device_id)

    assert await anna.engine.devices.own(anna.principal) == device_id


@ensureDeferred
async def test_an_account_has_so_many_tokens_and_no_more(
    people: People, database: Database
) -> None:
    anna = await people.person()
    most = TokensConfig().max_per_account
    first = await made(anna)
    await database.query(
        "fill",
        """
        INSERT INTO token (account_id, device_id, name, scope, secret_hash)
            SELECT %s, %s, 'x', 'sync', sha256(n::text::bytea) FROM generate_series(2, %s) n
        """,
        [anna.user.account.id, anna.user.device_id, most],
    )

    with pytest.raises(Conflict, match="revoke some"):
        await made(anna)

    await anna.engine.tokens.revoke(anna.principal, first.token.id)
    await made(anna)
    assert await anna.engine.tokens.revoke_all(anna.principal) == most
    assert await anna.engine.tokens.list(anna.principal) == ()


@ensureDeferred
async def test_who_may_only_read_changes_nothing(people: People) -> None:
    anna = await people.person()
    item = await anna.item(folder("f"))
    principal = bearer(await made(anna, scope=Scope.READ_ONLY))
    engine, workspace_id = anna.engine, anna.user.workspace_id

    assert await engine.items.get(principal, item.id, is_folder=True)
    for refused in (
        engine.commits.commit(principal, anna.request(new("b"))),
        engine.items.create_folder(principal, "g", None),
        engine.items.delete(principal, item.id, is_folder=True),
        engine.workspaces.update(principal, "1", workspace_id, name="x", parent_item_id=None),
        engine.proposals.propose(principal, item.id, ["x@example.org"]),
        engine.members.leave(principal, item.id),
        engine.devices.register(principal, DeviceDescription()),
    ):
        with pytest.raises(Forbidden, match="may only read"):
            await refused


@ensureDeferred
async def test_use_is_noted_but_not_every_time(people: People, database: Database) -> None:
    anna = await people.person()
    token = await made(anna)
    assert token.token.used_at is None

    async def used_at_after_use() -> object:
        assert await anna.engine.tokens.shown(token.secret) is not None
        return (await anna.engine.tokens.list(anna.principal))[0].used_at

    first = await used_at_after_use()
    assert first is not None
    assert await used_at_after_use() == first
    await database.query("age", "UPDATE token SET used_at = used_at - interval '11 minutes'")
    assert await used_at_after_use() not in (None, first)
