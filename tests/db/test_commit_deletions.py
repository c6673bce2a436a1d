"""A deleted folder takes its content with it, in one revision."""

from __future__ import annotations

from attrs import evolve
from pytest_twisted import ensureDeferred

from stacksync.model import Item, ItemStatus, Refusal
from tests.db.builders import (
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

GONE = ItemStatus.DELETED


def deleted(item: Item, revision: int) -> Item:
    return evolve(item, version=item.version + 1, revision=revision, status=GONE)


@ensureDeferred
async def test_a_deleted_file_keeps_what_it_was_and_frees_its_size(world: World) -> None:
    anna = await world.user()
    a, _ = await world.items(anna, new("a", size=7), new("b", size=5))
    result = await world.commit(anna, delete(a))
    assert [committed(outcome) for outcome in result.outcomes] == [deleted(a, 2)]
    assert result.quota_used == 5


@ensureDeferred
async def test_what_a_deletion_says_beside_counts_for_nothing(world: World) -> None:
    anna = await world.user()
    a = await world.item(anna, new("a"))
    noisy = delete(a, name="b", size=99, is_folder=True, parent_id=2**62, chunks=("x",))
    assert await world.items(anna, noisy) == [deleted(a, 2)]


@ensureDeferred
async def test_the_content_of_a_folder_goes_after_what_was_asked_upper_levels_first(
    world: World,
) -> None:
    anna = await world.user()
    docs, old, taxes, letter, note = await world.items(
        anna,
        folder("docs"),
        folder("old"),
        folder("taxes"),
        new("letter", size=3),
        new("note", size=4),
        parents={1: 0, 2: 1, 3: 2, 4: 0},
    )
    beside = await world.item(anna, new("beside", size=5))
    (await world.items(anna, delete(await world.item(anna, new("long gone", docs)))))
    latest = beside.revision + 2
    result = await world.commit(anna, new("new", size=6), delete(docs), rename(beside, "aside"))
    items = [committed(outcome) for outcome in result.outcomes]
    assert items[1] == deleted(docs, latest + 1)
    assert items[3:] == [deleted(each, latest + 1) for each in (old, note, taxes, letter)]
    assert [outcome.change is None for outcome in result.outcomes] == [False] * 3 + [True] * 4
    assert (result.revision, result.quota_used) == (latest + 1, 11)


@ensureDeferred
async def test_an_item_that_went_with_its_folder_need_not_be_deleted_but_may(
    world: World,
) -> None:
    anna = await world.user()
    docs, a, b = await world.items(anna, folder("docs"), new("a"), new("b"), parents={1: 0, 2: 0})
    result = await world.commit(anna, delete(docs), delete(b), delete(a))
    assert refusals(result) == [None] * 5
    items = [outcome.item for outcome in result.outcomes]
    assert items[:3] == [deleted(docs, 2), deleted(b, 2), deleted(a, 2)]
    assert sorted(map(id_of, items[3:])) == [a.id, b.id]
    assert result.quota_used == 0


def id_of(item: Item | None) -> int:
    assert item is not None
    return item.id


@ensureDeferred
async def test_content_before_its_folder_is_deleted_once(world: World) -> None:
    anna = await world.user()
    docs, a, b = await world.items(anna, folder("docs"), new("a"), new("b"), parents={1: 0, 2: 0})
    result = await world.commit(anna, delete(a), change(b, size=99), delete(docs))
    last = committed(result.outcomes[-1])
    assert (last.id, last.version, last.size, last.status) == (b.id, 3, 99, GONE)
    assert len(result.outcomes) == 4
    assert result.quota_used == 0


@ensureDeferred
async def test_two_folders_of_one_batch_each_take_their_own(world: World) -> None:
    anna = await world.user()
    one, two, a, b, c = await world.items(
        anna, folder("one"), folder("two"), new("a"), new("b"), new("c"),
        parents={2: 0, 3: 1, 4: 1},
    )  # fmt: skip
    result = await world.commit(anna, delete(two), delete(one))
    told = [committed(outcome).id for outcome in result.outcomes]
    assert told == [two.id, one.id, b.id, c.id, a.id]


@ensureDeferred
async def test_what_moved_out_earlier_in_the_batch_stays(world: World) -> None:
    anna = await world.user()
    docs, letter = await world.items(anna, folder("docs"), new("letter"), parents={1: 0})
    result = await world.commit(anna, move(letter, None), delete(docs))
    assert len(result.outcomes) == 2
    assert result.quota_used == 10


@ensureDeferred
async def test_a_folder_and_its_successor_of_the_same_name_fit_into_one_batch(
    world: World,
) -> None:
    anna = await world.user()
    docs, _ = await world.items(anna, folder("docs"), new("a"), parents={1: 0})
    result = await world.commit(anna, delete(docs), folder("docs"), new("a"), parents={2: 1})
    assert refusals(result) == [None] * 4
    assert committed(result.outcomes[1]).id != docs.id


@ensureDeferred
async def test_a_deleted_item_may_be_deleted_again_to_no_avail(world: World) -> None:
    anna = await world.user()
    docs, a = await world.items(anna, folder("docs"), new("a"), parents={1: 0})
    for item in (a, docs):
        (once, *_) = await world.items(anna, delete(item))
        assert refusals(await world.commit(anna, delete(item))) == [Refusal.STALE]
        (twice,) = await world.items(anna, delete(once))
        assert (twice.version, twice.status) == (3, GONE)
        assert await world.quota_used(anna) == 0


@ensureDeferred
async def test_a_large_folder_goes_at_once(world: World) -> None:
    anna = await world.user()
    docs = await world.item(anna, folder("docs"))
    folders = await world.items(anna, *(folder(f"f{n}", docs) for n in range(30)))
    for each in folders:
        await world.items(anna, *(new(f"n{n}", each, size=n) for n in range(30)))
    result = await world.commit(anna, delete(docs))
    assert len(result.outcomes) == 1 + 30 + 30 * 30
    assert result.quota_used == 0
