"""One change of one item: made anew when overtaken, refused in words."""

from __future__ import annotations

from math import inf
from typing import Any
from uuid import uuid4

import pytest
from attrs import evolve
from pytest_twisted import ensureDeferred
from twisted.internet.defer import Deferred, gatherResults

from stacksync.engine import Engine
from stacksync.engine.item_commits import Describe, ItemCommits, error_of
from stacksync.engine.tries import TRIES
from stacksync.errors import (
    Conflict,
    DeviceNotFound,
    FolderCycle,
    Forbidden,
    InvalidRequest,
    ItemDeleted,
    ItemNotFound,
    NameTaken,
    ParentNotFound,
    QuotaExceeded,
    StaleVersion,
    VersionMismatch,
    WorkspaceNotFound,
)
from stacksync.model import (
    CommitResult,
    Item,
    ItemChange,
    ItemOutcome,
    ItemStatus,
    Refusal,
)
from tests.db.builders import NOON, World, change, folder, move, new, number, rename
from tests.engine.conftest import Listener, People, Person
from tests.engine.single_changes import change_it, commits, create, growing
from tests.engine.two_members import put, shared_workspace

__all__ = ["commits"]


@ensureDeferred
async def test_an_item_is_made_and_changed_and_devices_are_told(
    commits: ItemCommits, people: People, listener: Listener
) -> None:
    anna = await people.person()
    first = await create(commits, anna, new("a"))
    second = await change_it(commits, anna, first, growing(20))
    assert (second.id, second.version, second.size) == (first.id, 2, 20)
    assert [result.outcomes[0].item for result in listener.results] == [first, second]
    assert first.device_id == second.device_id != anna.user.device_id
    named = evolve(anna.principal, device_id=anna.user.device_id)
    third = await commits.change(named, first.id, growing(30), expected=None, request_id=None)
    assert third.device_id == anna.user.device_id


@ensureDeferred
async def test_the_version_that_the_caller_means_is_the_newest_or_nothing_is_changed(
    commits: ItemCommits, people: People
) -> None:
    anna = await people.person()
    first = await create(commits, anna, new("a"))
    second = await change_it(commits, anna, first, growing(20), expected=1)
    for expected in (1, 3, 0):
        with pytest.raises(VersionMismatch) as caught:
            await change_it(commits, anna, first, growing(30), expected=expected)
        assert caught.value.current == second
    assert str(caught.value) == f"item {first.id} is at version 2, not 0"
    assert (await change_it(commits, anna, first, growing(30), expected=2)).size == 30


@ensureDeferred
async def test_of_two_with_the_same_condition_one_succeeds(
    commits: ItemCommits, people: People
) -> None:
    anna = await people.person()
    for _ in range(5):
        item = await create(commits, anna, new(f"file {number()}"))

        async def attempt(size: int, item: Item = item) -> object:
            try:
                return await change_it(commits, anna, item, growing(size), expected=1)
            except VersionMismatch as error:
                return error.current

        told = await gatherResults([Deferred.fromCoroutine(attempt(n)) for n in (1, 2)])
        # The one that lost is told what the other one made.
        (newest, *_) = await commits._table.versions(anna.user.account.id, item.id)
        assert told == [newest, newest]
        assert newest.version == 2


@ensureDeferred
async def test_without_a_condition_a_change_that_is_overtaken_is_made_again(
    commits: ItemCommits, people: People
) -> None:
    anna = await people.person()
    item = await create(commits, anna, new("a"))
    states = await gatherResults(
        [Deferred.fromCoroutine(change_it(commits, anna, item, growing(n))) for n in range(4)]
    )
    assert sorted(state.version for state in states) == [2, 3, 4, 5]


class Meddler:
    """Commits of somebody who is faster, always or so many times."""

    def __init__(self, world: World, who: Person, inner: Any, times: float = inf) -> None:
        self._world, self._who, self._inner, self._times = world, who, inner, times
        self.met = 0

    async def commit(self, principal: Any, request: Any) -> CommitResult:
        (asked,) = request.changes
        if self.met < self._times:
            self.met += 1
            await self._world.items(
                self._who.user, evolve(asked, name=None, size=self.met, modified_at=NOON)
            )
        result: CommitResult = await self._inner.commit(principal, request)
        return result


@ensureDeferred
async def test_it_is_described_anew_each_time(
    engine: Engine, commits: ItemCommits, people: People, world: World
) -> None:
    anna = await people.person()
    item = await create(commits, anna, new("a"))
    meddler = Meddler(world, anna, engine.commits, times=1)
    overtaken = ItemCommits(commits._table, meddler, engine.devices, commits._access)  # type: ignore[arg-type]
    made: list[int] = []

    def describe(held: Item) -> ItemChange:
        made.append(held.version)
        return change(held, name=f"version {held.version + 1}", status=ItemStatus.RENAMED)

    state = await change_it(overtaken, anna, item, describe)
    assert made == [1, 2]
    assert (state.name, state.version, state.size) == ("version 3", 3, meddler.met)


