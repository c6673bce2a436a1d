"""Whatever comes in between, no chunk goes that somebody needs: step by step."""

from __future__ import annotations

import pytest
from pytest_twisted import ensureDeferred
from twisted.internet import reactor
from twisted.internet.defer import CancelledError, Deferred

from stacksync.db.garbage import GarbageTable
from stacksync.db.item_pages import Place
from stacksync.db.session import opened
from stacksync.engine.content.chunk_object import encode, name_of
from stacksync.engine.garbage.chunk_sweep import REMOVED
from stacksync.errors import Unavailable
from stacksync.streams import BytesStream
from tests.db.builders import new
from tests.db.observation import until
from tests.engine.estate import HOUR, Estate, estate
from tests.engine.garbage.paused_collection import OLD, Stage, stage_in

__all__ = ["estate"]


@ensureDeferred
async def test_who_comes_after_the_listing_finds_the_chunk_and_it_stays(estate: Estate) -> None:
    stage = await stage_in(estate)
    stage.store.pause_after("list", "")
    collecting = await stage.collect_up_to("list ")
    assert await stage.write()
    stage.store.go()
    await collecting
    assert stage.is_there


@ensureDeferred
async def test_who_comes_before_the_last_look_finds_the_chunk_and_it_stays(
    estate: Estate,
) -> None:
    stage = await stage_in(estate)
    stage.store.pause("head", OLD)
    collecting = await stage.collect_up_to(f"head {OLD}")
    writing = stage.write()
    await stage.until_somebody_waits()
    assert not writing.called
    stage.store.go()
    assert await writing
    await collecting
    assert stage.is_there
    assert f"delete {OLD}" not in stage.store.reached


@ensureDeferred
async def test_who_comes_after_the_last_look_waits_and_writes_the_chunk_anew(
    estate: Estate,
) -> None:
    stage = await stage_in(estate)
    stage.store.pause("delete", OLD)
    collecting = await stage.collect_up_to(f"delete {OLD}")
    writing = stage.write()
    await stage.until_somebody_waits()
    assert not writing.called
    stage.store.go()
    assert not await writing
    await collecting
    assert stage.is_there


@ensureDeferred
async def test_who_comes_after_the_removal_waits_for_its_end_all_the_same(
    estate: Estate,
) -> None:
    stage = await stage_in(estate)
    stage.store.pause_after("delete", OLD)
    collecting = await stage.collect_up_to(f"delete {OLD}")
    await until(lambda: not stage.is_there)
    assert not await stage.write()
    stage.store.go()
    await collecting
    assert stage.is_there


@ensureDeferred
async def test_a_commit_waits_for_a_removal_but_not_for_the_search(estate: Estate) -> None:
    stage = await stage_in(estate)
    stage.store.pause("list", "")
    stage.store.pause("delete", OLD)
    collecting = await stage.collect_up_to("list ")
    await stage.person.item(new("meanwhile"))
    stage.store.pauses.pop("list ").callback(None)
    await until(lambda: f"delete {OLD}" in stage.store.reached)
    committing = Deferred.fromCoroutine(stage.person.item(new("later")))
    await stage.until_somebody_waits()
    assert not committing.called
    stage.store.go()
    await committing
    await collecting


@ensureDeferred
async def test_a_commit_after_the_references_were_read_counts(estate: Estate) -> None:
    stage = await stage_in(estate)
    removed: list[str] = []

    async def remove(names: object) -> list[str]:
        removed.extend(names)  # type: ignore[arg-type, call-overload]
        return list(names)  # type: ignore[call-overload]

    async with opened(reactor, estate.database.dsn) as session:
        table = GarbageTable(session)
        since = await gathered(table, stage)
        await table.doom(stage.workspace.id, [OLD])
        await stage.commit()
        assert await table.remove(stage.workspace.id, [OLD], since, remove) == [OLD]
    assert removed == []
    assert estate.psql.rows("SELECT * FROM doomed_chunk") == []


async def gathered(table: GarbageTable, stage: Stage) -> int:
    """All steps before the removal; the revision up to which references are known."""
    workspace_id = stage.workspace.id
    latest = await table.begin(workspace_id)
    assert latest is not None
    await table.add(await stage.estate.store.list(stage.workspace.container))
    place: Place | None = Place()
    while place is not None:
        place = await table.spare_page(workspace_id, latest, place)
    await table.spare_uploads(workspace_id)
    since = await table.spare_changed(workspace_id, latest)
    assert since is not None
    return since


@ensureDeferred
async def test_who_takes_a_chunk_off_the_list_keeps_it(estate: Estate) -> None:
    stage = await stage_in(estate)

    async def remove(names: object) -> list[str]:
        assert names == []
        return []

    async with opened(reactor, estate.database.dsn) as session:
        table = GarbageTable(session)
        since = await gathered(table, stage)
        assert await table.old("", 10) != []
        await table.doom(stage.workspace.id, [OLD])
        assert await stage.write()
        await table.remove(stage.workspace.id, [OLD], since, remove)


