"""The chunks of what has moved follow into the container of its new workspace."""

from __future__ import annotations

import random

from pytest_twisted import ensureDeferred
from twisted.internet import reactor
from twisted.internet.task import deferLater

from stacksync.db.chunk_copies import ChunkCopyTable
from stacksync.engine.content.fallback import FallbackStore
from stacksync.errors import ChunkNotFound, QuotaExceeded, Unavailable
from stacksync.model import JobKind, JobState
from stacksync.streams import BytesStream, read_all
from tests.db.conftest import logged
from tests.db.observation import CapturedLog, until
from tests.engine.jobs.pending import Move, move
from tests.storage.memory import Fault

__all__ = ["logged", "move"]


@ensureDeferred
async def test_every_chunk_is_brought_in_and_listed_no_more(move: Move) -> None:
    names = await move.add(250)

    assert await move.copy() == ()

    assert move.store.objects(move.container) == {name: name.encode() for name in names}
    assert move.listed == 0
    assert "stacksync_chunks_copied_total 250.0" in move.yard.metrics.text().decode()


@ensureDeferred
async def test_what_is_there_already_is_not_copied_but_refreshed(move: Move) -> None:
    (first, second) = await move.add(2)
    await move.store.create_container(move.container)
    stored = await move.store.put(move.container, first, BytesStream(b"as it is"))

    await move.copy()

    assert move.store.calls["copy"] == 1
    assert move.store.objects(move.container) == {first: b"as it is", second: second.encode()}
    assert move.store.held[move.container][first][0].modified_at > stored.modified_at
    assert move.listed == 0


@ensureDeferred
async def test_the_sources_are_asked_one_after_the_other(move: Move) -> None:
    (name,) = await move.add(1, "a container that is gone", there=False)
    del move.store.held["a container that is gone"]
    move.list(name, "an empty one")
    await move.store.create_container("an empty one")
    await move.add(1, "the last one")

    assert await move.copy() == ()

    assert move.store.objects(move.container) == {name: name.encode()}
    assert move.listed == 0


@ensureDeferred
async def test_what_nobody_has_is_counted_and_logged_and_does_not_hold_up_the_rest(
    move: Move, logged: CapturedLog
) -> None:
    names = await move.add(3)
    await move.store.delete(move.source, names[0])

    assert await move.copy() == ()

    assert set(move.store.objects(move.container)) == set(names[1:])
    assert move.listed == 0
    (line,) = logged.lines_about("is lost")
    assert line == (
        f"chunk {names[0]} is lost: neither container {move.container} nor before has it"
    )
    assert "stacksync_chunks_missed_total 1.0" in move.yard.metrics.text().decode()


@ensureDeferred
async def test_an_unsteady_store_delays_but_loses_nothing(move: Move) -> None:
    names = await move.add(200)
    chance = random.Random(7)

    def unsteady(method: str, name: str) -> None:
        if method in ("copy", "refresh", "create_container") and chance.random() < 0.2:
            raise Unavailable("storage", f"{method} of {name} fails now and then")

    move.store.before = unsteady
    job_id = await move.yard.add(f"content:{move.container}", container=move.container)
    move.yard.jobs(move.copies, [JobKind.COPY], longest_delay=0.02).start()

    await until(lambda: move.yard.state(job_id) is JobState.DONE)

    assert move.store.objects(move.container) == {name: name.encode() for name in names}
    assert move.listed == 0
    job = await move.yard.job(job_id)
    assert (job.progress, job.total, job.problem) == (200, 200, None)


@ensureDeferred
async def test_a_store_that_is_away_is_not_asked_for_every_chunk(move: Move) -> None:
    await move.add(300)
    move.store.faults.append(Fault("copy", after=120))

    (failed,) = await move.copy()

    assert failed.problem == "storage: copy fails as it was told to"
    assert (failed.progress, failed.total) == (120, 300)
    assert move.listed == 180
    assert move.store.calls["copy"] <= 120 + 14
    move.store.faults.clear()
    move.yard.psql.rows("UPDATE job SET run_at = now()")
    assert await move.yard.jobs(move.copies, [JobKind.COPY]).run_until_idle() == ()
    job = await move.yard.job(failed.id)
    assert (job.progress, job.total) == (300, 300)
    assert len(move.store.objects(move.container)) == 300


