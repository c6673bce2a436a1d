"""A deleted folder comes back in one commit, with what its deletion took along."""

from __future__ import annotations

from attrs import evolve
from pytest_twisted import ensureDeferred

from stacksync.db.commits import RequestRefused
from stacksync.model import Item, ItemChange, ItemStatus, Refusal
from tests.db.builders import (
    User,
    World,
    change,
    committed,
    delete,
    folder,
    new,
    refusals,
    rename,
)

BACK = ItemStatus.CHANGED


def restore(item: Item, **fields: object) -> ItemChange:
    return change(item, restores=True, **fields)


async def tree(world: World, user: User) -> list[Item]:
    """docs / (old / letter), note: 7 bytes in all."""
    return await world.items(
        user,
        folder("docs"),
        folder("old"),
        new("letter", size=3),
        new("note", size=4),
        parents={1: 0, 2: 1, 3: 0},
    )


async def states(world: World, user: User) -> dict[str, ItemStatus]:
    rows = await world.database.query(
        "look", "SELECT name, status FROM item WHERE workspace_id = %s", [user.workspace_id]
    )
    return {name: ItemStatus(status) for name, status in rows}


@ensureDeferred
async def test_a_folder_comes_back_with_its_content_in_one_revision(world: World) -> None:
    anna = await world.user()
    docs, old, letter, note = await tree(world, anna)
    (gone, *_) = await world.items(anna, delete(docs))
    result = await world.commit(anna, restore(gone))
    items = [committed(outcome) for outcome in result.outcomes]
    assert [item.id for item in items] == [docs.id, old.id, note.id, letter.id]
    assert {(item.status, item.version, item.revision) for item in items} == {(BACK, 3, 3)}
    assert [item.parent_version for item in items] == [None, 3, 3, 3]
    assert [item.size for item in items] == [0, 0, 4, 3]
    assert [outcome.change is None for outcome in result.outcomes] == [False, True, True, True]
    assert (result.revision, result.quota_used) == (3, 7)
    assert evolve(items[3], version=1, revision=1, status=letter.status, parent_version=1) == letter


@ensureDeferred
async def test_a_folder_comes_back_elsewhere_under_another_name(world: World) -> None:
    anna = await world.user()
    docs, old, *_ = await tree(world, anna)
    attic = await world.item(anna, folder("attic"))
    (gone, *_) = await world.items(anna, delete(docs))
    back, first, *_ = await world.items(anna, restore(gone, name="papers", parent_id=attic.id))
    assert (back.id, back.name, back.parent_id, back.parent_version) == (
        docs.id, "papers", attic.id, 1,
    )  # fmt: skip
    assert (first.id, first.name, first.parent_id) == (old.id, "old", docs.id)


@ensureDeferred
async def test_what_was_deleted_before_its_folder_stays_deleted(world: World) -> None:
    anna = await world.user()
    docs, old, _, note = await tree(world, anna)
    await world.items(anna, delete(old))
    # A note of the same name was there to the end: it is that which comes back.
    await world.items(anna, delete(note), new("note", docs, size=1))
    (gone, *_) = await world.items(anna, delete(docs))
    back = await world.items(anna, restore(gone))
    assert [(item.name, item.size) for item in back] == [("docs", 0), ("note", 1)]


@ensureDeferred
async def test_of_two_that_one_batch_deletes_the_one_that_went_with_the_folder_is_back(
    world: World,
) -> None:
    anna = await world.user()
    docs, _, _, note = await tree(world, anna)
    result = await world.commit(anna, delete(note), new("note", docs, size=1), delete(docs))
    gone = committed(result.outcomes[2])
    back = await world.items(anna, restore(gone))
    assert sorted((item.name, item.size) for item in back) == [
        ("docs", 0), ("letter", 3), ("note", 1), ("old", 0),
    ]  # fmt: skip


@ensureDeferred
async def test_a_part_of_what_went_along_can_come_back_alone(world: World) -> None:
    anna = await world.user()
    docs, old, letter, _ = await tree(world, anna)
    (gone, *_) = await world.items(anna, delete(docs))
    back = await world.items(anna, restore(evolve(old, version=2), parent_id=None))
    assert [item.id for item in back] == [old.id, letter.id]
    assert await world.quota_used(anna) == 3
    back = await world.items(anna, restore(gone))
    assert [item.name for item in back] == ["docs", "note"]
    assert await world.quota_used(anna) == 7


@ensureDeferred
async def test_a_folder_that_was_deleted_again_in_the_trash_still_has_its_content(
    world: World,
) -> None:
    anna = await world.user()
    docs, old, *_ = await tree(world, anna)
    await world.items(anna, delete(docs))
    (gone,) = await world.items(anna, delete(evolve(docs, version=2)))
    await world.items(anna, delete(evolve(old, version=2)))
    assert len(await world.items(anna, restore(gone))) == 4


@ensureDeferred
async def test_a_folder_restored_deleted_and_restored_is_whole_each_time(world: World) -> None:
    anna = await world.user()
    (item, *_) = await tree(world, anna)
    for turn in range(3):
        (gone, *others) = await world.items(anna, delete(item))
        assert len(others) == 3
        assert await world.quota_used(anna) == 0
        (item, *others) = await world.items(anna, restore(gone))
        assert [other.version for other in others] == [3 + 2 * turn] * 3
        assert await world.quota_used(anna) == 7


