"""What is recorded is in the table and in the log; what is noted follows within a second."""

from __future__ import annotations

import json
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import closing, contextmanager
from typing import Any
from uuid import UUID, uuid4

import pytest
import pytest_twisted
from attrs import evolve
from pytest_twisted import ensureDeferred
from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.logger import LogEvent, LogLevel, eventAsJSON

from stacksync.db.audit import AuditFilter
from stacksync.db.database import Database, Transaction
from stacksync.engine.audit import FLUSH_INTERVAL, Audit, audit_on
from stacksync.engine.audit.log import NAMESPACE
from stacksync.engine.audit.recent_sign_ins import NEWS_AGAIN
from stacksync.errors import Unavailable
from stacksync.model import AuditEvent, AuditKind, Principal, SignIn
from tests.db.conftest import StartDatabase
from tests.db.observation import CapturedLog, Psql, until

KEEP = 86400.0


class SetTime(Clock):
    """The reactor, but for the time, which the test sets."""

    def __getattr__(self, name: str) -> Any:
        return getattr(reactor, name)


@pytest.fixture
def clock() -> SetTime:
    return SetTime()


@pytest_twisted.async_yield_fixture
async def audit(database: Database, clock: SetTime) -> AsyncIterator[Audit]:
    made = audit_on(clock, database, KEEP)
    made.start()
    yield made
    await made.stop()


@pytest.fixture
def account_id() -> UUID:
    return uuid4()


@pytest.fixture
def signed_in(account_id: UUID) -> AuditEvent:
    return AuditEvent(
        AuditKind.SIGNED_IN, account_id, "a@x.org", address="192.0.2.1", sign_in=SignIn.PASSWORD
    )


@pytest.fixture
def refused(signed_in: AuditEvent) -> AuditEvent:
    return evolve(signed_in, kind=AuditKind.REFUSED, detail={"problem": "wrong password"})


async def lines(audit: Audit, account_id: UUID | None) -> list[AuditEvent]:
    """What is written about an account, oldest first, as it was noted."""
    found = await audit.latest(AuditFilter(account_id), 100)
    return [evolve(each, at=None, id=None) for each in reversed(found)]


def told(logged: CapturedLog) -> list[LogEvent]:
    return [each for each in logged.events if each.get("log_namespace") == NAMESPACE]


@contextmanager
def locked(psql: Psql) -> Iterator[None]:
    """Meanwhile nobody can write to the audit."""
    with closing(psql.connect()) as session:
        with closing(session.cursor()) as cursor:
            cursor.execute("LOCK TABLE audit_event")
        yield


@ensureDeferred
async def test_an_event_is_a_line_and_an_event_of_the_log_with_its_fields(
    audit: Audit, logged: CapturedLog, signed_in: AuditEvent
) -> None:
    event = evolve(signed_in, detail={"device": "lap\ntop"}, count=2)
    await audit.record(event)
    kept = evolve(event, detail={"device": "lap\N{REPLACEMENT CHARACTER}top"})
    assert await lines(audit, event.account_id) == [kept]
    (entry,) = told(logged)
    fields = {
        "audit_kind": "signed-in",
        "account_id": str(event.account_id),
        "email": "a@x.org",
        "address": "192.0.2.1",
        "sign_in": "password",
        "count": 2,
        "detail": kept.detail,
    }
    assert {name: entry[name] for name in fields} == fields
    in_json = json.loads(eventAsJSON(entry))
    assert {name: in_json[name] for name in fields} == fields
    assert entry["log_level"] is LogLevel.info
    assert "\n" not in entry["log_format"].format_map(entry)


@ensureDeferred
async def test_a_change_and_its_line_are_committed_or_rolled_back_together(
    audit: Audit, database: Database, logged: CapturedLog, account_id: UUID
) -> None:
    principal = Principal(account_id, SignIn.TOKEN, address="192.0.2.9")

    async def work(transaction: Transaction) -> None:
        await audit.record_done(transaction, AuditKind.TOKEN_REVOKED, principal, name="phone")
        assert told(logged) == []
        if told_to_fail:
            raise ZeroDivisionError

    told_to_fail = True
    with pytest.raises(ZeroDivisionError):
        await database.transaction("revoke", work)
    assert await lines(audit, account_id) == []
    assert told(logged) == []
    told_to_fail = False
    await database.transaction("revoke", work)
    (line,) = await lines(audit, account_id)
    assert line == AuditEvent(
        AuditKind.TOKEN_REVOKED, account_id, None, "192.0.2.9", SignIn.TOKEN, {"name": "phone"}
    )
    assert len(told(logged)) == 1


@ensureDeferred
async def test_what_is_done_to_somebody_else_is_about_him_and_says_by_whom(
    audit: Audit, database: Database, account_id: UUID
) -> None:
    other = uuid4()
    principal = Principal(account_id, SignIn.PASSWORD)
    await database.transaction(
        "unshare", lambda t: audit.record_done(t, AuditKind.UNSHARED, principal, other, folder="f")
    )
    (line,) = await lines(audit, other)
    assert (line.account_id, line.detail) == (other, {"folder": "f", "by": str(account_id)})
    assert await lines(audit, account_id) == [line]


