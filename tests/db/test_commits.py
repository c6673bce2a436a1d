"""What a commit makes of new items, new versions and restored items."""

from __future__ import annotations

import pytest
from attrs import evolve
from pytest_twisted import ensureDeferred

from stacksync.model import Item, ItemStatus, Refusal
from tests.db.builders import (
    NOON,
    World,
    change,
    committed,
    delete,
    folder,
    move,
    new,
    refusals,
    rename,
)

LARGEST = 2**63 - 1


@ensureDeferred
async def test_a_new_file_is_told_as_it_was_sent(world: World) -> None:
    anna = await world.user()
    sent = new("Müller 🙂.txt", size=3, checksum=-(2**63), mimetype="a/b", chunks=("b", "a", "b"))
    result = await world.commit(anna, sent, request_id="one")
    (outcome,) = result.outcomes
    assert outcome.change == sent
    assert outcome.problem is None
    item = committed(outcome)
    assert item == Item(
        id=item.id,
        workspace_id=anna.workspace_id,
        version=1,
        revision=1,
        status=ItemStatus.NEW,
        parent_id=None,
        parent_version=None,
        is_folder=False,
        name="Müller 🙂.txt",
        size=3,
        checksum=-(2**63),
        mimetype="a/b",
        chunks=("b", "a", "b"),
        device_id=anna.device_id,
        modified_at=NOON,
    )
    assert (result.workspace_id, result.device_id) == (anna.workspace_id, anna.device_id)
    assert (result.request_id, result.revision, result.repeated) == ("one", 1, False)
    assert (result.quota_used, result.quota_limit) == (3, 10**9)


@ensureDeferred
async def test_what_a_new_item_leaves_out_is_empty(world: World) -> None:
    anna = await world.user()
    bare = new("bare", size=None, checksum=None, mimetype=None, chunks=None)
    item = await world.item(anna, bare)
    assert (item.size, item.checksum, item.mimetype, item.chunks) == (0, 0, None, ())
    item = await world.item(anna, evolve(bare, name="barer", is_folder=None))
    assert not item.is_folder


@ensureDeferred
async def test_a_folder_has_no_size_and_no_chunks_whatever_is_said(world: World) -> None:
    anna = await world.user()
    made = await world.item(anna, folder("docs", size=7, chunks=("chk",)))
    assert (made.size, made.chunks) == (0, ())
    renamed = await world.item(anna, change(made, name="papers", size=8, chunks=("chk",)))
    assert (renamed.name, renamed.size, renamed.chunks) == ("papers", 0, ())
    assert await world.quota_used(anna) == 0


@ensureDeferred
async def test_a_batch_may_put_items_into_folders_that_it_makes(world: World) -> None:
    anna = await world.user()
    docs, taxes, letter, note = await world.items(
        anna,
        folder("docs"),
        folder("taxes"),
        new("letter"),
        new("note"),
        parents={1: 0, 2: 1},
    )
    assert (taxes.parent_id, letter.parent_id, note.parent_id) == (docs.id, taxes.id, None)
    assert letter.parent_version == 1
    assert {item.revision for item in (docs, taxes, letter, note)} == {1}


@ensureDeferred
async def test_a_later_version_keeps_what_it_does_not_mention(world: World) -> None:
    anna = await world.user()
    first = await world.item(anna, new("a"))
    second = await world.item(anna, change(first, size=25, chunks=("x", "y"), checksum=9))
    assert second == evolve(
        first,
        version=2,
        revision=2,
        status=ItemStatus.CHANGED,
        size=25,
        chunks=("x", "y"),
        checksum=9,
    )
    third = await world.item(anna, rename(second, "b"))
    assert third == evolve(second, version=3, revision=3, status=ItemStatus.RENAMED, name="b")
    fourth = await world.item(anna, change(third, mimetype="image/png", chunks=(), size=0))
    assert (fourth.name, fourth.mimetype, fourth.chunks) == ("b", "image/png", ())
    assert await world.quota_used(anna) == 0


@ensureDeferred
async def test_an_item_moves_into_a_folder_and_back_to_the_root(world: World) -> None:
    anna = await world.user()
    docs, letter = await world.items(anna, folder("docs"), new("letter"))
    docs = await world.item(anna, rename(docs, "papers"))
    moved = await world.item(anna, move(letter, docs))
    assert (moved.parent_id, moved.parent_version, moved.status) == (docs.id, 2, ItemStatus.MOVED)
    back = await world.item(anna, move(moved, None, name="old letter"))
    assert (back.parent_id, back.parent_version, back.name) == (None, None, "old letter")


@ensureDeferred
async def test_a_folder_may_be_moved_into_one_that_the_same_batch_makes(world: World) -> None:
    anna = await world.user()
    docs = await world.item(anna, folder("docs"))
    archive, moved = await world.items(anna, folder("archive"), move(docs, None), parents={1: 0})
    assert moved.parent_id == archive.id


@ensureDeferred
async def test_one_batch_may_make_several_versions_of_an_item(world: World) -> None:
    anna = await world.user()
    first = await world.item(anna, new("a"))
    second, third = await world.items(
        anna, change(first, size=20), change(first, version=3, size=30)
    )
    assert (second.version, second.size, third.version, third.size) == (2, 20, 3, 30)
    assert second.revision == third.revision == 2
    assert await world.quota_used(anna) == 30