@ensureDeferred
async def test_a_plain_change_brings_back_the_folder_alone_and_its_content_one_by_one(
    world: World,
) -> None:
    anna = await world.user()
    docs, old, letter, note = await tree(world, anna)
    (gone, *_) = await world.items(anna, delete(docs))
    (docs,) = await world.items(anna, change(gone))
    rows = await world.database.query(
        "look", "SELECT id, deleted_with FROM item WHERE status = 'DELETED' AND workspace_id = %s",
        [anna.workspace_id],
    )  # fmt: skip
    assert dict(rows) == {old.id: None, note.id: None, letter.id: old.id}
    back = await world.items(anna, restore(evolve(old, version=2)))
    assert [item.id for item in back] == [old.id, letter.id]
    (file,) = await world.items(anna, restore(evolve(note, version=2)))
    assert (file.status, file.parent_id, file.size) == (BACK, docs.id, 4)


@ensureDeferred
async def test_of_a_live_item_there_is_nothing_to_restore(world: World) -> None:
    anna = await world.user()
    docs, *_ = await tree(world, anna)
    (same,) = await world.items(anna, restore(docs))
    assert (same.status, same.version) == (BACK, 2)


@ensureDeferred
async def test_the_quota_allows_all_that_comes_back_or_nothing(world: World) -> None:
    anna = await world.user(quota=10)
    docs, *_ = await tree(world, anna)
    (gone, *_) = await world.items(anna, delete(docs))
    filler = await world.item(anna, new("filler", size=4))
    before = await states(world, anna)
    result = await world.commit(anna, restore(gone))
    assert refusals(result) == [Refusal.QUOTA]
    assert (result.revision, result.quota_used) == (filler.revision, 4)
    assert result.outcomes[0].item == gone
    assert await states(world, anna) == before
    await world.items(anna, change(filler, size=3))
    result = await world.commit(anna, restore(gone))
    assert (len(result.outcomes), result.quota_used) == (4, 10)


@ensureDeferred
async def test_an_empty_folder_comes_back_even_when_the_quota_is_used_up(world: World) -> None:
    anna = await world.user(quota=10)
    gone = await world.item(anna, delete(await world.item(anna, folder("empty"))))
    await world.items(anna, new("filler", size=10))
    assert len(await world.items(anna, restore(gone))) == 1


@ensureDeferred
async def test_a_restore_that_does_not_fit_the_tree_is_refused(world: World) -> None:
    anna = await world.user()
    docs, old, letter, _ = await tree(world, anna)
    (gone, *_) = await world.items(anna, delete(docs))
    await world.items(anna, folder("docs"), new("file"))
    result = await world.commit(
        anna,
        restore(gone),
        restore(evolve(gone, version=1)),
        restore(gone, name="x", parent_id=old.id),
        restore(gone, name="x", parent_id=2**62),
        restore(evolve(letter, version=2)),
    )
    assert refusals(result) == [
        Refusal.NAME_TAKEN, Refusal.STALE, *[Refusal.PARENT_NOT_FOUND] * 3,
    ]  # fmt: skip
    assert result.outcomes[0].item == gone
    assert len(await world.items(anna, restore(gone, name="docs 2"))) == 4


@ensureDeferred
async def test_a_batch_restores_beside_other_changes_and_into_what_it_makes(world: World) -> None:
    anna = await world.user()
    one, *_ = await tree(world, anna)
    (one, *_) = await world.items(anna, delete(one))
    two, *_ = await tree(world, anna)
    (two, *_) = await world.items(anna, delete(two))
    result = await world.commit(
        anna, folder("attic"), restore(one), restore(two), rename(evolve(one, version=3), "docs 1"),
        parents={1: 0, 2: 0},
    )  # fmt: skip
    assert refusals(result)[:4] == [None, None, Refusal.NAME_TAKEN, None]
    assert len(result.outcomes) == 4 + 3
    assert result.quota_used == 7


@ensureDeferred
async def test_a_repeat_is_recognised_and_another_request_is_not_taken_for_it(
    world: World,
) -> None:
    anna = await world.user()
    docs, *_ = await tree(world, anna)
    (gone, *_) = await world.items(anna, delete(docs))
    first = await world.commit(anna, restore(gone), request_id="restore")
    await world.items(anna, delete(committed(first.outcomes[0])))
    again = await world.commit(anna, restore(gone), request_id="restore")
    assert again == evolve(first, repeated=True, quota_used=0)
    for other in (change(gone), restore(gone, name="x"), delete(gone)):
        answer = await world.try_to(anna, other, request_id="restore")
        assert answer == RequestRefused("reused", recorded=4)


@ensureDeferred
async def test_the_repeat_of_a_refused_restore_is_refused_alike(world: World) -> None:
    anna = await world.user()
    docs, *_ = await tree(world, anna)
    (gone, *_) = await world.items(anna, delete(docs))
    other = await world.item(anna, folder("docs"))
    first = await world.commit(anna, restore(gone), request_id="refused")
    await world.items(anna, delete(other))
    again = await world.commit(anna, restore(gone), request_id="refused")
    assert again == evolve(first, repeated=True)


@ensureDeferred
async def test_a_large_folder_goes_and_comes_back_at_once(world: World) -> None:
    anna, count = await world.user(), 5001
    docs = await world.item(anna, folder("docs"))
    shelves = await world.items(anna, *(folder(f"shelf {n}", docs) for n in range(10)))
    for start in range(0, count, 1000):
        numbers = range(start, min(start + 1000, count))
        await world.items(anna, *(new(f"{n}", shelves[n % 10], size=n) for n in numbers))
    total = sum(range(count))
    assert await world.quota_used(anna) == total
    result = await world.commit(anna, delete(docs))
    assert (len(result.outcomes), result.quota_used) == (1 + 10 + count, 0)
    result = await world.commit(anna, restore(committed(result.outcomes[0])))
    assert (len(result.outcomes), result.quota_used) == (1 + 10 + count, total)
    assert len({committed(outcome).revision for outcome in result.outcomes}) == 1
