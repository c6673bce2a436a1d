"""What commits have left behind can be told later by somebody who did not make them."""

from __future__ import annotations

from uuid import uuid4

from attrs import evolve
from pytest_twisted import ensureDeferred

from stacksync.model import CommitResult, ItemStatus
from tests.db.builders import World, change, committed, delete, folder, new
from tests.db.test_moves import moved


def as_told_later(result: CommitResult, quota_used: int) -> CommitResult:
    outcomes = tuple(evolve(outcome, change=None) for outcome in result.outcomes)
    return evolve(result, outcomes=outcomes, repeated=True, quota_used=quota_used)


@ensureDeferred
async def test_each_later_commit_is_told_with_its_request_and_device(world: World) -> None:
    anna = await world.user()
    phone = await world.device(anna.account)
    first = await world.commit(anna, folder("docs"), new("a"), parents={1: 0})
    second = await world.commit(anna, new("b"), new("c"), device_id=phone)
    third = await world.commit(anna, new("d"), new("d"))
    committed_part = evolve(third, outcomes=third.outcomes[:1])
    latest = [as_told_later(each, 40) for each in (first, second, committed_part)]
    for since in range(4):
        told = await world.commits.results_since(anna.workspace_id, since)
        assert told == latest[since:]
    assert await world.commits.results_since(uuid4(), 0) == []


@ensureDeferred
async def test_what_a_later_commit_touched_is_told_there_alone(world: World) -> None:
    anna = await world.user()
    result = await world.commit(anna, folder("docs"), new("a"), new("b"), parents={1: 0})
    docs, a, b = map(committed, result.outcomes)
    b2, b3 = await world.items(anna, change(b, size=2), change(b, version=3, size=3))
    deletion = await world.commit(anna, delete(docs))
    told = await world.commits.results_since(anna.workspace_id, 0)
    assert [result.revision for result in told] == [2, 3]
    assert [outcome.item for outcome in told[0].outcomes] == [b3]
    assert b2.version == 2
    assert [committed(outcome).id for outcome in told[1].outcomes] == [docs.id, a.id]
    assert told[1] == as_told_later(deletion, 3)


@ensureDeferred
async def test_what_has_gone_to_another_workspace_is_told_there_and_here(world: World) -> None:
    anna, bert = await world.user(), await world.user()
    result = await world.commit(anna, folder("docs"), new("a"), parents={1: 0})
    docs, a = map(committed, result.outcomes)

    await moved(world, docs, anna, bert, request_id="away")

    ((gone,), (come,)) = [
        await world.commits.results_since(user.workspace_id, since)
        for user, since in ((anna, 1), (bert, 0))
    ]
    assert [gone.request_id, gone.revision, come.request_id, come.revision] == [
        "away",
        2,
        "away",
        1,
    ]
    left = [committed(outcome) for outcome in gone.outcomes]
    assert [(item.id, item.version, item.status) for item in left] == [
        (docs.id, 2, ItemStatus.DELETED),
        (a.id, 2, ItemStatus.DELETED),
    ]
    assert [committed(outcome).status for outcome in come.outcomes] == [ItemStatus.MOVED] * 2
    assert {item.workspace_id for item in left} == {anna.workspace_id}
