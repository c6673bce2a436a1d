"""What was deleted can be seen and comes back, a folder with its content."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import orjson
import pytest
from attrs import evolve
from pytest_twisted import ensureDeferred
from twisted.internet.defer import Deferred, gatherResults

from stacksync.engine import Engine
from stacksync.errors import (
    Conflict,
    Forbidden,
    InvalidRequest,
    ItemNotFound,
    NameTaken,
    ParentNotFound,
    QuotaExceeded,
    VersionMismatch,
)
from stacksync.model import Item, ItemShape, ItemStatus, Order, Paging
from tests.db.builders import NOON, World, change, delete, folder, new
from tests.engine.conftest import Listener, People, Person
from tests.engine.two_members import put, shared_workspace

SHAPE = ItemShape({"name": "name"})
NEWEST_FIRST = Paging(100, order=Order.MODIFIED, descending=True)


async def trash(who: Person) -> list[str]:
    page = await who.engine.trash.list(who.principal, NEWEST_FIRST, SHAPE)
    return [item["name"] for item in orjson.loads(page.items)]


async def restore(who: Person, item: Item, **options: Any) -> Item:
    options = {"name": None, "parent_id": None, **options}
    return await who.engine.trash.restore(
        who.principal, item.id, is_folder=item.is_folder, **options
    )


@ensureDeferred
async def test_deleted_items_are_told_newest_first_without_what_went_along(people: People) -> None:
    anna = await people.person()
    docs, file, kept = await anna.items(folder("docs"), new("file"), folder("kept"))
    await anna.items(new("within", docs), new("live", kept))
    for item, when in ((file, NOON), (docs, NOON + timedelta(milliseconds=1))):
        await anna.items(evolve(delete(item), modified_at=when))
    assert await trash(anna) == ["docs", "file"]
    assert await trash(await people.person()) == []


@ensureDeferred
async def test_a_file_comes_back_as_it_was(
    engine: Engine, people: People, listener: Listener
) -> None:
    anna = await people.person()
    docs = await anna.item(folder("docs"))
    file = await anna.item(new("file", docs, size=7, chunks=("x", "y")))
    await anna.items(delete(file))
    back = await restore(anna, file)
    assert (back.status, back.version) == (ItemStatus.CHANGED, 3)
    assert (back.name, back.parent_id, back.size, back.chunks) == ("file", docs.id, 7, ("x", "y"))
    assert listener.results[-1].quota_used == 7
    assert await trash(anna) == []


@ensureDeferred
async def test_a_folder_comes_back_with_its_content_and_devices_are_told_once(
    engine: Engine, people: People, listener: Listener
) -> None:
    anna = await people.person()
    docs = await anna.item(folder("docs"))
    inner = await anna.item(folder("inner", docs))
    await anna.items(new("a", inner), new("b", docs))
    await engine.items.delete(anna.principal, docs.id, is_folder=True)
    before = len(listener.results)
    back = await restore(anna, docs, name="papers", parent_id=0)
    assert (back.name, back.version) == ("papers", 3)
    (result,) = listener.results[before:]
    assert {outcome.item.name for outcome in result.outcomes if outcome.item} == {
        "papers", "inner", "a", "b",
    }  # fmt: skip
    assert result.quota_used == 20


@ensureDeferred
async def test_an_item_whose_folder_is_deleted_comes_back_elsewhere(
    engine: Engine, people: People
) -> None:
    anna = await people.person()
    docs = await anna.item(folder("docs"))
    file = await anna.item(new("file", docs))
    await anna.items(delete(docs))
    with pytest.raises(ParentNotFound) as caught:
        await restore(anna, file)
    assert caught.value.identity == docs.id
    back = await restore(anna, file, parent_id=0)
    assert (back.parent_id, back.status) == (None, ItemStatus.CHANGED)
    # What came back alone is not there twice when the folder does.
    await restore(anna, docs)
    assert (await engine.items.get(anna.principal, file.id, is_folder=False)) == back


@ensureDeferred
async def test_what_cannot_come_back_stays_in_the_trash(engine: Engine, people: People) -> None:
    anna = await people.person(quota=20)
    docs = await anna.item(folder("docs"))
    file = await anna.item(new("file", docs, size=15))
    await engine.items.delete(anna.principal, docs.id, is_folder=True)
    other, _ = await anna.items(folder("docs"), new("filler", size=5))
    with pytest.raises(NameTaken) as caught:
        await restore(anna, docs)
    assert caught.value.current == other
    with pytest.raises(InvalidRequest, match=r"^name: "):
        await restore(anna, docs, name="a/b")
    with pytest.raises(ParentNotFound):
        await restore(anna, docs, name="x", parent_id=file.id)
    with pytest.raises(VersionMismatch):
        await restore(anna, docs, name="x", expected=1)
    await anna.items(new("more", size=1))
    for item in (docs, file):
        with pytest.raises(QuotaExceeded, match=r"^of the quota of 20 bytes 14 are left"):
            await restore(anna, item, name="x", parent_id=0)
    with pytest.raises(ItemNotFound):
        await engine.trash.restore(
            anna.principal, docs.id, is_folder=False, name="x", parent_id=None
        )
    assert await trash(anna) == ["docs"]


@ensureDeferred
async def test_what_is_not_deleted_is_not_restored(engine: Engine, people: People) -> None:
    anna = await people.person()
    file = await anna.item(new("file"))
    with pytest.raises(Conflict, match="is not in the trash") as caught:
        await restore(anna, file)
    assert caught.value.current == file


@ensureDeferred
async def test_a_repeated_restore_is_answered_as_the_first_time(
    engine: Engine, people: People
) -> None:
    anna = await people.person()
    docs = await anna.item(folder("docs"))
    await anna.items(new("a", docs))
    await anna.items(delete(docs))
    first = await restore(anna, docs, request_id="restore", name="papers")
    await anna.items(change(first, name="renamed"))
    assert await restore(anna, docs, request_id="restore", name="papers") == first


@ensureDeferred
async def test_of_a_restore_and_something_of_the_same_name_one_succeeds(
    engine: Engine, people: People
) -> None:
    anna = await people.person()
    for turn in range(6):
        name = f"docs {turn}"
        docs = await anna.item(folder(name))
        await anna.items(new("a", docs))
        await anna.items(delete(docs))

        async def attempt(asking: Any) -> bool:
            try:
                await asking
            except NameTaken:
                return False
            return True

        asks = [restore(anna, docs), engine.items.create_folder(anna.principal, name, None)]
        if turn % 2:
            asks.reverse()
        done = await gatherResults([Deferred.fromCoroutine(attempt(ask)) for ask in asks])
        assert sorted(done) == [False, True]


@ensureDeferred
async def test_of_two_restores_at_once_the_second_finds_it_done(
    engine: Engine, people: People
) -> None:
    anna = await people.person()
    docs = await anna.item(folder("docs"))
    await anna.items(new("a", docs))
    await anna.items(delete(docs))

    async def attempt() -> int | None:
        try:
            return (await restore(anna, docs)).version
        except Conflict:
            return None

    done = await gatherResults([Deferred.fromCoroutine(attempt()) for _ in range(2)])
    assert set(done) == {None, 3}


@ensureDeferred
async def test_viewers_restore_nothing_and_strangers_find_nothing(
    engine: Engine, people: People, world: World
) -> None:
    anna, berta, clara = [await people.person() for _ in range(3)]
    shared = await shared_workspace(world, anna, berta, "viewer")
    file = await put(world, anna, shared, new("file"))
    await world.items(anna.user, delete(file), workspace_id=shared)
    with pytest.raises(Forbidden):
        await restore(berta, file)
    with pytest.raises(ItemNotFound):
        await restore(clara, file)
    assert (await restore(anna, file)).version == 3
