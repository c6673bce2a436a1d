"""A change of one item that is asked for again has no second effect and the same answer."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest
from attrs import evolve
from pytest_twisted import ensureDeferred
from twisted.internet.defer import Deferred, gatherResults

from stacksync.engine.item_commits import ItemCommits
from stacksync.errors import InvalidRequest, NameTaken, RequestReused
from stacksync.model import Item, ItemChange, ItemStatus
from tests.db.builders import NOON, change, delete, new, number, rename
from tests.engine.conftest import Listener, People
from tests.engine.single_changes import change_it, commits, create, growing

__all__ = ["commits"]


@ensureDeferred
async def test_a_repeat_is_answered_as_the_first_time_whatever_happened_since(
    commits: ItemCommits, people: People, listener: Listener
) -> None:
    anna = await people.person()
    first = await create(commits, anna, new("a"), request_id="create")

    def describe(held: Item) -> ItemChange:
        return change(held, size=held.size + 5, status=ItemStatus.CHANGED)

    second = await change_it(commits, anna, first, describe, request_id="grow", expected=1)
    await anna.items(delete(second))
    for _ in range(2):
        later = evolve(new("a"), modified_at=NOON.replace(year=2027))
        assert await create(commits, anna, later, request_id="create") == first
        again = await change_it(commits, anna, first, describe, request_id="grow", expected=1)
        assert again == second
    # Announced again, as nobody knows whether they were told the first time.
    assert [result.repeated for result in listener.results] == [False] * 3 + [True] * 4


@ensureDeferred
async def test_a_repeat_of_what_was_overtaken_finds_the_try_that_succeeded(
    commits: ItemCommits, people: People
) -> None:
    anna = await people.person()
    for _ in range(5):
        item = await create(commits, anna, new(f"file {number()}"))
        asks = [(f"request-{number()}", size) for size in (1, 2, 3)]

        async def attempt(request_id: str, size: int, item: Item = item) -> Item:
            return await change_it(commits, anna, item, growing(size), request_id=request_id)

        first = await gatherResults([Deferred.fromCoroutine(attempt(*ask)) for ask in asks])
        assert sorted(state.version for state in first) == [2, 3, 4]
        assert [await attempt(*ask) for ask in asks] == first


@ensureDeferred
async def test_a_refused_request_is_refused_again_when_repeated(
    commits: ItemCommits, people: People
) -> None:
    anna = await people.person()
    taken = await anna.item(new("a"))
    with pytest.raises(NameTaken):
        await create(commits, anna, new("a"), request_id="refused")
    await anna.item(rename(taken, "b"))
    with pytest.raises(NameTaken) as caught:
        await create(commits, anna, new("a"), request_id="refused")
    assert caught.value.current == taken
    assert (await create(commits, anna, new("a"), request_id="another")).version == 1


@ensureDeferred
async def test_a_request_id_stands_for_one_request(commits: ItemCommits, people: People) -> None:
    anna = await people.person()
    first = await create(commits, anna, new("a"), request_id="r")
    other = await create(commits, anna, new("b"))
    asks: list[Callable[[], Awaitable[Item]]] = [
        lambda: create(commits, anna, new("c"), request_id="r"),
        lambda: create(commits, anna, new("a", size=11), request_id="r"),
        lambda: change_it(commits, anna, first, growing(1), request_id="r"),
        lambda: change_it(commits, anna, other, growing(1), request_id="r"),
    ]
    for ask in asks:
        with pytest.raises(RequestReused):
            await ask()
    for request_id in ("", "x" * 129, "nul\0"):
        with pytest.raises(InvalidRequest) as caught:
            await create(commits, anna, new("d"), request_id=request_id)
        assert caught.value.field == "request_id"
