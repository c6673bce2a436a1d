"""Subtrees that go to another workspace."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import orjson
from pytest_twisted import ensureDeferred

from stacksync.db.database import Transaction
from stacksync.db.items import ItemTable
from stacksync.db.locks import locked
from stacksync.db.moves import Move, Moved, MoveRefused, move_subtree
from stacksync.model import Item, ItemShape, ItemStatus, Refusal
from tests.db.builders import User, World, change, delete, folder, new, number, rename
from tests.db.observation import Psql

SHAPE = ItemShape({"id": "id", "version": "version", "status": "status", "parent_id": "parent_id"})


async def move_to(
    world: World, item: Item, source: User, target: User, **others: Any
) -> Moved | MoveRefused:
    """What became of moving an item from one user's workspace to the other's root."""
    values = {
        "item_id": item.id,
        "source_id": source.workspace_id,
        "target_id": target.workspace_id,
        "parent_id": None,
        "name": item.name,
        "mounts_of": None,
        "device_id": source.device_id,
        "request_id": f"move-{number()}",
        **others,
    }

    async def work(transaction: Transaction) -> Moved | MoveRefused:
        await locked(transaction, [values["source_id"], values["target_id"]])
        return await move_subtree(transaction, Move(**values))

    return await world.database.transaction("move", work)


async def moved(world: World, item: Item, source: User, target: User, **others: Any) -> Moved:
    answer = await move_to(world, item, source, target, **others)
    assert isinstance(answer, Moved), answer
    return answer


async def told(world: World, workspace_id: UUID, since: int | None) -> dict[int, str]:
    """The status of each item that changed since a revision."""
    rows = await ItemTable(world.database).changed(workspace_id, since, SHAPE)
    return {row[0]: orjson.loads(row[2])["status"] for row in rows}


async def revision_of(world: World, user: User) -> int:
    workspace = await world.workspaces.of_member(user.account.id, user.workspace_id)
    assert workspace is not None
    return workspace.latest_revision


@ensureDeferred
async def test_all_that_is_below_goes_along_live_or_deleted_with_its_history(world: World) -> None:
    anna, berta = await world.user(), await world.user()
    top = await world.item(anna, folder("top"))
    inner = await world.item(anna, folder("inner", top))
    file, gone = await world.items(anna, new("file", inner), new("gone", inner))
    await world.items(anna, rename(file, "renamed"))
    await world.items(anna, delete(gone))
    other = await world.item(anna, new("other"))
    answer = await moved(world, top, anna, berta)
    assert answer.items == 4
    assert answer.size == 10
    assert answer.item.status is ItemStatus.MOVED
    assert (answer.item.version, answer.item.workspace_id) == (2, berta.workspace_id)
    items = ItemTable(world.database)
    assert await items.held(anna.account.id, file.id) is None
    versions = await items.versions(berta.account.id, file.id)
    assert [each.name for each in versions] == ["renamed", "renamed", "file"]
    assert [each.status.value for each in versions] == ["MOVED", "RENAMED", "NEW"]
    trashed = await items.held(berta.account.id, gone.id)
    assert trashed is not None
    assert trashed.item.status is ItemStatus.DELETED
    assert await world.quota_used(anna) == other.size
    assert await world.quota_used(berta) == 10


@ensureDeferred
async def test_who_was_there_before_is_told_that_it_is_gone(world: World) -> None:
    anna, berta = await world.user(), await world.user()
    top = await world.item(anna, folder("top"))
    before = await revision_of(world, anna)
    file = await world.item(anna, new("file", top))
    middle = await revision_of(world, anna)
    await moved(world, top, anna, berta)
    assert await told(world, anna.workspace_id, middle) == {top.id: "DELETED", file.id: "DELETED"}
    # Who has not heard of the file need not hear that it is gone.
    assert await told(world, anna.workspace_id, before) == {top.id: "DELETED"}
    assert await told(world, anna.workspace_id, 0) == {}
    assert await told(world, berta.workspace_id, 0) == {top.id: "MOVED", file.id: "MOVED"}


@ensureDeferred
async def test_what_comes_back_is_no_departure_and_its_end_is_told_to_who_knew_it(
    world: World,
) -> None:
    anna, berta = await world.user(), await world.user()
    top = await world.item(anna, folder("top"))
    known = await revision_of(world, anna)
    await moved(world, top, anna, berta)
    back = await moved(world, top, berta, anna)
    assert await told(world, anna.workspace_id, known) == {top.id: "MOVED"}
    assert await told(world, berta.workspace_id, 1) == {top.id: "DELETED"}
    await world.items(anna, delete(back.item))
    assert await told(world, anna.workspace_id, known) == {top.id: "DELETED"}


@ensureDeferred
async def test_what_went_with_one_deletion_is_restored_with_it_elsewhere(world: World) -> None:
    anna, berta = await world.user(), await world.user()
    top, inner = await world.items(anna, folder("top"), folder("inner"), parents={1: 0})
    file = await world.item(anna, new("file", inner))
    await world.items(anna, delete(inner))
    await moved(world, top, anna, berta)
    back = await world.items(berta, change(inner, version=4, parent_id=top.id, restores=True))
    assert {item.id for item in back} == {inner.id, file.id}
    assert await world.quota_used(berta) == 10


@ensureDeferred
async def test_a_taken_name_and_a_small_quota_refuse_the_whole(world: World) -> None:
    anna, berta = await world.user(), await world.user(quota=9)
    top, file = await world.items(anna, folder("top"), new("file"), parents={1: 0})
    refused = await move_to(world, top, anna, berta)
    assert refused == MoveRefused(Refusal.QUOTA, None)
    taken = await world.item(berta, folder("top"))
    refused = await move_to(world, top, anna, berta)
    assert refused == MoveRefused(Refusal.NAME_TAKEN, taken.id)
    assert await told(world, anna.workspace_id, 0) == {top.id: "NEW", file.id: "NEW"}


@ensureDeferred
async def test_chunks_of_all_versions_are_to_be_copied_and_from_where_they_may_be(
    world: World, psql: Psql
) -> None:
    anna, berta, carl = [await world.user() for _ in range(3)]
    top = await world.item(anna, folder("top"))
    file = await world.item(anna, new("file", top, chunks=("chk-a", "chk-b")))
    await world.items(anna, change(file, chunks=("chk-c",), size=3))

    def owed(user: User) -> set[tuple[str, str]]:
        rows = psql.rows(
            "SELECT name, source FROM chunk_copy WHERE container = %s", str(user.workspace_id)
        )
        return {(str(name), str(source)) for name, source in rows}

    await moved(world, top, anna, berta)
    first = {(name, str(anna.workspace_id)) for name in ("chk-a", "chk-b", "chk-c")}
    assert owed(berta) == first
    await moved(world, top, berta, carl)
    assert owed(carl) == first | {(name, str(berta.workspace_id)) for name, _ in first}
    await moved(world, top, carl, anna)
    assert owed(anna) == {
        (name, str(user.workspace_id)) for name, _ in first for user in (berta, carl)
    }