@ensureDeferred
async def test_names_may_be_swapped_by_way_of_a_third(world: World) -> None:
    anna = await world.user()
    a, b = await world.items(anna, new("a"), new("b"))
    _, now_a, now_b = await world.items(
        anna, rename(a, "c"), rename(b, "a"), change(a, version=3, name="b")
    )
    assert (now_a.id, now_a.name, now_b.id, now_b.name) == (b.id, "a", a.id, "b")


@ensureDeferred
async def test_a_deleted_item_comes_back_with_its_next_version(world: World) -> None:
    anna = await world.user(quota=100)
    docs, _ = await world.items(anna, folder("docs"), new("letter", size=60), parents={1: 0})
    gone_docs, gone_letter = await world.items(anna, delete(docs))
    result = await world.commit(anna, change(gone_letter))
    assert refusals(result) == [Refusal.PARENT_NOT_FOUND]
    restored = await world.item(anna, change(gone_letter, parent_id=None))
    assert (restored.version, restored.status, restored.size) == (3, ItemStatus.CHANGED, 60)
    assert await world.quota_used(anna) == 60
    # The folder comes back without its content, which is elsewhere by now.
    await world.item(anna, change(gone_docs, ItemStatus.NEW))
    assert await world.quota_used(anna) == 60


@ensureDeferred
async def test_a_name_is_free_again_after_a_deletion_and_then_not_for_its_old_owner(
    world: World,
) -> None:
    anna = await world.user()
    old = await world.item(anna, new("a"))
    (deleted,) = await world.items(anna, delete(old))
    successor = await world.item(anna, new("a"))
    result = await world.commit(anna, change(deleted))
    assert refusals(result) == [Refusal.NAME_TAKEN]
    restored = await world.item(anna, change(deleted, name="a (restored)"))
    assert (restored.id, successor.id) == (old.id, restored.id + 1)


@ensureDeferred
async def test_restoring_is_charged_and_refused_beyond_the_quota(world: World) -> None:
    anna = await world.user(quota=100)
    old = await world.item(anna, new("old", size=60))
    (deleted,) = await world.items(anna, delete(old))
    await world.item(anna, new("young", size=60))
    result = await world.commit(anna, change(deleted))
    assert refusals(result) == [Refusal.QUOTA]
    assert result.quota_used == 60
    restored = await world.item(anna, change(deleted, size=40))
    assert restored.size == 40
    assert await world.quota_used(anna) == 100


@ensureDeferred
async def test_growing_is_charged_and_shrinking_freed(world: World) -> None:
    anna = await world.user(quota=100)
    first = await world.item(anna, new("a", size=60))
    result = await world.commit(anna, change(first, size=101))
    assert refusals(result) == [Refusal.QUOTA]
    assert (result.quota_used, result.outcomes[0].item) == (60, first)
    second = await world.item(anna, change(first, size=100))
    third = await world.item(anna, change(second, size=5))
    assert await world.quota_used(anna) == 5
    assert third.version == 3


@ensureDeferred
async def test_who_is_over_his_quota_may_still_shrink_rename_and_delete(
    world: World,
) -> None:
    anna = await world.user(quota=100)
    a, b = await world.items(anna, new("a", size=60), new("b", size=40))
    await world.accounts.update(anna.account.id, None, None, 50)
    result = await world.commit(anna, new("c", size=1), new("empty", size=0))
    assert refusals(result) == [Refusal.QUOTA, None]
    a = await world.item(anna, rename(a, "a2"))
    a = await world.item(anna, change(a, size=59))
    assert refusals(await world.commit(anna, change(a, size=60))) == [Refusal.QUOTA]
    await world.items(anna, delete(b))
    assert await world.quota_used(anna) == 59


@ensureDeferred
@pytest.mark.parametrize("quota", [0, 1, LARGEST])
async def test_the_largest_numbers_are_counted_right(world: World, quota: int) -> None:
    anna = await world.user(quota=quota)
    result = await world.commit(
        anna,
        new("one", size=1),
        new("all", size=LARGEST),
        new("nearly all", size=LARGEST - 1),
        new("none", size=0),
        new("all again", size=LARGEST),
    )
    fitting = {0: [0, 0, 0, 1, 0], 1: [1, 0, 0, 1, 0], LARGEST: [1, 0, 1, 1, 0]}[quota]
    assert [int(outcome.committed) for outcome in result.outcomes] == fitting
    assert result.quota_used == quota
    assert await world.quota_used(anna) == quota
    if quota == LARGEST:
        one, nearly_all = committed(result.outcomes[0]), committed(result.outcomes[2])
        result = await world.commit(anna, change(one, size=2), change(nearly_all, size=LARGEST))
        assert refusals(result) == [Refusal.QUOTA, Refusal.QUOTA]
        await world.items(anna, delete(nearly_all))
        one = await world.item(anna, change(one, size=LARGEST))
        assert await world.quota_used(anna) == LARGEST


@ensureDeferred
async def test_shrinking_makes_room_within_the_same_batch(world: World) -> None:
    anna = await world.user(quota=100)
    a = await world.item(anna, new("a", size=100))
    result = await world.commit(anna, new("b", size=50), change(a, size=50), new("c", size=50))
    assert refusals(result) == [Refusal.QUOTA, None, None]
    assert result.quota_used == 100


@ensureDeferred
async def test_a_commit_of_which_all_is_refused_makes_no_revision(world: World) -> None:
    anna = await world.user()
    first = await world.item(anna, new("a"))
    result = await world.commit(anna, new("a"), change(first, version=7))
    assert refusals(result) == [Refusal.NAME_TAKEN, Refusal.STALE]
    assert result.revision == 1
    second = await world.item(anna, new("b"))
    assert second.revision == 2
