"""Items are read as they are now, as they changed, and as they were."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import orjson
from attrs import evolve, fields
from pytest_twisted import ensureDeferred

from stacksync.db.items import ItemTable
from stacksync.model import Item, ItemOutcome, ItemShape, Refusal
from tests.db.builders import NOON, User, World, change, delete, folder, new, rename

SHAPE = ItemShape({attribute.name: attribute.name for attribute in fields(Item)})


async def told(world: World, user: User, since: int | None) -> list[dict[str, Any]]:
    rows = await ItemTable(world.database).changed(user.workspace_id, since, SHAPE)
    items = [orjson.loads(text) for _, _, text, _ in rows]
    for (identity, parent, _, _), item in zip(rows, items, strict=True):
        assert (identity, parent) == (item["id"], item["parent_id"])
    return items


async def names(world: World, user: User, since: int | None) -> set[str]:
    return {
        ("-" if item["status"] == "DELETED" else "") + item["name"]
        for item in await told(world, user, since)
    }


@ensureDeferred
async def test_an_item_is_told_with_all_that_is_known_of_it(world: World) -> None:
    anna = await world.user()
    docs, file = await world.items(
        anna, folder("docs"), new('Mü"\\ller\n🙂', chunks=("b", "a")), parents={1: 0}
    )
    items = {item["id"]: item for item in await told(world, anna, 0)}
    assert items[file.id] == {
        "id": file.id,
        "workspace_id": str(anna.workspace_id),
        "version": 1,
        "revision": 1,
        "status": "NEW",
        "parent_id": docs.id,
        "parent_version": 1,
        "is_folder": False,
        "name": 'Mü"\\ller\n🙂',
        "size": 10,
        "checksum": -7,
        "mimetype": "text/plain",
        "chunks": ["b", "a"],
        "device_id": str(anna.device_id),
        "modified_at": "2026-11-21T12:00:00.123Z",
    }
    assert items[docs.id]["chunks"] is None


@ensureDeferred
async def test_the_shape_decides_what_is_told_and_under_which_names(world: World) -> None:
    anna = await world.user()
    item = await world.item(anna, new("a"))
    shape = ItemShape({"name": 'file"name', "modified_at": "modifiedAt", "parent_id": "in order"})
    ((_, _, text, revision),) = await ItemTable(world.database).changed(
        anna.workspace_id, None, shape
    )
    assert text == ('{"file\\"name":"a","modifiedAt":"2026-11-21T12:00:00.123Z","in order":null}')
    assert revision == item.revision


@ensureDeferred
async def test_instants_are_told_in_milliseconds_from_the_first_year_to_the_last(
    world: World,
) -> None:
    anna = await world.user()
    for year, text in ((1, "0001"), (9999, "9999")):
        moment = NOON.replace(year=year, microsecond=7999)
        (item,) = await world.items(anna, evolve(new(f"year {year}"), modified_at=moment))
        assert item.modified_at == moment
        (found,) = [i for i in await told(world, anna, 0) if i["id"] == item.id]
        assert found["modified_at"] == f"{text}-11-21T12:00:00.007Z"


@ensureDeferred
async def test_changes_since_a_revision_are_what_one_who_was_there_has_to_know(
    world: World,
) -> None:
    anna = await world.user()
    docs, a, b, c = await world.items(  # 1
        anna, folder("docs"), new("a"), new("b"), new("c"), parents={1: 0}
    )
    await world.items(anna, new("short-lived"))  # 2
    await world.items(anna, delete(b))  # 3
    (short_lived,) = [i for i in await told(world, anna, None) if i["name"] == "short-lived"]
    gone = evolve(c, id=short_lived["id"], version=1, parent_id=None)
    await world.items(anna, delete(gone))  # 4
    c = await world.item(anna, rename(c, "c2"))  # 5
    await world.items(anna, delete(docs))  # 6
    await world.items(anna, change(a, version=3, parent_id=None))  # 7
    everything = {"-docs", "a", "-b", "c2", "-short-lived"}
    assert await names(world, anna, None) == everything
    assert await names(world, anna, 0) == {"a", "c2"}
    assert await names(world, anna, 1) == everything - {"-short-lived"}
    assert await names(world, anna, 2) == everything
    assert await names(world, anna, 3) == everything - {"-b"}
    assert await names(world, anna, 4) == {"-docs", "a", "c2"}
    assert await names(world, anna, 5) == {"-docs", "a"}
    assert await names(world, anna, 6) == {"a"}
    assert await names(world, anna, 7) == set()


@ensureDeferred
async def test_one_workspace_does_not_show_in_another(world: World) -> None:
    anna, berta = await world.user(), await world.user()
    await world.items(anna, new("hers"))
    await world.items(berta, new("mine"))
    assert await names(world, berta, None) == {"mine"}
    assert await names(world, evolve(anna, workspace_id=uuid4()), None) == set()


@ensureDeferred
async def test_versions_are_told_newest_first_as_each_was_committed(world: World) -> None:
    anna = await world.user()
    docs, first = await world.items(anna, folder("docs"), new("a"))
    second = await world.item(anna, change(first, parent_id=docs.id, size=20, chunks=("x", "y")))
    third = await world.item(anna, rename(second, "b"))
    fourth = await world.item(anna, delete(third))
    versions = await ItemTable(world.database).versions(anna.account.id, first.id)
    assert versions == (fourth, third, second, first)


@ensureDeferred
async def test_versions_are_told_to_members_only(world: World) -> None:
    anna, berta = await world.user(), await world.user()
    item = await world.item(anna, new("a"))
    table = ItemTable(world.database)
    assert await table.versions(berta.account.id, item.id) == ()
    assert await table.versions(anna.account.id, 2**62) == ()
    shared = await world.workspace(anna, "viewer", of=berta)
    await world.database.query(
        "join",
        "INSERT INTO membership (account_id, workspace_id, role, mount_name)"
        " VALUES (%s, %s, 'owner', 'mine')",
        [anna.account.id, shared],
    )
    seen = await world.item(anna, new("a"), workspace_id=shared)
    assert await table.versions(berta.account.id, seen.id) == (seen,)


@ensureDeferred
async def test_the_newest_state_comes_with_the_workspace_as_its_member_sees_it(
    world: World,
) -> None:
    anna, berta = await world.user(), await world.user()
    table = ItemTable(world.database)
    item = await world.item(anna, rename(await world.item(anna, new("a")), "b"))
    held = await table.held(anna.account.id, item.id)
    assert held is not None
    assert held.item == item
    assert held.workspace == await world.workspaces.of_member(anna.account.id, anna.workspace_id)
    assert held.workspace.owner.quota_used == 10
    gone = await world.item(anna, delete(item))
    held = await table.held(anna.account.id, item.id)
    assert held is not None
    assert held.item == gone
    assert await table.held(berta.account.id, item.id) is None
    assert await table.held(anna.account.id, 2**62) is None


@ensureDeferred
async def test_one_version_is_told_to_members_only(world: World) -> None:
    anna, berta = await world.user(), await world.user()
    table = ItemTable(world.database)
    first = await world.item(anna, new("a"))
    second = await world.item(anna, change(first, size=20))
    assert await table.version(anna.account.id, first.id, 1) == first
    assert await table.version(anna.account.id, first.id, 2) == second
    assert await table.version(anna.account.id, first.id, 3) is None
    assert await table.version(berta.account.id, first.id, 1) is None


@ensureDeferred
async def test_what_a_request_made_is_told_to_its_account_only(world: World) -> None:
    anna, berta = await world.user(), await world.user()
    table = ItemTable(world.database)
    docs, _ = await world.items(anna, folder("docs"), new("a"), parents={1: 0}, request_id="r 1")
    refused = await world.commit(anna, new("docs"), new("b"), request_id="r 2")
    nothing = await world.commit(anna, evolve(change(docs), id=2**62), request_id="r 3")
    (gone, *_) = await world.items(anna, delete(docs), request_id="r 4")

    async def made(request_id: str, user: User = anna) -> ItemOutcome | None:
        return await table.made_by(user.account.id, anna.device_id, request_id)

    assert await made("r 1") == ItemOutcome(None, docs, None)
    assert await made("r 2") == ItemOutcome(Refusal.NAME_TAKEN, docs, None)
    assert refused.outcomes[0].item == docs
    assert await made("r 3") == ItemOutcome(Refusal.NOT_FOUND, None, None)
    assert nothing.outcomes[0].item is None
    assert await made("r 4") == ItemOutcome(None, gone, None)
    assert await made("r 5") is None
    assert await made("r 1", berta) is None


@ensureDeferred
async def test_a_live_item_is_found_by_its_name(world: World) -> None:
    anna, berta = await world.user(), await world.user()
    table = ItemTable(world.database)
    docs, a, other = await world.items(
        anna, folder("docs"), new("a"), new("a", size=1), parents={1: 0}
    )
    assert await table.live_named(anna.workspace_id, docs.id, "a") == a
    assert await table.live_named(anna.workspace_id, None, "a") == other
    assert await table.live_named(anna.workspace_id, docs.id, "A") is None
    assert await table.live_named(berta.workspace_id, None, "a") is None
    await world.items(anna, delete(a))
    assert await table.live_named(anna.workspace_id, docs.id, "a") is None
