"""What waits for a slow reader is bounded, and nothing that a client needs is lost."""

from __future__ import annotations

import re
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pytest_twisted import ensureDeferred
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock

from stacksync.config import HttpConfig
from stacksync.events import Committed
from stacksync.protocols.http.events.event_stream import (
    BUFFER_BYTES,
    EventStream,
    Waiting,
    frame,
    hint,
)
from tests.protocols.http.builders import changed, commit_result, new_file
from tests.protocols.http.client import Patience, eventually
from tests.protocols.http.conftest import Server, StartSite, User
from tests.protocols.http.engines import MadeUpEngine, Noun
from tests.protocols.http.streams import HOME, announce, engine_with, opened

ONE, OTHER = uuid4(), uuid4()


@pytest.fixture
def settings() -> HttpConfig:
    """Nobody is dropped for not reading, however long this machine takes for a test."""
    return HttpConfig(event_heartbeat=3600)


def drained(waiting: Waiting) -> list[bytes]:
    events = []
    while (event := waiting.take()) is not None:
        events.append(event)
    return events


def test_an_event_is_framed_as_the_standard_has_it() -> None:
    assert frame("commit", b"{}") == b"event: commit\ndata: {}\n\n"
    assert hint(ONE, 7) == (
        b'event: commit\ndata: {"workspace_id":"%s","revision":7}\n\n' % str(ONE).encode()
    )


def test_a_few_events_wait_as_they_are() -> None:
    waiting = Waiting(3)
    for number in range(3):
        waiting.add(ONE, number, b"%d" % number)

    assert drained(waiting) == [b"0", b"1", b"2"]
    assert waiting.size == 0


def test_too_many_become_one_hint_for_each_workspace() -> None:
    waiting = Waiting(10)
    for revision in range(1, 1001):
        waiting.add(ONE, revision, b"x" * 100)
        waiting.add(OTHER, revision * 2, b"x" * 100)
    waiting.add(ONE, 3, b"a late hint of an old revision")

    assert len(waiting) == 2
    assert waiting.size == 0
    assert set(drained(waiting)) == {hint(ONE, 1000), hint(OTHER, 2000)}


