"""Files and folders one at a time: read, made, renamed, moved, deleted."""

from __future__ import annotations

from typing import Any

import pytest
from attrs import fields
from pytest_twisted import ensureDeferred
from twisted.internet.defer import Deferred, gatherResults

from stacksync.engine import Engine
from stacksync.errors import (
    FolderCycle,
    InvalidRequest,
    ItemDeleted,
    ItemNotFound,
    NameTaken,
    ParentNotFound,
    VersionMismatch,
)
from stacksync.model import Item, ItemStatus
from tests.db.builders import delete, folder, move, new, number
from tests.engine.conftest import Listener, People


def told(item: Item) -> dict[str, Any]:
    """What changes of an item that is renamed or moved, and what does not."""
    names = ("id", "name", "parent_id", "size", "chunks", "checksum", "mimetype")
    return {each.name: getattr(item, each.name) for each in fields(Item) if each.name in names}


@ensureDeferred
async def test_the_newest_state_is_told_of_live_and_of_deleted_items(
    engine: Engine, people: People
) -> None:
    anna = await people.person()
    docs, file = await anna.items(folder("docs"), new("file"))
    assert await engine.items.get(anna.principal, docs.id, is_folder=True) == docs
    assert await engine.items.get(anna.principal, file.id, is_folder=False) == file
    gone = await anna.item(delete(file))
    assert await engine.items.get(anna.principal, file.id, is_folder=False) == gone


@ensureDeferred
async def test_a_file_is_no_folder_and_a_folder_no_file(engine: Engine, people: People) -> None:
    anna = await people.person()
    items, me = engine.items, anna.principal
    for item in await anna.items(folder("docs"), new("file")):
        other = not item.is_folder
        for asking in (
            items.get(me, item.id, is_folder=other),
            items.relocate(me, item.id, is_folder=other, name="x", parent_id=None),
            items.delete(me, item.id, is_folder=other),
            items.delete(me, item.id, is_folder=other, expected=7),
        ):
            with pytest.raises(ItemNotFound):
                await asking


@ensureDeferred
async def test_a_folder_is_made_in_the_root_or_in_a_folder(
    engine: Engine, people: People, listener: Listener
) -> None:
    anna = await people.person()
    items, me = engine.items, anna.principal
    docs = await items.create_folder(me, "docs", None)
    assert (docs.name, docs.parent_id, docs.is_folder, docs.version) == ("docs", None, True, 1)
    assert (docs.workspace_id, docs.status) == (anna.user.workspace_id, ItemStatus.NEW)
    assert docs.modified_at.microsecond % 1000 == 0
    within = await items.create_folder(me, "within", docs.id)
    assert (within.parent_id, within.parent_version) == (docs.id, 1)
    beside = await items.create_folder(me, "beside", 0)
    assert beside.parent_id is None
    assert [result.revision for result in listener.results] == [1, 2, 3]


@ensureDeferred
async def test_a_folder_that_cannot_be_made_is_refused(engine: Engine, people: People) -> None:
    anna = await people.person()
    items, me = engine.items, anna.principal
    docs, file, gone = await anna.items(folder("docs"), new("file"), folder("gone"))
    await anna.items(delete(gone))
    for parent in (file.id, gone.id, 2**62, -1, 2**63):
        with pytest.raises(ParentNotFound):
            await items.create_folder(me, "x", parent)
    for name in ("docs", "file"):
        with pytest.raises(NameTaken) as caught:
            await items.create_folder(me, name, None)
        assert caught.value.current == (docs if name == "docs" else file)
    for name in ("", ".", "..", "a/b", "nul\0", "\ud800", "x" * 256):
        with pytest.raises(InvalidRequest) as invalid:
            await items.create_folder(me, name, None)
        assert invalid.value.field == "name"


