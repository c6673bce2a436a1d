"""What a commit refuses, what it tells of it, and what it commits all the same."""

from __future__ import annotations

from uuid import uuid4

import pytest
from attrs import evolve
from pytest_twisted import ensureDeferred

from stacksync.db.commits import RequestRefused
from stacksync.model import ItemStatus, Refusal
from tests.db.builders import World, change, delete, folder, move, new, refusals, rename


@ensureDeferred
async def test_only_the_version_after_the_newest_is_taken(world: World) -> None:
    anna = await world.user()
    first = await world.item(anna, new("a"))
    second = await world.item(anna, change(first, size=20))
    for version in (1, 2, 4, 2**63 - 1):
        for status in ItemStatus:
            result = await world.commit(anna, change(first, status, version=version))
            assert refusals(result) == [Refusal.STALE]
            assert result.outcomes[0].item == second


@ensureDeferred
async def test_of_two_new_items_of_one_name_the_first_wins_and_is_told(world: World) -> None:
    anna = await world.user()
    docs = await world.item(anna, folder("docs"))
    for parent in (None, docs):
        winner = await world.item(anna, new("a", parent))
        for second in (new("a", parent), folder("a", parent)):
            result = await world.commit(anna, second)
            assert refusals(result) == [Refusal.NAME_TAKEN]
            assert result.outcomes[0].item == winner
    result = await world.commit(anna, new("b"), new("b"))
    assert refusals(result) == [None, Refusal.NAME_TAKEN]
    assert result.outcomes[1].item == result.outcomes[0].item


@ensureDeferred
async def test_a_taken_name_can_be_had_neither_by_renaming_nor_by_moving(world: World) -> None:
    anna = await world.user()
    docs, a, b = await world.items(anna, folder("docs"), new("a"), new("b"))
    inner = await world.item(anna, new("a", docs))
    for taking, held in (
        (rename(b, "a"), b),
        (rename(b, "docs"), b),
        (move(a, docs), a),
        (move(inner, None), inner),
        (move(b, docs, name="a"), b),
        (rename(docs, "a"), docs),
    ):
        result = await world.commit(anna, taking)
        assert refusals(result) == [Refusal.NAME_TAKEN]
        assert result.outcomes[0].item == held
    await world.item(anna, rename(a, "a"))


@ensureDeferred
async def test_names_that_only_look_alike_are_different(world: World) -> None:
    anna = await world.user()
    names = ["a", "A", "ä", "a\u0308", "a ", " a", "a\n", "%", "_", "\\", "'", '"', "a" * 255]
    items = await world.items(anna, *(new(name) for name in names))
    assert [item.name for item in items] == names
    again = await world.commit(anna, *(new(name) for name in names))
    assert set(refusals(again)) == {Refusal.NAME_TAKEN}


@ensureDeferred
async def test_an_item_of_another_workspace_is_not_found(world: World) -> None:
    anna, berta = await world.user(), await world.user()
    hers = await world.item(berta, new("a"))
    elsewhere = await world.workspace(anna)
    own = await world.item(anna, new("a"), workspace_id=elsewhere)
    for unknown in (hers, own, evolve(hers, id=2**62)):
        for each in (change(unknown), delete(unknown), rename(unknown, "b"), move(unknown, None)):
            result = await world.commit(anna, each)
            assert refusals(result) == [Refusal.NOT_FOUND]
            assert result.outcomes[0].item is None


@ensureDeferred
async def test_a_parent_has_to_be_a_live_folder_of_the_workspace(world: World) -> None:
    anna, berta = await world.user(), await world.user()
    hers = await world.item(berta, folder("docs"))
    elsewhere = await world.item(anna, folder("docs"), workspace_id=await world.workspace(anna))
    file, gone, mine = await world.items(anna, new("file"), folder("gone"), new("mine"))
    await world.items(anna, delete(gone))
    for parent in (hers, elsewhere, file, gone, mine, 2**62, 0, -1):
        result = await world.commit(anna, new("b", parent), move(mine, parent))
        assert refusals(result) == [Refusal.PARENT_NOT_FOUND] * 2
        assert [outcome.item for outcome in result.outcomes] == [None, mine]


@ensureDeferred
async def test_a_folder_deleted_earlier_in_the_batch_is_no_parent_any_more(world: World) -> None:
    anna = await world.user()
    docs = await world.item(anna, folder("docs"))
    result = await world.commit(anna, delete(docs), new("a", docs))
    assert refusals(result) == [None, Refusal.PARENT_NOT_FOUND]


@ensureDeferred
async def test_a_folder_cannot_be_moved_into_itself_or_below(world: World) -> None:
    anna = await world.user()
    a, b, c = await world.items(anna, folder("a"), folder("b"), folder("c"), parents={1: 0, 2: 1})
    for folder_, into in ((a, a), (a, b), (a, c), (b, b), (b, c), (c, c)):
        result = await world.commit(anna, move(folder_, into, name="elsewhere"))
        assert refusals(result) == [Refusal.CYCLE]
        assert result.outcomes[0].item == folder_
    # Up, sideways and where it is already are fine; then down the other way.
    c = await world.item(anna, move(c, a))
    await world.item(anna, move(c, a))
    b = await world.item(anna, move(b, c))
    assert refusals(await world.commit(anna, move(c, b))) == [Refusal.STALE]
    c = evolve(c, version=3)
    assert refusals(await world.commit(anna, move(c, b))) == [Refusal.CYCLE]


