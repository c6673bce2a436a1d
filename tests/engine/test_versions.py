"""The history of an item is told newest first, also when the item is gone."""

from __future__ import annotations

import pytest
from pytest_twisted import ensureDeferred

from stacksync.engine import Engine
from stacksync.errors import ItemNotFound
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