@ensureDeferred
async def test_an_item_is_renamed_moved_and_both(engine: Engine, people: People) -> None:
    anna = await people.person()
    items, me = engine.items, anna.principal
    docs, *some = await anna.items(folder("docs"), new("file"), folder("within"))
    for item in some:
        what: dict[str, Any] = {"is_folder": item.is_folder}
        state = told(item)
        renamed = await items.relocate(me, item.id, name="new", parent_id=None, **what)
        assert (renamed.status, renamed.version) == (ItemStatus.RENAMED, 2)
        assert told(renamed) == {**state, "name": "new"}
        moved = await items.relocate(me, item.id, name=None, parent_id=docs.id, **what)
        assert (moved.status, moved.version) == (ItemStatus.MOVED, 3)
        assert told(moved) == {**state, "name": "new", "parent_id": docs.id}
        both = await items.relocate(me, item.id, name=item.name, parent_id=0, **what)
        assert (both.status, both.version) == (ItemStatus.MOVED, 4)
        assert told(both) == state


@ensureDeferred
async def test_what_stays_where_it_is_under_its_name_has_no_new_version(
    engine: Engine, people: People, listener: Listener
) -> None:
    anna = await people.person()
    docs = await anna.item(folder("docs"))
    file = await anna.item(new("file", docs))
    for name in (None, "file"):
        for parent in (None, docs.id):
            same = await engine.items.relocate(
                anna.principal, file.id, is_folder=False, name=name, parent_id=parent
            )
            assert same == file
    assert len(listener.results) == 2


@ensureDeferred
async def test_where_an_item_cannot_stand_it_is_not_moved(engine: Engine, people: People) -> None:
    anna, berta = await people.person(), await people.person()
    items, me = engine.items, anna.principal
    docs, file, gone = await anna.items(folder("docs"), new("file"), folder("gone"))
    inner = await anna.item(folder("inner", docs))
    _, taken = await anna.items(delete(gone), new("file", docs))
    foreign = await berta.item(folder("foreign"))
    for parent in (file.id, gone.id, foreign.id, 2**62, -1):
        with pytest.raises(ParentNotFound):
            await items.relocate(me, file.id, is_folder=False, name=None, parent_id=parent)
    for name, parent, in_the_way in ((None, docs.id, taken), ("docs", None, docs)):
        with pytest.raises(NameTaken) as caught:
            await items.relocate(me, file.id, is_folder=False, name=name, parent_id=parent)
        assert caught.value.current == in_the_way
    for parent in (docs.id, inner.id):
        with pytest.raises(FolderCycle):
            await items.relocate(me, docs.id, is_folder=True, name=None, parent_id=parent)
    with pytest.raises(InvalidRequest):
        await items.relocate(me, file.id, is_folder=False, name="a/b", parent_id=None)
    with pytest.raises(VersionMismatch) as caught:
        await items.relocate(me, file.id, is_folder=False, name="x", parent_id=None, expected=2)
    assert caught.value.current == file


@ensureDeferred
async def test_a_folder_is_deleted_with_all_that_is_in_it(
    engine: Engine, people: People, listener: Listener
) -> None:
    anna = await people.person()
    items, me = engine.items, anna.principal
    docs = await anna.item(folder("docs"))
    file = await anna.item(new("file", docs))
    gone = await items.delete(me, docs.id, is_folder=True, expected=1)
    assert (gone.id, gone.status, gone.version) == (docs.id, ItemStatus.DELETED, 2)
    state = await items.get(me, file.id, is_folder=False)
    assert (state.status, state.revision) == (ItemStatus.DELETED, gone.revision)
    assert len(listener.results[-1].outcomes) == 2
    for expected in (None, 2):
        with pytest.raises(ItemDeleted) as caught:
            await items.delete(me, docs.id, is_folder=True, expected=expected)
        assert caught.value.current == gone
    with pytest.raises(ItemDeleted):
        await items.relocate(me, file.id, is_folder=False, name="x", parent_id=0)