@ensureDeferred
async def test_two_moves_of_one_batch_cannot_make_a_cycle_together(world: World) -> None:
    anna = await world.user()
    a, b = await world.items(anna, folder("a"), folder("b"))
    result = await world.commit(anna, move(a, b), move(b, a))
    assert refusals(result) == [None, Refusal.CYCLE]


@ensureDeferred
async def test_a_file_stays_a_file_and_a_folder_a_folder(world: World) -> None:
    anna = await world.user()
    file, docs = await world.items(anna, new("file"), folder("docs"))
    result = await world.commit(anna, change(file, is_folder=True), change(docs, is_folder=False))
    assert refusals(result) == [Refusal.KIND, Refusal.KIND]
    assert [outcome.item for outcome in result.outcomes] == [file, docs]
    await world.items(anna, change(file, is_folder=False), change(docs, is_folder=True))


@ensureDeferred
async def test_what_is_known_to_be_invalid_is_refused_with_its_problem(world: World) -> None:
    anna = await world.user()
    result = await world.commit(
        anna, new("a"), new("b/c"), new("d"), problems={1: "name: holds a slash"}
    )
    assert refusals(result) == [None, Refusal.INVALID, None]
    bad = result.outcomes[1]
    assert (bad.item, bad.problem, bad.change) == (None, "name: holds a slash", new("b/c"))


@ensureDeferred
@pytest.mark.parametrize("why", [Refusal.NAME_TAKEN, Refusal.PARENT_NOT_FOUND, Refusal.INVALID])
async def test_a_refused_folder_takes_its_dependants_along_and_nothing_else(
    world: World, why: Refusal
) -> None:
    anna = await world.user()
    await world.item(anna, new("taken"))
    bad = {
        Refusal.NAME_TAKEN: folder("taken"),
        Refusal.PARENT_NOT_FOUND: folder("astray", 2**62),
        Refusal.INVALID: folder(""),
    }[why]
    result = await world.commit(
        anna,
        folder("good"),
        bad,
        folder("below bad"),
        new("far below bad"),
        new("below good"),
        new("beside"),
        parents={2: 1, 3: 2, 4: 0},
        problems={1: "name: is empty"} if why is Refusal.INVALID else None,
    )
    lost = Refusal.DEPENDENCY
    assert refusals(result) == [None, why, lost, lost, None, None]
    assert (result.revision, result.quota_used) == (2, 30)


@ensureDeferred
async def test_an_item_cannot_move_into_a_folder_that_was_refused(world: World) -> None:
    anna = await world.user()
    a = await world.item(anna, new("a"))
    result = await world.commit(anna, folder("a"), move(a, None), parents={1: 0})
    assert refusals(result) == [Refusal.NAME_TAKEN, Refusal.DEPENDENCY]
    assert result.outcomes[1].item == a


@ensureDeferred
async def test_a_parent_that_is_a_file_of_the_same_batch_is_none(world: World) -> None:
    anna = await world.user()
    result = await world.commit(anna, new("a"), new("b"), parents={1: 0})
    assert refusals(result) == [None, Refusal.PARENT_NOT_FOUND]


@ensureDeferred
async def test_who_is_not_a_member_or_has_no_such_device_is_refused_as_a_whole(
    world: World,
) -> None:
    anna, berta = await world.user(), await world.user()
    for workspace_id in (berta.workspace_id, uuid4()):
        answer = await world.try_to(anna, new("a"), workspace_id=workspace_id)
        assert answer == RequestRefused("workspace")
    for device_id in (berta.device_id, uuid4()):
        answer = await world.try_to(anna, new("a"), device_id=device_id)
        assert answer == RequestRefused("device")
    assert (await world.item(berta, new("a"))).revision == 1


@ensureDeferred
async def test_a_guest_commits_by_his_role_and_on_the_owners_quota(world: World) -> None:
    anna, berta = await world.user(quota=100), await world.user(quota=10)
    read_only = await world.workspace(anna, "viewer", of=berta)
    shared = await world.workspace(anna, "editor", of=berta)
    answer = await world.try_to(berta, new("a"), workspace_id=read_only)
    assert answer == RequestRefused("role")
    result = await world.commit(berta, new("a", size=90), workspace_id=shared)
    assert (result.quota_limit, result.quota_used) == (100, 90)
    result = await world.commit(berta, new("b", size=11), workspace_id=shared)
    assert refusals(result) == [Refusal.QUOTA]
    # The account of another is no way in, either.
    answer = await world.try_to(berta, new("b"), workspace_id=shared, device_id=anna.device_id)
    assert answer == RequestRefused("device")
    assert await world.quota_used(berta) == 0