@ensureDeferred
async def test_what_is_noted_is_written_within_a_second(
    audit: Audit, clock: SetTime, signed_in: AuditEvent, psql: Psql
) -> None:
    audit.note(signed_in)
    assert await lines(audit, signed_in.account_id) == []
    clock.advance(FLUSH_INTERVAL)
    counted = "SELECT count(*) FROM audit_event WHERE account_id = %s"
    await until(lambda: psql.value(counted, str(signed_in.account_id)) == 1)
    assert await lines(audit, signed_in.account_id) == [signed_in]


@ensureDeferred
async def test_ten_thousand_refusals_are_a_few_lines_that_add_up(
    audit: Audit, refused: AuditEvent, logged: CapturedLog
) -> None:
    strange = AuditEvent(AuditKind.REFUSED, address=f"guesser {uuid4()}")
    for n in range(10_000):
        audit.note(evolve(strange, email=f"{n}@x.org") if n % 2 else refused)
        if n % 1000 == 999:
            await audit.flush()
    assert await lines(audit, refused.account_id) == [evolve(refused, count=500)] * 10
    found = await audit.latest(AuditFilter(kinds=(AuditKind.REFUSED,)), 1000)
    guessed = [each for each in found if each.address == strange.address]
    assert sum(each.count for each in guessed) == 5000
    assert len(guessed) < 250
    assert len(told(logged)) < 300


@ensureDeferred
async def test_the_same_sign_in_is_news_again_after_an_hour_or_after_a_refusal(
    audit: Audit, clock: SetTime, signed_in: AuditEvent, refused: AuditEvent
) -> None:
    audit.note(signed_in)
    audit.note(signed_in)
    elsewhere = evolve(signed_in, address="192.0.2.2")
    audit.note(elsewhere)
    await audit.flush()
    expected = [signed_in, elsewhere]
    assert await lines(audit, signed_in.account_id) == expected
    clock.advance(NEWS_AGAIN - 0.1)
    audit.note(signed_in)
    await audit.flush()
    assert await lines(audit, signed_in.account_id) == expected
    clock.advance(0.2)
    audit.note(signed_in)
    await audit.flush()
    assert await lines(audit, signed_in.account_id) == [*expected, signed_in]
    audit.note(refused)
    audit.note(signed_in)
    await audit.flush()
    assert await lines(audit, signed_in.account_id) == [*expected, signed_in, refused, signed_in]


@ensureDeferred
async def test_what_a_database_that_is_away_does_not_take_is_written_when_it_is_back(
    start_database: StartDatabase,
    module_database_dsn: str,
    psql: Psql,
    clock: SetTime,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("stacksync.engine.audit.UNWRITTEN", 3)
    audit = audit_on(clock, start_database(module_database_dsn, statement_timeout=0.1))
    reader = audit_on(clock, start_database(module_database_dsn))
    events = [AuditEvent(AuditKind.SIGNED_IN, uuid4(), address="a") for _ in range(5)]
    with locked(psql):
        for event in events:
            audit.note(event)
            await audit.flush()
            clock.advance(1.0)
        with pytest.raises(Unavailable):
            await audit.record(events[0])
    clock.advance(5.0)
    # A machine that is busy may take more than the time that this one gives the database.
    end = time.monotonic() + 30
    while not await lost_lines(reader):
        assert time.monotonic() < end
        await audit.flush()
    assert [await lines(reader, each.account_id) for each in events] == [
        *([], []),
        *([event] for event in events[2:]),
    ]
    (lost,) = await lost_lines(reader)
    assert lost.count == 2
    # They are dated by when they were, not by when they could be written.
    found = await reader.latest(AuditFilter(events[4].account_id), 1)
    assert found[0].at is not None
    assert lost.at is not None
    assert 5.9 < (lost.at - found[0].at).total_seconds() < 6.1
    await audit.stop()


async def lost_lines(audit: Audit) -> tuple[AuditEvent, ...]:
    return await audit.latest(AuditFilter(kinds=(AuditKind.EVENTS_LOST,)), 10)


@ensureDeferred
async def test_the_last_notes_are_written_before_it_stops(
    database: Database, clock: SetTime, signed_in: AuditEvent
) -> None:
    audit = audit_on(clock, database)
    audit.start()
    audit.note(signed_in)
    await audit.stop()
    assert await lines(audit, signed_in.account_id) == [signed_in]
    assert clock.getDelayedCalls() == []


@ensureDeferred
async def test_it_does_not_wait_long_for_a_database_that_is_away_when_it_stops(
    database: Database, clock: SetTime, signed_in: AuditEvent, psql: Psql, logged: CapturedLog
) -> None:
    audit = audit_on(clock, database)
    audit.start()
    audit.note(signed_in)
    with locked(psql):
        stopping = Deferred.fromCoroutine(audit.stop())
        still = stopping.called
        clock.advance(5.0)
        assert (still, stopping.called) == (False, True)
    await stopping
    (warning,) = logged.lines(LogLevel.warn)
    assert "the log alone has the last lines (1)" in warning


@pytest.mark.parametrize(("keep", "left"), [(KEEP, 0), (0.0, 1)])
@ensureDeferred
async def test_lines_are_removed_when_they_are_older_than_they_are_kept(
    database: Database, clock: SetTime, psql: Psql, account_id: UUID, keep: float, left: int
) -> None:
    psql.rows(
        "INSERT INTO audit_event (kind, account_id, at)"
        " VALUES ('unshared', %s, now() - interval '2 days'), ('unshared', %s, now())",
        *(str(account_id), str(account_id)),
    )
    audit = audit_on(clock, database, keep)
    await audit.prune()
    assert len(await lines(audit, account_id)) == 1 + left
