"""A commit is checked, committed, answered and announced."""

from __future__ import annotations

from uuid import uuid4

import pytest
from attrs import evolve
from pytest_twisted import ensureDeferred

from stacksync.engine import Engine
from stacksync.errors import (
    DeviceNotFound,
    Forbidden,
    InvalidRequest,
    RequestReused,
    Unavailable,
    WorkspaceNotFound,
)
from stacksync.events import Committed
from stacksync.model import Refusal
from tests.db.builders import change, committed, delete, folder, new, refusals
from tests.db.observation import until
from tests.engine.conftest import Listener, People


@ensureDeferred
async def test_a_tree_is_committed_by_temporary_ids(people: People) -> None:
    anna = await people.person()
    docs, taxes, letter, note = await anna.items(
        folder("docs", temp_id=-1),
        folder("taxes", -1, temp_id=2**63 - 1),
        new("letter", 2**63 - 1, temp_id=3),
        new("note", -1),
    )
    assert (taxes.parent_id, letter.parent_id, note.parent_id) == (docs.id, taxes.id, docs.id)


@ensureDeferred
async def test_a_temporary_id_goes_before_an_items_own(people: People) -> None:
    anna = await people.person()
    old = await anna.item(folder("old"))
    made, within = await anna.items(folder("new", temp_id=old.id), new("a", old.id))
    assert within.parent_id == made.id != old.id


@ensureDeferred
async def test_a_temporary_id_is_known_only_after_its_item_and_only_in_its_commit(
    people: People,
) -> None:
    anna = await people.person()
    result = await anna.commit(new("a", -5), folder("docs", temp_id=-5))
    assert refusals(result) == [Refusal.PARENT_NOT_FOUND, None]
    assert refusals(await anna.commit(new("b", -5))) == [Refusal.PARENT_NOT_FOUND]


@ensureDeferred
async def test_what_no_item_can_be_is_refused_with_words_and_the_rest_is_committed(
    people: People,
) -> None:
    anna = await people.person()
    result = await anna.commit(
        new("good"),
        new("bad/name"),
        folder("..", temp_id=7),
        new("below", 7),
        folder("docs", temp_id=8),
        folder("twin", temp_id=8),
        new("in docs", 8),
        evolve(new("versioned"), version=2),
        new("huge", size=2**63),
    )
    invalid = Refusal.INVALID
    assert refusals(result) == [
        *(None, invalid, invalid, Refusal.DEPENDENCY),
        *(None, invalid, None, invalid, invalid),
    ]
    problems = [outcome.problem for outcome in result.outcomes if outcome.refusal is invalid]
    assert [problem and problem.partition(":")[0] for problem in problems] == [
        *("name", "name", "temp_id", "version", "size")
    ]


@ensureDeferred
async def test_a_request_as_a_whole_is_refused_by_name(engine: Engine, people: People) -> None:
    anna, berta = await people.person(), await people.person()
    commit = engine.commits.commit

    async def refused(kind: type[Exception], match: str, **others: object) -> None:
        with pytest.raises(kind, match=match):
            await commit(anna.principal, evolve(anna.request(new("a")), **others))

    for workspace_id in (berta.user.workspace_id, uuid4()):
        await refused(WorkspaceNotFound, str(workspace_id), workspace_id=workspace_id)
    for device_id in (berta.user.device_id, uuid4()):
        await refused(DeviceNotFound, str(device_id), device_id=device_id)
    await refused(InvalidRequest, "items: is empty", changes=())
    await refused(InvalidRequest, "request_id: is empty", request_id="")
    shared = await people.world.workspace(berta.user, "viewer", of=anna.user)
    await refused(Forbidden, f"viewers cannot commit to workspace {shared}", workspace_id=shared)


@ensureDeferred
async def test_a_used_request_id_is_refused_for_another_batch(
    engine: Engine, people: People
) -> None:
    anna = await people.person()
    await engine.commits.commit(anna.principal, anna.request(new("a"), request_id="once"))
    with pytest.raises(RequestReused, match="request once"):
        await engine.commits.commit(
            anna.principal, anna.request(new("a"), new("b"), request_id="once")
        )


@ensureDeferred
async def test_a_commit_is_announced_and_a_repeat_again(
    engine: Engine, people: People, listener: Listener
) -> None:
    anna = await people.person()
    request = anna.request(new("a"))
    first = await engine.commits.commit(anna.principal, request, until_announced=True)
    assert listener.events == [Committed(first)]
    again = await engine.commits.commit(anna.principal, request, until_announced=True)
    assert again == evolve(first, repeated=True)
    assert listener.events == [Committed(first), Committed(again)]
    later = await engine.commits.commit(anna.principal, anna.request(new("b")))
    await until(lambda: len(listener.events) == 3)
    assert listener.results[2] == later


@ensureDeferred
async def test_what_is_refused_is_announced_too_as_its_sender_waits_for_it(
    engine: Engine, people: People, listener: Listener
) -> None:
    anna = await people.person()
    result = await engine.commits.commit(
        anna.principal, anna.request(new("a", 2**62)), until_announced=True
    )
    assert refusals(result) == [Refusal.PARENT_NOT_FOUND]
    assert listener.results == [result]


@ensureDeferred
async def test_a_commit_that_cannot_be_announced_is_committed_and_may_be_repeated(
    engine: Engine, people: People, listener: Listener
) -> None:
    anna = await people.person()
    request = anna.request(new("a"))
    listener.failure = Unavailable("broker", "away")
    with pytest.raises(Unavailable, match="broker: away"):
        await engine.commits.commit(anna.principal, request, until_announced=True)
    unheard = await engine.commits.commit(anna.principal, anna.request(new("b")))
    assert unheard.revision == 2
    listener.failure = None
    result = await engine.commits.commit(anna.principal, request, until_announced=True)
    assert result.repeated
    assert listener.results == [result]


@ensureDeferred
async def test_deleting_a_folder_tells_what_became_of_its_content(
    people: People, listener: Listener
) -> None:
    anna = await people.person()
    docs, a = await anna.items(folder("docs", temp_id=1), new("a", 1))
    result = await anna.commit(delete(docs))
    assert [committed(outcome).id for outcome in result.outcomes] == [docs.id, a.id]
    assert [outcome.change is None for outcome in result.outcomes] == [False, True]


@ensureDeferred
async def test_a_lost_race_tells_the_winner(people: People) -> None:
    anna = await people.person()
    first = await anna.item(new("a"))
    second = await anna.item(change(first, size=2))
    result = await anna.commit(change(first, size=3))
    assert refusals(result) == [Refusal.STALE]
    assert result.outcomes[0].item == second