@ensureDeferred
async def test_a_repeat_is_answered_as_the_first_time(engine: Engine, people: People) -> None:
    anna = await people.person()
    items, me = engine.items, anna.principal
    attic = await items.create_folder(me, "attic", None)

    async def story() -> list[Item]:
        docs = await items.create_folder(me, "docs", attic.id, request_id="make")
        place: dict[str, Any] = {"is_folder": True, "name": "papers", "parent_id": 0}
        return [
            docs,
            await items.relocate(me, docs.id, **place, request_id="move"),
            await items.relocate(
                me, docs.id, is_folder=True, name="old", parent_id=None, request_id="rename"
            ),
            await items.delete(me, docs.id, is_folder=True, request_id="delete"),
        ]

    first = await story()
    assert [item.version for item in first] == [1, 2, 3, 4]
    await items.delete(me, attic.id, is_folder=True)
    assert await story() == first


@ensureDeferred
async def test_of_two_that_make_the_same_name_one_succeeds(engine: Engine, people: People) -> None:
    anna = await people.person()

    async def attempt(name: str) -> object:
        try:
            return await engine.items.create_folder(anna.principal, name, None)
        except NameTaken as error:
            return error.current

    for _ in range(5):
        name = f"docs {number()}"
        one, other = await gatherResults([Deferred.fromCoroutine(attempt(name)) for _ in range(2)])
        # The one that lost is told what stands in its way.
        assert one == other


@ensureDeferred
async def test_of_two_renames_at_once_both_are_made_one_after_the_other(
    engine: Engine, people: People
) -> None:
    anna = await people.person()
    for _ in range(5):
        file = await anna.item(new(f"file {number()}"))
        names = [f"file {number()}" for _ in range(2)]
        states = await gatherResults(
            [
                Deferred.fromCoroutine(
                    engine.items.relocate(
                        anna.principal, file.id, is_folder=False, name=name, parent_id=None
                    )
                )
                for name in names
            ]
        )
        assert sorted(state.version for state in states) == [2, 3]
        assert [state.name for state in states] == names


@ensureDeferred
async def test_what_is_made_while_its_folder_is_deleted_goes_with_it_or_is_refused(
    engine: Engine, people: People
) -> None:
    anna = await people.person()
    items, me = engine.items, anna.principal

    async def attempt(parent: Item) -> Item | None:
        try:
            return await items.create_folder(me, "within", parent.id)
        except ParentNotFound:
            return None

    for turn in range(6):
        docs = await anna.item(folder(f"docs {number()}"))
        works = [items.delete(me, docs.id, is_folder=True), attempt(docs)]
        if turn % 2:
            works.reverse()
        results = await gatherResults([Deferred.fromCoroutine(work) for work in works])
        made = results[1 - turn % 2]
        if made is not None:
            state = await items.get(me, made.id, is_folder=True)
            assert state.status is ItemStatus.DELETED


@ensureDeferred
async def test_a_move_and_a_move_against_it_make_no_cycle(engine: Engine, people: People) -> None:
    anna = await people.person()

    async def attempt(item: Item, parent: Item) -> bool:
        try:
            await engine.items.relocate(
                anna.principal, item.id, is_folder=True, name=None, parent_id=parent.id
            )
        except FolderCycle:
            return False
        return True

    for _ in range(5):
        a, b = await anna.items(folder(f"a {number()}"), folder(f"b {number()}"))
        done = await gatherResults(
            [Deferred.fromCoroutine(attempt(a, b)), Deferred.fromCoroutine(attempt(b, a))]
        )
        assert sorted(done) == [False, True]


@ensureDeferred
async def test_what_a_device_moves_is_where_it_moved_it(engine: Engine, people: People) -> None:
    anna = await people.person()
    docs, file = await anna.items(folder("docs"), new("file"))
    await anna.items(move(file, docs))
    renamed = await engine.items.relocate(
        anna.principal, file.id, is_folder=False, name="new", parent_id=None
    )
    assert (renamed.parent_id, renamed.version) == (docs.id, 3)
