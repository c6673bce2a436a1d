"""The history of an item is told newest first, also when the item is gone."""

from __future__ import annotations

import pytest
from pytest_twisted import ensureDeferred

from stacksync.engine import Engine
from stacksync.errors import ItemNotFound, VersionNotFound
from tests.db.builders import change, delete, new
from tests.engine.conftest import People


@ensureDeferred
async def test_all_versions_are_told_newest_first(engine: Engine, people: People) -> None:
    anna = await people.person()
    first = await anna.item(new("a"))
    second = await anna.item(change(first, size=20))
    third = await anna.item(delete(second))
    assert await engine.versions.of(anna.principal, first.id) == (third, second, first)


@ensureDeferred
async def test_an_item_of_nobody_is_not_found(engine: Engine, people: People) -> None:
    anna = await people.person()
    with pytest.raises(ItemNotFound):
        await engine.versions.of(anna.principal, 2**62)


@ensureDeferred
async def test_one_version_is_told_as_it_was(engine: Engine, people: People) -> None:
    anna = await people.person()
    first = await anna.item(new("a"))
    second = await anna.item(change(first, size=20))
    third = await anna.item(delete(second))
    for version in (first, second, third):
        told = await engine.versions.one(anna.principal, first.id, version.version)
        assert told == version


@ensureDeferred
async def test_a_version_that_is_not_there_is_told_apart_from_an_item_that_is_not(
    engine: Engine, people: People
) -> None:
    anna, berta = await people.person(), await people.person()
    item = await anna.item(new("a"))
    for number in (2, 0, -1, 2**63):
        with pytest.raises(VersionNotFound) as caught:
            await engine.versions.one(anna.principal, item.id, number)
        assert caught.value.identity == number
    for who, identity in ((berta, item.id), (anna, 2**62), (anna, 0), (anna, 2**63)):
        with pytest.raises(ItemNotFound):
            await engine.versions.one(who.principal, identity, 1)
