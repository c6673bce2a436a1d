"""What is in a folder is told page by page, to those who may see it."""

from __future__ import annotations

import orjson
import pytest
from attrs import evolve
from pytest_twisted import ensureDeferred

from stacksync.engine import Engine
from stacksync.engine.items import LONGEST_PAGE
from stacksync.errors import InvalidRequest, ItemNotFound
from stacksync.model import ItemPage, ItemShape, Order, Paging
from tests.db.builders import World, delete, folder, new
from tests.engine.conftest import People
from tests.engine.two_members import put, shared_workspace

SHAPE = ItemShape({"name": "filename", "size": "size"})


def names(page: ItemPage) -> list[str]:
    return [item["filename"] for item in orjson.loads(page.items)]


@ensureDeferred
async def test_the_root_and_a_folder_are_told(engine: Engine, people: People) -> None:
    anna = await people.person()
    docs = await anna.item(folder("docs"))
    _, _, gone = await anna.items(
        new("a", docs, size=3), new("b", docs, size=2), new("c", docs, size=1)
    )
    await anna.items(delete(gone))
    contents, me = engine.items.contents, anna.principal
    for root in (None, 0):
        assert await contents(me, root, Paging(10), SHAPE) == ItemPage(
            b'[{"filename":"docs","size":0}]', 1, None
        )
    assert names(await contents(me, docs.id, Paging(10), SHAPE)) == ["a", "b"]
    by_size = Paging(2, order=Order.SIZE)
    page = await contents(me, docs.id, by_size, SHAPE, include_deleted=True)
    assert names(page) == ["c", "b"]
    page = await contents(
        me, docs.id, evolve(by_size, after=page.next), SHAPE, include_deleted=True
    )
    assert (names(page), page.next) == (["a"], None)


@ensureDeferred
async def test_a_deleted_folder_has_deleted_content_only(engine: Engine, people: People) -> None:
    anna = await people.person()
    docs = await anna.item(folder("docs"))
    await anna.items(new("a", docs))
    await anna.items(delete(docs))
    contents, me = engine.items.contents, anna.principal
    assert names(await contents(me, docs.id, Paging(10), SHAPE)) == []
    page = await contents(me, docs.id, Paging(10), SHAPE, include_deleted=True)
    assert names(page) == ["a"]


@ensureDeferred
async def test_viewers_may_look_and_strangers_find_nothing(
    engine: Engine, people: People, world: World
) -> None:
    anna, berta, clara = [await people.person() for _ in range(3)]
    shared = await shared_workspace(world, anna, berta, "viewer")
    docs = await put(world, anna, shared, folder("docs"))
    file = await put(world, anna, shared, new("a", docs))
    page = await engine.items.contents(berta.principal, docs.id, Paging(10), SHAPE)
    assert names(page) == ["a"]
    for identity in (docs.id, file.id, 2**62, -1, 2**63):
        with pytest.raises(ItemNotFound):
            await engine.items.contents(clara.principal, identity, Paging(10), SHAPE)
    with pytest.raises(ItemNotFound):
        await engine.items.contents(anna.principal, file.id, Paging(10), SHAPE)


@ensureDeferred
async def test_a_page_that_makes_no_sense_is_refused(engine: Engine, people: People) -> None:
    anna = await people.person()
    for limit in (0, -1, LONGEST_PAGE + 1):
        for asking in (
            engine.items.contents(anna.principal, None, Paging(limit), SHAPE),
            engine.trash.list(anna.principal, Paging(limit), SHAPE),
        ):
            with pytest.raises(InvalidRequest, match=r"^limit: "):
                await asking
    for asking in (
        engine.items.contents(anna.principal, None, Paging(10, after="x"), SHAPE),
        engine.trash.list(anna.principal, Paging(10, after="x"), SHAPE),
    ):
        with pytest.raises(InvalidRequest, match=r"^after: "):
            await asking