@ensureDeferred
async def test_who_is_overtaken_each_time_is_told_so(
    engine: Engine, commits: ItemCommits, people: People, world: World
) -> None:
    anna = await people.person()
    item = await create(commits, anna, new("a"))
    meddler = Meddler(world, anna, engine.commits)
    unlucky = ItemCommits(commits._table, meddler, engine.devices, commits._access)  # type: ignore[arg-type]
    for request_id in (None, "unlucky"):
        meddler.met = 0
        with pytest.raises(StaleVersion) as caught:
            await change_it(unlucky, anna, item, growing(99), request_id=request_id)
        assert meddler.met == TRIES
        newest = await engine.items.get(anna.principal, item.id, is_folder=False)
        assert caught.value.current == newest
    with pytest.raises(VersionMismatch):
        await change_it(unlucky, anna, item, growing(99), expected=newest.version)


@ensureDeferred
async def test_what_is_so_already_makes_no_version(
    commits: ItemCommits, people: People, listener: Listener
) -> None:
    anna = await people.person()
    item = await anna.item(new("a"))
    assert await change_it(commits, anna, item, lambda held: None) == item
    with pytest.raises(VersionMismatch):
        await change_it(commits, anna, item, lambda held: None, expected=2)
    assert len(listener.results) == 1


@ensureDeferred
async def test_a_condition_goes_before_what_the_description_objects_to(
    commits: ItemCommits, people: People
) -> None:
    anna = await people.person()
    item = await anna.item(new("a"))

    def objecting(error: Exception) -> Describe:
        def describe(held: Item) -> ItemChange:
            raise error

        return describe

    cases: list[tuple[Exception, int | None, type[Exception]]] = [
        (ItemDeleted("gone"), 2, VersionMismatch),
        (ItemDeleted("gone"), 1, ItemDeleted),
        (ItemDeleted("gone"), None, ItemDeleted),
        (ItemNotFound(item.id), 2, ItemNotFound),
    ]
    for error, expected, told in cases:
        with pytest.raises(told):
            await change_it(commits, anna, item, objecting(error), expected=expected)


@ensureDeferred
async def test_each_refusal_is_told_in_its_own_words(commits: ItemCommits, people: People) -> None:
    anna = await people.person(quota=100)
    docs, inner, file = await anna.items(folder("docs"), folder("inner"), new("file"))
    inner = await anna.item(move(inner, docs))
    cases: list[tuple[Item, ItemChange, type[Exception], str]] = [
        (file, rename(file, "docs"), NameTaken,
            "there is an item named 'docs' in this folder already"),
        (file, move(file, 2**62), ParentNotFound, f"no such folder: {2**62}"),
        (file, change(file, size=101), QuotaExceeded,
            "of the quota of 100 bytes 90 are left: too few for this"),
        (docs, move(docs, inner), FolderCycle,
            f"folder {docs.id} cannot be moved into itself or below"),
        (file, change(file, is_folder=True), Conflict,
            f"the change of item {file.id} was refused: kind"),
        (file, rename(file, "a/b"), InvalidRequest, "name: holds a slash or a NUL"),
    ]  # fmt: skip
    for item, asked, kind, words in cases:
        with pytest.raises(kind) as caught:
            await change_it(commits, anna, item, lambda held, asked=asked: asked)  # type: ignore[misc]
        assert str(caught.value) == words
        if isinstance(caught.value, Conflict):
            assert caught.value.current == (docs if kind is NameTaken else item)
    with pytest.raises(NameTaken) as caught:
        await create(commits, anna, new("docs"))
    assert caught.value.current == docs


def test_an_item_that_moved_to_another_workspace_meanwhile_is_not_found() -> None:
    outcome = ItemOutcome(Refusal.NOT_FOUND, None, None)
    result = CommitResult(uuid4(), "r", uuid4(), 1, (outcome,), 10, 0)
    asked = ItemChange(ItemStatus.CHANGED, 2, NOON, id=7)
    assert isinstance(error_of(asked, outcome, result), ItemNotFound)


@ensureDeferred
async def test_who_may_not_write_is_refused_and_strangers_find_nothing(
    commits: ItemCommits, people: People, world: World
) -> None:
    anna, berta, clara = [await people.person() for _ in range(3)]
    shared = await shared_workspace(world, anna, berta, "viewer")
    item = await put(world, anna, shared, new("a"))
    with pytest.raises(Forbidden):
        await change_it(commits, berta, item, growing(1))
    with pytest.raises(Forbidden):
        await commits.create(berta.principal, shared, new("b"), request_id=None)
    with pytest.raises(ItemNotFound):
        await change_it(commits, clara, item, growing(1))
    with pytest.raises(WorkspaceNotFound):
        await commits.create(clara.principal, shared, new("b"), request_id=None)


@ensureDeferred
async def test_anothers_device_is_not_found(
    commits: ItemCommits, people: People, world: World
) -> None:
    anna, berta = await people.person(), await people.person()
    made = await anna.engine.commits.commit(anna.principal, anna.request(new("a"), request_id="r"))
    assert made.outcomes[0].item is not None
    borrowed = evolve(berta.principal, device_id=anna.user.device_id)
    with pytest.raises(DeviceNotFound):
        await commits.create(borrowed, berta.user.workspace_id, new("b"), request_id="r")


@ensureDeferred
async def test_the_implicit_device_is_made_again_when_the_database_has_lost_it(
    commits: ItemCommits, people: People, world: World
) -> None:
    anna = await people.person()
    first = await create(commits, anna, new("a"))
    await world.database.query("lose", "DELETE FROM device WHERE id = %s", [first.device_id])
    second = await create(commits, anna, new("b"))
    assert second.device_id == first.device_id
