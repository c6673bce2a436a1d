"""Sign-ins and refusals wait in a bounded place: alike ones as one, and none goes uncounted."""

from __future__ import annotations

from uuid import uuid4

from attrs import evolve

from stacksync.engine.audit.notes import (
    MOST,
    STRANGERS,
    STRANGERS_IN_ALL,
    STRETCH,
    AuditNotes,
)
from stacksync.model import AuditEvent, AuditKind, SignIn

REFUSED = AuditEvent(
    AuditKind.REFUSED, email="a@x.org", address="192.0.2.1", sign_in=SignIn.PASSWORD
)
SIGNED_IN = AuditEvent(AuditKind.SIGNED_IN, uuid4(), address="192.0.2.1")


def taken(notes: AuditNotes) -> list[AuditEvent]:
    return [each.event for each in notes.take()]


def refused(notes: AuditNotes, times: int, *, addresses: int = 1, now: float = 0.0) -> None:
    for n in range(times):
        address = f"198.51.100.{n % addresses}/{n % addresses}"
        notes.add(evolve(REFUSED, email=f"{n}@x.org", address=address), now)


def test_alike_ones_are_one_with_their_number_and_the_time_of_the_first() -> None:
    notes = AuditNotes()
    for now in (1.0, 2.0, 3.0):
        notes.add(REFUSED, now)
    notes.add(evolve(REFUSED, detail={"problem": "another"}), 4.0)
    first, second = notes.take()
    assert (first.event, first.since) == (evolve(REFUSED, count=3), 1.0)
    assert (second.event.count, second.since) == (1, 4.0)
    assert taken(notes) == []
    notes.add(REFUSED, 5.0)
    assert taken(notes) == [REFUSED]


def test_the_order_of_the_detail_makes_no_difference() -> None:
    notes = AuditNotes()
    for detail in ({"a": 1, "b": [2]}, {"b": [2], "a": 1}):
        notes.add(evolve(REFUSED, detail=detail), 0.0)
    assert len(notes) == 1


def test_one_who_tries_many_names_fills_few_lines() -> None:
    notes = AuditNotes()
    refused(notes, 10_000)
    lines = taken(notes)
    assert len(lines) == STRANGERS + 1
    assert sum(each.count for each in lines) == 10_000
    assert (lines[-1].email, lines[-1].address) == (None, lines[0].address)
    assert notes.dropped == 0


def test_who_goes_on_trying_fills_few_lines_a_minute() -> None:
    notes = AuditNotes()
    lines = []
    for second in range(int(STRETCH)):
        refused(notes, 100, now=second)
        lines.append(len(taken(notes)))
    assert lines == [STRANGERS + 1] + [1] * (int(STRETCH) - 1)
    refused(notes, 100, now=STRETCH)
    assert len(notes) == STRANGERS + 1


def test_guesses_at_accounts_that_there_are_are_told_each_whatever_else_is_tried() -> None:
    notes = AuditNotes()
    refused(notes, 1000)
    known = evolve(REFUSED, account_id=uuid4(), address="198.51.100.0/0")
    notes.add(known, 0.0)
    assert taken(notes)[-1] == known


def test_many_who_try_many_names_fill_no_more_than_there_is_room_for() -> None:
    notes = AuditNotes()
    refused(notes, 10_000, addresses=2000)
    lines = taken(notes)
    # Those from any password, from any address, are one.
    assert len(lines) <= MOST + 1
    assert sum(each.count for each in lines) == 10_000
    assert notes.dropped == 0


def test_many_who_go_on_trying_fill_few_lines_a_minute() -> None:
    notes = AuditNotes()
    lines = []
    for second in range(int(STRETCH)):
        refused(notes, 300, addresses=100, now=float(second))
        lines += taken(notes)
    assert len(lines) <= STRANGERS_IN_ALL + STRETCH
    assert sum(each.count for each in lines) == 300 * STRETCH
    refused(notes, 1, now=STRETCH)
    assert taken(notes)[0].email == "0@x.org"


def test_sign_ins_that_there_is_no_room_for_are_counted() -> None:
    notes = AuditNotes()
    for _ in range(MOST + 5):
        notes.add(evolve(SIGNED_IN, account_id=uuid4()), 0.0)
    assert len(taken(notes)) == MOST
    assert notes.dropped == 5
