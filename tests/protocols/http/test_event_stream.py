"""What waits for a slow reader is bounded, and nothing that a client needs is lost."""

from __future__ import annotations

import re
from uuid import UUID, uuid4

from hypothesis import given
from hypothesis import strategies as st

from stacksync.protocols.http.event_stream import BUFFER_BYTES, Waiting, frame, hint

ONE, OTHER = uuid4(), uuid4()


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
