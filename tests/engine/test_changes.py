"""A device that was away is told what changed: parents first, nothing left out."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pytest_twisted import ensureDeferred

from stacksync.db.items import ChangedRow, ItemTable
from stacksync.engine import Engine
from stacksync.engine.access import Access
from stacksync.engine.changes import ChangeLog, parents_first
from stacksync.errors import CursorExpired, InvalidRequest
from stacksync.model import ItemShape
from tests.db.builders import World, change, delete, folder, new, rename
from tests.db.observation import Psql
from tests.engine.conftest import People, Person

SHAPE = ItemShape({name: name for name in ("id", "parent_id", "name", "status", "revision")})


async def since(engine: Engine, person: Person, revision: int | None) -> tuple[int, list[Any]]:
    told = await engine.changes.since(person.principal, person.user.workspace_id, revision, SHAPE)
    items = orjson.loads(told.items)
    assert told.count == len(items)
    assert told.workspace_id == person.user.workspace_id
    return told.revision, items


def names(items: list[Any]) -> list[str]:
    return [("-" if item["status"] == "DELETED" else "") + item["name"] for item in items]


@st.composite
def forests(draw: st.DrawFn) -> list[ChangedRow]:
    """Rows of trees, parts of which may be missing, in any order and with any ids."""
    count = draw(st.integers(0, 30))
    ids = draw(st.lists(st.integers(1, 10**6), min_size=count, max_size=count, unique=True))
    rows: list[ChangedRow] = []
    for place, identity in enumerate(ids):
        known = st.sampled_from(ids[:place]) if place else st.none()
        parent = draw(st.one_of(st.none(), known, st.integers(2 * 10**6, 3 * 10**6)))
        rows.append((identity, parent, str(identity), 1))
    kept = [row for row in rows if draw(st.integers(0, 9))]
    return draw(st.permutations(kept))


@settings(max_examples=150, deadline=None)
@given(forests())
def test_every_parent_comes_before_its_children_and_nothing_is_lost(
    rows: list[ChangedRow],
) -> None:
    ordered = [int(text) for text in parents_first(rows)]
    assert sorted(ordered) == sorted(row[0] for row in rows)
    place = {identity: number for number, identity in enumerate(ordered)}
    for identity, parent, _, _ in rows:
        assert parent not in place or place[parent] < place[identity]


def test_a_deep_chain_is_no_matter_whichever_end_comes_first() -> None:
    count = 50_000
    for direction in (1, -1):
        chain = [(n, n - direction if n != count // 2 else None, str(n), 1) for n in range(count)]
        ordered = parents_first(chain)
        assert len(ordered) == count


def test_a_cycle_is_told_rather_than_dropped() -> None:
    rows = [(1, 2, "1", 1), (2, 1, "2", 1), (3, None, "3", 1)]
    assert sorted(parents_first(rows)) == ["1", "2", "3"]


@ensureDeferred
async def test_a_new_workspace_has_nothing_to_tell(engine: Engine, people: People) -> None:
    anna = await people.person()
    for revision in (None, 0):
        assert await since(engine, anna, revision) == (0, [])


@ensureDeferred
async def test_a_device_hears_what_happened_since_it_left(engine: Engine, people: People) -> None:
    anna = await people.person()
    docs, a = await anna.items(folder("docs", temp_id=1), new("a", 1))  # 1
    await anna.items(new("b", docs))  # 2
    outside = await anna.item(new("outside"))  # 3
    await anna.items(delete(a), new("a", docs))  # 4
    await anna.items(rename(docs, "papers"))  # 5
    whole = ["papers", "outside", "b", "a"]
    assert sorted(names((await since(engine, anna, 0))[1])) == sorted(whole)
    revision, items = await since(engine, anna, None)
    assert (revision, sorted(names(items))) == (5, sorted([*whole, "-a"]))
    assert names(items)[0] == "papers"
    revision, items = await since(engine, anna, 2)
    assert (revision, names(items)) == (5, ["papers", "-a", "outside", "a"])
    assert await since(engine, anna, 5) == (5, [])
    await anna.items(delete(outside))
    assert names((await since(engine, anna, 5))[1]) == ["-outside"]


@ensureDeferred
async def test_what_moved_into_a_younger_folder_comes_after_it(
    engine: Engine, people: People
) -> None:
    anna = await people.person()
    old, older = await anna.items(new("a"), folder("b"))
    young, _ = await anna.items(folder("young", temp_id=1), change(older, parent_id=1))
    await anna.items(change(old, parent_id=older.id))
    for revision in (None, 0, 1):
        assert names((await since(engine, anna, revision))[1]) == ["young", "b", "a"]
    assert young.id > older.id > old.id


@ensureDeferred
async def test_a_cursor_beyond_the_latest_or_before_the_oldest_has_expired(
    engine: Engine, people: People, psql: Psql
) -> None:
    anna = await people.person()
    for number in range(3):
        await anna.items(new(f"file {number}"))
    psql.rows("UPDATE workspace SET oldest_revision = 2 WHERE id = %s", anna.user.workspace_id)
    for expired in (1, 4, 2**63 - 1):
        with pytest.raises(CursorExpired, match=f"not since {expired}: ask for the") as caught:
            await since(engine, anna, expired)
        assert (caught.value.oldest, caught.value.latest) == (2, 3)
    for good, count in ((None, 3), (0, 3), (2, 1), (3, 0)):
        assert len((await since(engine, anna, good))[1]) == count


@ensureDeferred
async def test_what_is_no_revision_is_refused(engine: Engine, people: People) -> None:
    anna = await people.person()
    for wrong in (-1, 2**63):
        with pytest.raises(InvalidRequest, match=f"since: {wrong} is not a revision"):
            await since(engine, anna, wrong)


class Interrupted(ItemTable):
    """Something happens after the workspace was looked up and before its items are read."""

    meanwhile: Callable[[], Awaitable[object]]

    async def changed(
        self, workspace_id: UUID, since: int | None, shape: ItemShape
    ) -> list[ChangedRow]:
        await self.meanwhile()
        return await super().changed(workspace_id, since, shape)


@ensureDeferred
async def test_a_commit_while_changes_are_read_is_told_with_them_or_next_time(
    engine: Engine, people: People, world: World
) -> None:
    anna = await people.person()
    table = Interrupted(world.database)
    changes = ChangeLog(table, Access(world.workspaces, table))
    await anna.items(new("first"))
    known: dict[int, str] = {}

    async def catch_up(revision: int) -> int:
        told = await changes.since(anna.principal, anna.user.workspace_id, revision, SHAPE)
        for item in orjson.loads(told.items):
            known[item["id"]] = item["name"]
            if item["status"] == "DELETED":
                del known[item["id"]]
        return told.revision

    async def come() -> None:
        fleeting.append(await anna.item(new("fleeting")))

    async def go() -> None:
        await anna.items(delete(fleeting.pop()))

    async def nothing() -> None:
        pass

    fleeting: list[Any] = []
    table.meanwhile = come
    cursor = await catch_up(0)
    assert list(known.values()) == ["first", "fleeting"]
    await go()
    cursor = await catch_up(cursor)
    assert len(fleeting) == 1
    table.meanwhile = go
    await anna.items(new("second"))
    cursor = await catch_up(cursor)
    table.meanwhile = nothing
    await catch_up(cursor)
    assert list(known.values()) == ["first", "second"]