def test_too_many_bytes_become_hints_as_well() -> None:
    waiting = Waiting(1000)
    for revision in range(1, 12):
        waiting.add(ONE, revision, b"x" * (BUFFER_BYTES // 10))

    assert drained(waiting) == [hint(ONE, 11)]


def test_of_the_renamings_of_a_workspace_the_last_is_kept() -> None:
    waiting = Waiting(4)
    for number in range(20):
        waiting.add(ONE, None, b"name %d" % number)
        waiting.add(ONE, number + 1, b"commit %d" % number)

    assert drained(waiting) == [b"name 19", hint(ONE, 20)]
    assert waiting.size == 0


def test_when_all_is_told_events_wait_as_they_are_again() -> None:
    waiting = Waiting(2)
    for revision in range(1, 10):
        waiting.add(ONE, revision, b"x")
    assert drained(waiting) == [hint(ONE, 9)]
    waiting.add(ONE, 10, b"the tenth")

    assert drained(waiting) == [b"the tenth"]


def test_what_comes_while_hints_are_told_becomes_a_hint() -> None:
    waiting = Waiting(2)
    for revision in range(1, 10):
        waiting.add(ONE, revision, b"x")
        waiting.add(OTHER, revision, b"x")
    first = waiting.take()
    waiting.add(ONE, 10, b"the tenth")

    assert first == hint(ONE, 9)
    assert set(drained(waiting)) == {hint(ONE, 10), hint(OTHER, 9)}


@given(
    st.lists(
        st.tuples(st.sampled_from([ONE, OTHER]), st.sampled_from([10, 50_000]), st.booleans()),
        max_size=120,
    )
)
def test_whatever_comes_it_is_bounded_and_tells_the_newest_revisions(
    steps: list[tuple[UUID, int, bool]],
) -> None:
    waiting = Waiting(8)
    newest: dict[UUID, int] = {}
    told: dict[UUID, int] = {}

    def read(event: bytes | None) -> None:
        if event is None:
            return
        workspace, revision = re.search(rb'id":"([^"]*)","revision":(\d+)', event).groups()
        told[UUID(workspace.decode())] = int(revision)

    for workspace_id, size, takes_one in steps:
        newest[workspace_id] = newest.get(workspace_id, 0) + 1
        event = hint(workspace_id, newest[workspace_id]) + b" " * size
        waiting.add(workspace_id, newest[workspace_id], event)
        assert len(waiting) <= 8
        assert waiting.size <= BUFFER_BYTES
        if takes_one:
            read(waiting.take())
    for event in drained(waiting):
        read(event)

    assert told == newest


@ensureDeferred
async def test_a_silent_stream_has_a_heartbeat(start_site: StartSite) -> None:
    _, client = await start_site(engine_with(HOME), event_heartbeat=0.05)
    stream = await opened(client)

    for _ in range(3):
        assert b": alive\n\n" in await stream.until(b": alive\n\n")


@ensureDeferred
async def test_a_stream_outlives_the_time_limit_of_requests(start_site: StartSite) -> None:
    engine = engine_with(HOME)
    clock = Clock()
    site, client = await start_site(engine, clock=clock, request_timeout=60)
    stream = await opened(client)
    clock.advance(200)

    await announce(engine, [Committed(commit_result(HOME.id, 4))])

    assert (await stream.event())[1]["revision"] == 4
    assert len(site.in_flight) == 0


@ensureDeferred
async def test_a_client_that_hangs_up_leaves_nothing_behind(start_site: StartSite) -> None:
    engine = engine_with(HOME)
    site, client = await start_site(engine)
    streams = [await opened(client) for _ in range(3)]
    assert len(site.streams) == 3

    for stream in streams:
        stream.hang_up()
    await eventually(lambda: len(site.streams) == 0)

    assert not site.streams._followers.of(HOME.id)
    assert not site.streams._by_account
    await announce(engine, [Committed(commit_result(HOME.id, 4))])


@ensureDeferred
async def test_a_slow_reader_is_bounded_and_delays_nobody(server: Server, anna: User) -> None:
    slow, fast = await opened(anna.client), await opened(anna.client)
    slow.transport.pauseProducing()
    (told,) = (await anna.commit(new_file(chunks=[f"chk-{n:0200}" for n in range(200)])))["items"]
    await fast.event()
    biggest = 0
    for revision in range(2, 251):
        await anna.commit(changed(told["metadata"], version=revision))
        assert (await fast.event())[1]["revision"] == revision
        biggest = max(biggest, *(buffered(stream) for stream in server.site.streams._streams))

    assert 0 < biggest <= BUFFER_BYTES
    slow.transport.resumeProducing()
    revisions: list[int] = []
    while not revisions or revisions[-1] < 250:
        revisions.append((await slow.event())[1]["revision"])
    assert revisions == sorted(revisions)
    assert len(revisions) < 250, "it was told hints instead"

    await anna.commit(new_file())
    assert len((await slow.event())[1]["items"]) == 1, "and is told everything again"


def buffered(stream: EventStream) -> int:
    return stream.waiting.size


@ensureDeferred
async def test_who_never_reads_again_is_dropped(
    start_site: StartSite,
) -> None:
    engine = engine_with(HOME)
    clock = Clock()
    site, client = await start_site(engine, clock=clock, event_heartbeat=15)
    silent, other = await opened(client), await opened(client)
    silent.transport.pauseProducing()
    big = Committed(commit_result(HOME.id, 4, items=500))
    while len(site.streams) == 2:
        await announce(engine, [big])
        await other.event()
        clock.advance(15)

    await announce(engine, [Committed(commit_result(HOME.id, 5))])
    assert (await other.event())[1]["revision"] == 5


@ensureDeferred
async def test_a_stream_that_takes_too_long_to_begin_is_given_up(start_site: StartSite) -> None:
    async def never(principal: Any) -> Any:
        await Deferred()

    clock = Clock()
    engine = MadeUpEngine(workspaces=Noun(list=never))
    site, client = await start_site(engine, clock=clock, request_timeout=60)
    asked = Deferred.fromCoroutine(client.get("/api/events"))
    await eventually(lambda: site.in_flight)

    clock.advance(61)

    assert (await asked).code == 503
    assert len(site.streams) == 0


@ensureDeferred
async def test_streams_end_properly_when_the_server_stops(start_site: StartSite) -> None:
    site, client = await start_site(engine_with(HOME))
    stream = await opened(client)

    site.streams.stop()

    assert b": the server stops\n\n" in await stream.until(b"0\r\n\r\n")
    answer = await client.get("/api/events")
    assert (answer.code, answer.json["description"]) == (503, "the server stops")


@ensureDeferred
async def test_a_stream_that_was_about_to_begin_when_the_server_stops_does_not(
    start_site: StartSite,
) -> None:
    patience = Patience()

    async def list_slowly(principal: Any) -> Any:
        await patience.wait()
        return ()

    site, client = await start_site(MadeUpEngine(workspaces=Noun(list=list_slowly)))
    asked = Deferred.fromCoroutine(client.get("/api/events"))
    await eventually(lambda: patience.waiting)
    site.streams.stop()
    patience.go_on()

    assert (await asked).code == 503
    assert len(site.streams) == 0
