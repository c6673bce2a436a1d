"""A folder and the trash are told page by page, each item once, in the order asked for."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import orjson
import pytest
from attrs import evolve, fields
from pytest_twisted import ensureDeferred

from stacksync.db.listings import Listings
from stacksync.errors import InvalidRequest
from stacksync.model import Item, ItemPage, ItemShape, Order, Paging
from tests.db.builders import NOON, User, World, change, committed, delete, folder, new, rename

SHAPE = ItemShape({attribute.name: attribute.name for attribute in fields(Item)})
EVERY_ORDER = [(order, descending) for order in Order for descending in (False, True)]

Told = list[dict[str, Any]]


class Reader:
    """Somebody who turns the pages of one folder, or of the trash."""

    def __init__(self, world: World, user: User, place: int | str | None = None) -> None:
        self.listings = Listings(world.database)
        self.workspace_id = user.workspace_id
        self.place = place

    async def page(self, paging: Paging, **options: Any) -> ItemPage:
        if self.place == "trash":
            return await self.listings.trash(self.workspace_id, paging, SHAPE)
        assert not isinstance(self.place, str)
        return await self.listings.contents(self.workspace_id, self.place, paging, SHAPE, **options)

    async def all(self, paging: Paging, **options: Any) -> Told:
        """Everything, page by page, each of which is as full as it can be."""
        told: Told = []
        while True:
            page = await self.page(paging, **options)
            items = orjson.loads(page.items)
            assert page.count == len(items)
            told.extend(items)
            if page.next is None:
                return told
            assert page.count == paging.limit
            paging = evolve(paging, after=page.next)


def names(told: Told) -> list[str]:
    return [item["name"] for item in told]


def sorted_as(told: Told, order: Order, descending: bool) -> Told:
    """The items as they should come; names without regard to how a database sorts them."""
    return sorted(told, key=lambda item: (item[order.value], item["id"]), reverse=descending)


@ensureDeferred
async def test_an_item_is_told_in_the_shape_asked_for(world: World) -> None:
    anna = await world.user()
    docs, file = await world.items(
        anna, folder("docs"), new('Mü"\\ller\n🙂', chunks=("b", "a")), parents={1: 0}
    )
    (told,) = await Reader(world, anna, docs.id).all(Paging(10))
    assert told == {
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
    page = await Listings(world.database).contents(
        anna.workspace_id, None, Paging(10), ItemShape({"name": 'file"name', "chunks": "chunks"})
    )
    assert page == ItemPage(b'[{"file\\"name":"docs","chunks":null}]', 1, None)


@ensureDeferred
async def test_a_folder_without_content_is_one_empty_page(world: World) -> None:
    anna = await world.user()
    for place in (None, 2**62, "trash"):
        assert await Reader(world, anna, place).page(Paging(10)) == ItemPage(b"[]", 0, None)


async def library(world: World, user: User) -> tuple[Item, Item]:
    """A folder in the root with 15 items, of which equals are many, and 8 deleted ones."""
    docs = await world.item(user, folder("docs"))
    made = await world.items(
        user,
        *(
            evolve(
                new(f"{'ab'[n % 2]}{n}", docs, size=n % 3),
                modified_at=NOON + timedelta(days=n % 4, microseconds=n % 2),
            )
            for n in range(20)
        ),
        *(new(f"beside {n}") for n in range(3)),
        folder("within", docs),
    )
    for item in made[5:10]:
        await world.items(user, delete(item))
    # The name of deleted items may be there again, and again deleted.
    again = await world.items(user, *(new(item.name, docs, size=1) for item in made[6:10]))
    await world.items(user, *(delete(item) for item in again[1:]))
    await world.items(user, delete(made[20]))
    return docs, made[-1]


@pytest.mark.parametrize(("order", "descending"), EVERY_ORDER)
@ensureDeferred
async def test_every_order_tells_each_item_once_whatever_the_length_of_a_page(
    world: World, order: Order, descending: bool
) -> None:
    anna = await world.user()
    docs, _ = await library(world, anna)
    for include_deleted in (False, True):
        for place in (docs.id, None):
            reader = Reader(world, anna, place)
            whole = Paging(100, order=order, descending=descending)
            told = await reader.all(whole, include_deleted=include_deleted)
            rows = await world.database.query(
                "look", "SELECT id FROM item WHERE workspace_id = %s AND parent_id"
                " IS NOT DISTINCT FROM %s AND (%s OR status <> 'DELETED')",
                [anna.workspace_id, place, include_deleted],
            )  # fmt: skip
            assert sorted(item["id"] for item in told) == sorted(identity for (identity,) in rows)
            if order is not Order.NAME:
                by_time = sorted_as(told, order, descending)
                assert [i[order.value] for i in told] == [i[order.value] for i in by_time]
            for limit in (1, 2, 3, 7, len(told) - 1, len(told)):
                paging = evolve(whole, limit=limit)
                assert await reader.all(paging, include_deleted=include_deleted) == told


@pytest.mark.parametrize("order", list(Order))
@ensureDeferred
async def test_descending_is_the_reverse(world: World, order: Order) -> None:
    anna = await world.user()
    docs, _ = await library(world, anna)
    for place in (docs.id, None, "trash"):
        reader = Reader(world, anna, place)
        up = await reader.all(Paging(4, order=order))
        down = await reader.all(Paging(4, order=order, descending=True))
        assert len(up) > 0
        assert up == down[::-1]


@ensureDeferred
async def test_names_come_in_the_order_of_the_database(world: World) -> None:
    anna = await world.user()
    some = ["b", "B", "a", "ä", "Z", "_", "10", "9", "ß", "ss", "ı", "🙂", " x", "x "]
    await world.items(anna, *(new(name) for name in some))
    rows = await world.database.query(
        "sort", "SELECT n FROM unnest(%s::text[]) n ORDER BY n", [some]
    )
    told = await Reader(world, anna).all(Paging(2))
    assert names(told) == [name for (name,) in rows]


@ensureDeferred
async def test_deleted_items_are_told_when_asked_for_only(world: World) -> None:
    anna = await world.user()
    docs, _ = await library(world, anna)
    reader = Reader(world, anna, docs.id)
    live = await reader.all(Paging(4))
    both = await reader.all(Paging(4), include_deleted=True)
    assert {item["status"] for item in live} == {"NEW"}
    assert [item for item in both if item["status"] != "DELETED"] == live
    assert len(both) == len(live) + 8


@ensureDeferred
async def test_what_comes_and_goes_between_two_pages_moves_nothing_else(world: World) -> None:
    anna = await world.user()
    items = await world.items(anna, *(new(name) for name in "bdfhj"))
    reader = Reader(world, anna)
    first = await reader.page(Paging(2))
    assert names(orjson.loads(first.items)) == ["b", "d"]
    # The very item that the page ended with is gone, and another stands before it.
    await world.items(anna, delete(items[1]), new("a"), new("e"), rename(items[4], "z"))
    rest = await reader.all(Paging(2, after=first.next))
    assert names(rest) == ["e", "f", "h", "z"]


@ensureDeferred
async def test_a_text_that_is_no_cursor_is_refused(world: World) -> None:
    anna = await world.user()
    for place in (None, "trash"):
        with pytest.raises(InvalidRequest) as caught:
            await Reader(world, anna, place).page(Paging(2, after="somewhere"))
        assert caught.value.field == "after"


@ensureDeferred
async def test_the_trash_shows_what_was_deleted_and_not_what_went_along(world: World) -> None:
    anna = await world.user()
    docs, _, letter, note, _ = await world.items(
        anna, folder("docs"), folder("old"), new("letter"), new("note"), new("live"),
        parents={1: 0, 2: 1, 3: 0},
    )  # fmt: skip
    moments = [NOON + timedelta(days=n) for n in range(3)]
    await world.items(anna, evolve(delete(letter), modified_at=moments[0]))
    await world.items(anna, evolve(delete(docs), modified_at=moments[2]))
    await world.items(
        anna, evolve(delete(await world.item(anna, new("x"))), modified_at=moments[1])
    )
    trash = Reader(world, anna, "trash")
    newest = Paging(2, order=Order.MODIFIED, descending=True)
    assert names(await trash.all(newest)) == ["docs", "x", "letter"]
    assert names(await trash.all(Paging(1))) == ["docs", "letter", "x"]
    # What comes back without its content leaves that in the trash.
    await world.items(anna, change(evolve(docs, version=2)))
    assert sorted(names(await trash.all(newest))) == ["letter", "note", "old", "x"]
    await world.items(anna, change(evolve(note, version=2)))
    assert sorted(names(await trash.all(newest))) == ["letter", "old", "x"]


@ensureDeferred
async def test_one_workspace_does_not_show_in_another(world: World) -> None:
    anna, berta = await world.user(), await world.user()
    gone, docs = await world.items(anna, new("gone"), folder("docs"))
    await world.items(anna, delete(gone), new("hers", docs))
    for place in (None, docs.id, "trash"):
        told = await Reader(world, berta, place).page(Paging(10), include_deleted=True)
        assert told.count == 0
    result = await world.commit(anna, delete(docs))
    assert committed(result.outcomes[0]).id == docs.id