@ensureDeferred
async def test_one_chunk_that_cannot_be_had_now_does_not_stop_the_others(move: Move) -> None:
    names = await move.add(150)

    def one_fails(method: str, name: str) -> None:
        if (method, name) == ("copy", names[3]):
            raise Unavailable("storage", "this disk is away")

    move.store.before = one_fails

    (failed,) = await move.copy()

    assert failed.problem == "storage: 1 of 150 chunks could not be copied: this disk is away"
    assert set(move.store.objects(move.container)) == {*names} - {names[3]}
    assert move.yard.psql.rows("SELECT name FROM chunk_copy") == [(names[3],)]


@ensureDeferred
async def test_a_container_whose_quota_is_used_up_takes_what_it_has_room_for(move: Move) -> None:
    names = await move.add(30)

    def some_are_too_large(method: str, name: str) -> None:
        if method == "copy" and name < names[20]:
            raise QuotaExceeded(f"the object store's quota does not allow {name}")

    move.store.before = some_are_too_large

    (failed,) = await move.copy()

    assert failed.problem is not None
    assert failed.problem.startswith("storage: 20 of 30 chunks could not be copied: the object")
    assert set(move.store.objects(move.container)) == set(names[20:])
    # What has no room is read where it is, and stays there until it has.
    assert move.listed == 20
    move.store.before = lambda method, name: None
    move.yard.psql.rows("UPDATE job SET run_at = now()")
    assert await move.yard.jobs(move.copies, [JobKind.COPY]).run_until_idle() == ()
    assert move.listed == 0


@ensureDeferred
async def test_a_chunk_that_not_every_replica_has_yet_is_not_given_up(move: Move) -> None:
    await move.add(1)

    def not_here(method: str, name: str) -> None:
        if method == "copy":
            raise ChunkNotFound(name)

    move.store.before = not_here

    (failed,) = await move.copy()

    assert "is not everywhere yet" in (failed.problem or "")
    assert move.listed == 1


@ensureDeferred
async def test_only_so_many_are_copied_at_once(move: Move) -> None:
    await move.add(20)
    move.store.faults.append(Fault("copy", stalls=True))
    await move.yard.add(container=move.container)
    jobs = move.yard.jobs(move.copies, [JobKind.COPY])
    jobs.start()

    await until(lambda: len(move.store.stalled) == 4)

    assert move.store.calls["copy"] == 4
    await jobs.stop()
    assert move.store.stalled == []
    assert move.listed == 20


@ensureDeferred
async def test_readers_find_each_chunk_while_it_is_copied(move: Move) -> None:
    names = await move.add(60)
    reading = FallbackStore(move.store, ChunkCopyTable(move.yard.database))
    job_id = await move.yard.add(container=move.container)
    move.yard.jobs(move.copies, [JobKind.COPY]).start()
    read = 0
    while move.yard.state(job_id) is not JobState.DONE:
        name = names[read % len(names)]
        stream = await reading.get(move.container, name)
        assert await read_all(stream, limit=100) == name.encode()
        await stream.close()
        assert await reading.head(move.container, name) is not None
        read += 1
        # The store in memory never lets anybody else have a turn.
        await deferLater(reactor, 0)
    assert read > 0


@ensureDeferred
async def test_what_moved_on_is_not_copied(move: Move) -> None:
    await move.add(2)
    move.yard.psql.rows("DELETE FROM workspace WHERE container = %s", move.container)

    assert await move.copy() == ()

    assert move.store.calls["copy"] == 0
    # Downloads that had begun find it until the container goes.
    assert move.listed == 2
