"""The end of an account."""

from __future__ import annotations

import pytest
from pytest_twisted import ensureDeferred

from stacksync.engine import Engine
from stacksync.errors import AccountNotFound
from stacksync.events import Unshared
from stacksync.model import JobKind
from tests.db.builders import folder, new
from tests.db.observation import Psql
from tests.engine.conftest import Listener, People
from tests.engine.folders import shared, tree


@ensureDeferred
@pytest.mark.parametrize("keep_data", [False, True])
async def test_all_that_an_account_had_goes_and_what_others_have_stays(
    engine: Engine, people: People, psql: Psql, keep_data: bool
) -> None:
    anna, berta, carl = [await people.person() for _ in range(3)]
    photos, music = await anna.items(folder("Photos"), folder("Music"))
    (hers,) = await berta.items(folder("Hers"))
    await anna.items(new("a", photos))
    await berta.items(new("b", hers))
    await shared(anna, photos, berta)
    await shared(anna, music, berta)
    await shared(anna, music, carl)
    await shared(berta, hers, anna)
    psql.rows(
        "UPDATE account SET identity_id = %s, identity_is_ours = true WHERE id = %s",
        f"user {anna.user.account.id}", anna.user.account.id,
    )  # fmt: skip
    psql.rows("DELETE FROM job")
    await engine.accounts.remove(anna.user.account.id, keep_data=keep_data)
    assert await tree(berta) == {"Hers/": {"b": 10}}
    assert await tree(carl) == {}
    assert psql.value("SELECT count(*) FROM item WHERE id = %s", photos.id) == 0
    assert psql.value("SELECT count(*) FROM workspace WHERE root_item_id = %s", hers.id) == 0
    home = str(anna.user.workspace_id)
    kinds = psql.rows("SELECT kind FROM job WHERE arguments ->> 'container' = %s", home)
    assert (("remove-container",) in kinds) is not keep_data
    assert psql.rows("SELECT arguments ->> 'user_id' FROM job WHERE kind = 'remove-identity'") == [
        (f"user {anna.user.account.id}",)
    ]
    with pytest.raises(AccountNotFound):
        await engine.accounts.remove(anna.user.account.id, keep_data=keep_data)


@ensureDeferred
async def test_guests_hear_that_the_owner_of_their_folder_is_gone(
    engine: Engine, people: People, listener: Listener
) -> None:
    anna, berta, carl = [await people.person() for _ in range(3)]
    (photos,) = await anna.items(folder("Photos"))
    await shared(anna, photos, berta)
    workspace = await shared(anna, photos, carl)
    await engine.accounts.remove(anna.user.account.id, keep_data=False)
    await engine.jobs.run_until_idle([JobKind.NOTIFY])
    told = {each.account_id: each for each in listener.events if isinstance(each, Unshared)}
    for guest in (berta, carl):
        ended = told[guest.user.account.id]
        assert (ended.workspace_id, ended.item_id) == (workspace.id, photos.id)
        assert ended.owner_name == anna.user.account.name


@ensureDeferred
async def test_a_guest_who_is_removed_leaves_the_others(engine: Engine, people: People) -> None:
    anna, berta, carl = [await people.person() for _ in range(3)]
    (photos,) = await anna.items(folder("Photos"))
    await shared(anna, photos, berta)
    await shared(anna, photos, carl)
    await engine.accounts.remove(berta.user.account.id, keep_data=False)
    assert len(await engine.members.list(carl.principal, photos.id)) == 2
    await engine.accounts.remove(carl.user.account.id, keep_data=False)
    assert await tree(anna) == {"Photos/": {}}
    assert len(await engine.workspaces.list(anna.principal)) == 1


@ensureDeferred
async def test_kept_data_are_those_of_shared_folders_too(
    engine: Engine, people: People, psql: Psql
) -> None:
    anna, berta = [await people.person() for _ in range(2)]
    (photos,) = await anna.items(folder("Photos"))
    await anna.items(new("a", photos))
    workspace = await shared(anna, photos, berta)
    psql.rows("DELETE FROM job")

    await engine.accounts.remove(anna.user.account.id, keep_data=True)

    assert psql.rows("SELECT * FROM job WHERE kind = 'remove-container'") == []
    assert [each.id for each in await engine.workspaces.list(berta.principal)] == [
        berta.user.workspace_id
    ]
    closed = psql.rows("SELECT arguments ->> 'container' FROM job WHERE kind = 'container'")
    assert {(workspace.container,), (str(anna.user.workspace_id),)} <= set(closed)


@ensureDeferred
async def test_who_shared_a_folder_ends_it_for_all_and_they_hear_of_it(
    engine: Engine, people: People, psql: Psql
) -> None:
    anna, berta, carl = [await people.person() for _ in range(3)]
    (photos,) = await anna.items(folder("Photos"))
    (hers,) = await berta.items(new("hers"))
    await shared(anna, photos, berta)
    await shared(anna, photos, carl)
    await engine.items.relocate(
        berta.principal, hers.id, is_folder=False, name=None, parent_id=photos.id
    )
    psql.rows("DELETE FROM job")
    await engine.accounts.remove(anna.user.account.id, keep_data=False)
    told = psql.rows(
        "SELECT queue, (arguments ->> 'item_id')::bigint FROM job"
        " WHERE arguments ->> 'event' = 'unshare'"
    )
    guests = [f"notify:{each.user.account.id}" for each in (berta, carl)]
    assert sorted(told) == sorted((queue, photos.id) for queue in guests)
    assert await tree(berta) == {}
    assert (await engine.accounts.of(berta.principal)).quota_used == 0
    assert psql.value("SELECT count(*) FROM item WHERE id = ANY (%s)", [photos.id, hers.id]) == 0