@ensureDeferred
async def test_the_earlier_versions_of_an_item_that_changes_during_the_search_count(
    estate: Estate,
) -> None:
    stage = await stage_in(estate)
    await stage.commit()
    item = (await stage.person.items(new("other")))[0]
    used = await estate.engine.items.get(stage.person.principal, item.id - 1, is_folder=False)
    async with opened(reactor, estate.database.dsn) as session:
        table = GarbageTable(session)
        latest = await table.begin(stage.workspace.id)
        assert latest is not None
        await table.add(await estate.store.list(stage.workspace.container))
        # Its page is not read yet, and now it has moved behind the end.
        changed = await estate.overwrite(stage.person, used, b"something else")
        assert OLD not in changed.chunks
        place: Place | None = Place()
        while place is not None:
            place = await table.spare_page(stage.workspace.id, latest, place)
        assert [name for name, _ in await table.old("", 10)] == [OLD]
        await table.spare_changed(stage.workspace.id, latest)
        assert await table.old("", 10) == []


@ensureDeferred
async def test_a_collection_that_is_ended_finishes_the_removal_that_it_is_at(
    estate: Estate,
) -> None:
    stage = await stage_in(estate)
    stage.store.pause("delete", OLD)
    collecting = await stage.collect_up_to(f"delete {OLD}")
    ended: list[object] = []
    collecting.addErrback(lambda failure: ended.append(failure.check(CancelledError)))
    collecting.cancel()
    writing = stage.write()
    await stage.until_somebody_waits()
    assert not ended
    assert not writing.called
    stage.store.go()
    assert not await writing
    await until(lambda: ended == [CancelledError])
    assert stage.is_there


@ensureDeferred
async def test_when_one_removal_fails_the_others_are_waited_for(estate: Estate) -> None:
    stage = await stage_in(estate)
    other = name_of(b"older")
    await estate.store.put(stage.workspace.container, other, BytesStream(encode(b"older")))
    estate.age(2 * HOUR)
    stage.store.pause("delete", OLD)
    stage.store.fail("delete", other, Unavailable("storage", "the disk is gone"))
    collecting = await stage.collect_up_to(f"delete {OLD}")
    await until(lambda: f"delete {other}" in stage.store.reached)
    writing = stage.write()
    await stage.until_somebody_waits()
    assert not collecting.called
    stage.store.go()
    with pytest.raises(Unavailable, match="the disk is gone"):
        await collecting
    assert not await writing
    await estate.until_nobody_collects()
    await estate.collect()
    assert estate.chunks(stage.person) == {OLD}


@ensureDeferred
async def test_what_an_interrupted_collection_left_is_no_harm_to_the_next(
    estate: Estate,
) -> None:
    stage = await stage_in(estate)
    for number in range(2 * REMOVED):
        content = str(number).encode()
        await estate.store.put(
            stage.workspace.container, name_of(content), BytesStream(encode(content))
        )
    estate.age(2 * HOUR)
    first, second = sorted(estate.chunks(stage.person))[REMOVED - 1 : REMOVED + 1]
    stage.store.fail("head", second, Unavailable("storage", "gone"))
    with pytest.raises(Unavailable):
        await stage.begin()
    assert first not in estate.chunks(stage.person)
    assert estate.psql.value("SELECT count(*) FROM doomed_chunk") > 0
    # What is on the list may be needed by now.
    needed = sorted(estate.chunks(stage.person))[0]
    await stage.person.item(new("needs it", chunks=(needed,), size=1))
    await estate.until_nobody_collects()
    await estate.collect()
    assert estate.chunks(stage.person) == {needed}
    assert estate.psql.value("SELECT count(*) FROM doomed_chunk") == 0


@ensureDeferred
async def test_commits_have_their_turn_though_the_store_is_slow(estate: Estate) -> None:
    stage = await stage_in(estate)
    for number in range(10):
        content = str(number).encode()
        await estate.store.put(
            stage.workspace.container, name_of(content), BytesStream(encode(content))
        )
    estate.age(2 * HOUR)
    first, *_, last = sorted(estate.chunks(stage.person))
    stage.store.pause("delete", first)
    stage.store.pause("delete", last)
    collection = estate.collection(store=stage.store)
    # Time flies: after each chunk the commits' patience is at its end.
    collection._reactor = Hurried()
    collecting = Deferred.fromCoroutine(collection.run())
    await until(lambda: f"delete {first}" in stage.store.reached)
    committing = Deferred.fromCoroutine(stage.person.item(new("in between")))
    await stage.until_somebody_waits()
    stage.store.pauses.pop(f"delete {first}").callback(None)
    await committing
    assert last in estate.chunks(stage.person)
    stage.store.go()
    await collecting
    assert estate.chunks(stage.person) == set()
    assert estate.psql.value("SELECT count(*) FROM doomed_chunk") == 0


class Hurried:
    """A reactor by whose clock everything takes a second."""

    def __init__(self) -> None:
        self._now = 0.0

    def seconds(self) -> float:
        self._now += 1.0
        return self._now

    def __getattr__(self, name: str) -> object:
        return getattr(reactor, name)
