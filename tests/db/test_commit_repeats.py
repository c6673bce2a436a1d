"""A request that comes again has no second effect and is answered as the first time."""

from __future__ import annotations

from typing import Any

import pytest
from attrs import evolve
from pytest_twisted import ensureDeferred
from twisted.internet.defer import Deferred, gatherResults

from stacksync.db.commits import RequestRefused
from stacksync.model import CommitResult, ItemChange, Refusal
from tests.db.builders import (
    World,
    change,
    delete,
    folder,
    move,
    new,
    number,
    ready_request,
    refusals,
    rename,
)


def as_repeat(result: CommitResult) -> CommitResult:
    return evolve(result, repeated=True)


class Story:
    """A batch and what there was before it."""

    def __init__(self, *changes: ItemChange, **options: Any) -> None:
        self.changes = changes
        self.options = {"request_id": f"story-{number()}", **options}


async def stories(world: World, user: Any) -> list[Story]:
    docs, a, b, c = await world.items(
        user, folder("docs"), new("a"), new("b"), new("c"), parents={1: 0, 2: 0}
    )
    return [
        Story(new("new 1"), new("new 2", size=None, mimetype=None, chunks=None)),
        Story(folder("f"), folder("g"), new("h"), parents={1: 0, 2: 1}),
        Story(rename(c, "c2"), change(c, version=3, size=4), move(c, docs, version=4)),
        Story(change(docs, name="papers", size=4)),
        Story(new("c2"), new("x"), new("", docs), problems={2: "name: is empty"}),
        Story(new("x"), change(a, version=9), delete(evolve(a, id=2**62))),
        Story(new("y"), delete(evolve(docs, version=2)), delete(b), change(a)),
        Story(delete(evolve(docs, version=3))),
    ]


@ensureDeferred
async def test_any_request_is_answered_alike_at_once_and_after_all_others(world: World) -> None:
    anna = await world.user()
    answered = []
    for story in await stories(world, anna):
        first = await world.commit(anna, *story.changes, **story.options)
        used = await world.quota_used(anna)
        again = await world.commit(anna, *story.changes, **story.options)
        assert again == as_repeat(first)
        assert await world.quota_used(anna) == used
        answered.append((story, first))
    latest = await world.commit(anna, new("latest"))
    for story, first in answered:
        again = await world.commit(anna, *story.changes, **story.options)
        # The quota is told as it is now.
        assert again == as_repeat(evolve(first, quota_used=latest.quota_used))


@ensureDeferred
async def test_an_id_that_stands_for_another_batch_is_refused(world: World) -> None:
    anna = await world.user()
    elsewhere = await world.workspace(anna)
    told = await stories(world, anna)
    answers = [await world.commit(anna, *story.changes, **story.options) for story in told]
    for story, first in zip(told, answers, strict=True):
        count = len(story.changes)
        others = [(*story.changes, new("more")), (new("something"),)]
        if None in refusals(first):
            # Of what was refused nothing is kept that could be compared.
            others.append(tuple(new(f"else {n}") for n in range(count)))
        for other in others:
            request_id = story.options["request_id"]
            answer = await world.try_to(anna, *other, request_id=request_id)
            assert isinstance(answer, RequestRefused)
            assert answer.reason == "reused"
            assert answer.recorded >= count
        answer = await world.try_to(
            anna, *story.changes, **{**story.options, "workspace_id": elsewhere}
        )
        assert isinstance(answer, RequestRefused)
        assert answer.reason == "reused"


@ensureDeferred
async def test_each_device_has_request_ids_of_its_own(world: World) -> None:
    anna = await world.user()
    phone = await world.device(anna.account)
    first = await world.commit(anna, new("a"), request_id="1")
    second = await world.commit(anna, new("a"), request_id="1", device_id=phone)
    assert (refusals(first), refusals(second)) == ([None], [Refusal.NAME_TAKEN])
    assert not second.repeated


@ensureDeferred
async def test_a_repeat_in_the_same_transaction_is_a_repeat(world: World) -> None:
    anna = await world.user()
    for changes in ((new("a"),), (new("a"), new("b"))):
        ready = ready_request(anna, *changes)
        first, second = await world.commits.commit([ready, ready])
        assert isinstance(first, CommitResult)
        assert second == as_repeat(first)


@ensureDeferred
async def test_a_repeat_while_the_first_is_under_way_is_a_repeat(world: World) -> None:
    anna = await world.user()
    for _ in range(10):
        ready = ready_request(anna, new(f"file {number()}"))
        answers = await gatherResults(
            [Deferred.fromCoroutine(world.commits.commit([ready])) for _ in range(4)]
        )
        (first,) = [a for (a,) in answers if isinstance(a, CommitResult) and not a.repeated]
        assert [a for (a,) in answers].count(as_repeat(first)) == 3


@ensureDeferred
async def test_one_id_for_two_workspaces_at_once_is_taken_by_one_of_them(world: World) -> None:
    anna, berta = await world.user(), await world.user()
    # Different owners: no lock is common to the two.
    shared = await world.workspace(berta, "editor", of=anna)
    for _ in range(20):
        request_id = f"both-{number()}"
        requests = [
            ready_request(
                anna, new(f"file {number()}"), request_id=request_id, workspace_id=workspace_id
            )
            for workspace_id in (anna.workspace_id, shared)
        ]
        answers = await gatherResults(
            [Deferred.fromCoroutine(world.commits.commit([ready])) for ready in requests]
        )
        kinds = sorted(type(answer).__name__ for (answer,) in answers)
        assert kinds == ["CommitResult", "RequestRefused"]


@ensureDeferred
async def test_a_repeat_by_somebody_who_may_not_any_more_is_refused(
    world: World, request: pytest.FixtureRequest
) -> None:
    anna, berta = await world.user(), await world.user()
    shared = await world.workspace(anna, "editor", of=berta)
    ready = ready_request(berta, new("a"), workspace_id=shared)
    await world.commits.commit([ready])
    await world.database.query(
        "throw out", "DELETE FROM membership WHERE account_id = %s AND workspace_id = %s",
        [berta.account.id, shared],
    )  # fmt: skip
    assert await world.commits.commit([ready]) == [RequestRefused("workspace")]
