"""Lines of the audit are added, found by what they are about, and removed when they are old."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from attrs import evolve
from pytest_twisted import ensureDeferred

from stacksync.db.accounts import AccountTable
from stacksync.db.audit import AuditFilter, AuditTable
from stacksync.db.database import Database, Transaction
from stacksync.model import AuditEvent, AuditKind, SignIn
from tests.db.builders import number
from tests.db.observation import Psql

EVENT = AuditEvent(
    AuditKind.REFUSED,
    email="stranger@example.org",
    address="192.0.2.7",
    sign_in=SignIn.PASSWORD,
    detail={"problem": "wrong password", "nested": [1, "ä"]},
    count=37,
)


@pytest.fixture
def table(database: Database) -> AuditTable:
    return AuditTable(database)


async def lines_about(table: AuditTable, account_id: UUID) -> tuple[AuditEvent, ...]:
    return await table.page(AuditFilter(account_id), 100)


@ensureDeferred
async def test_a_line_is_read_as_it_was_written(table: AuditTable, database: Database) -> None:
    event = evolve(EVENT, account_id=uuid4())
    written = await database.transaction("add", lambda t: table.add(t, event))
    assert evolve(written, at=None, id=None) == event
    assert written.at is not None
    assert abs(datetime.now(UTC) - written.at) < timedelta(minutes=1)
    assert await lines_about(table, event.account_id) == (written,)  # type: ignore[arg-type]


@ensureDeferred
async def test_what_is_rolled_back_is_in_no_line(table: AuditTable, database: Database) -> None:
    event = evolve(EVENT, account_id=uuid4())

    async def work(transaction: Transaction) -> None:
        await table.add(transaction, event)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await database.transaction("add", work)
    assert await lines_about(table, event.account_id) == ()  # type: ignore[arg-type]


@ensureDeferred
async def test_the_e_mail_of_the_account_then_is_added_where_none_is_said(
    table: AuditTable, database: Database
) -> None:
    email = f"anna-{number()}@example.org"
    account = await AccountTable(database).insert(email, "Anna", 1, None, "files")
    said = evolve(EVENT, account_id=account.id)
    first, second = await table.add_many([(evolve(said, email=None), 0.0), (said, 0.0)])
    assert (first.email, second.email) == (email, EVENT.email)
    (strange,) = await table.add_many([(AuditEvent(AuditKind.REFUSED, uuid4()), 0.0)])
    assert strange.email is None


@ensureDeferred
async def test_lines_are_dated_by_how_long_ago_they_were(table: AuditTable) -> None:
    account_id = uuid4()
    event = AuditEvent(AuditKind.SIGNED_IN, account_id)
    written = await table.add_many([(event, 3600.0), (event, 10.0), (event, 1800.0)])
    found = await lines_about(table, account_id)
    assert found == (written[1], written[2], written[0])
    assert found[0].at is not None
    assert found[2].at is not None
    assert found[0].at - found[2].at == timedelta(seconds=3590)


@ensureDeferred
async def test_pages_follow_one_another_newest_first(table: AuditTable) -> None:
    account_id = uuid4()
    # At one moment, by the same statement: their ids tell which came first.
    moment = datetime.now(UTC)
    event = AuditEvent(AuditKind.SIGNED_IN, account_id, at=moment)
    written = await table.add_many([(evolve(event, count=n), 0.0) for n in range(1, 6)])
    wanted = AuditFilter(account_id)
    first = await table.page(wanted, 2)
    second = await table.page(wanted, 2, before=first[-1])
    last = await table.page(wanted, 2, before=second[-1])
    assert (*first, *second, *last) == written[::-1]
    assert await table.page(wanted, 2, before=last[-1]) == ()


@ensureDeferred
async def test_lines_are_found_by_account_kind_and_time(table: AuditTable) -> None:
    anna, berta = uuid4(), uuid4()
    email = f"Anna-{number()}@example.org"
    of_anna = AuditEvent(AuditKind.SIGNED_IN, anna, email="former@example.org")
    by_anna = AuditEvent(AuditKind.UNSHARED, berta, detail={"by": str(anna)})
    called_anna = AuditEvent(AuditKind.REFUSED, email=email)
    of_berta = AuditEvent(AuditKind.SIGNED_IN, berta)
    events = ((of_anna, 300.0), (by_anna, 200.0), (called_anna, 100.0), (of_berta, 0.0))
    first, second, third, fourth = await table.add_many(events)

    async def found(wanted: AuditFilter) -> tuple[AuditEvent, ...]:
        # The tests of this module share a database.
        return tuple(
            each for each in await table.page(wanted, 1000)
            if each in (first, second, third, fourth)
        )  # fmt: skip

    assert await found(AuditFilter(anna)) == (second, first)
    assert await found(AuditFilter(anna, email.lower())) == (third, second, first)
    assert await found(AuditFilter(email=email.upper())) == (third,)
    assert await found(AuditFilter(berta)) == (fourth, second)
    kinds = (AuditKind.UNSHARED, AuditKind.REFUSED)
    assert await found(AuditFilter(kinds=kinds)) == (third, second)
    assert await found(AuditFilter(anna, kinds=kinds)) == (second,)
    assert await found(AuditFilter(kinds=())) == ()
    since = datetime.now(UTC) - timedelta(seconds=150)
    assert await found(AuditFilter(since=since)) == (fourth, third)
    assert await found(AuditFilter()) == (fourth, third, second, first)


@ensureDeferred
async def test_kinds_and_ways_that_only_another_version_knows_are_shown_as_they_are(
    table: AuditTable, psql: Psql
) -> None:
    account_id = uuid4()
    psql.rows(
        "INSERT INTO audit_event (kind, account_id, sign_in) VALUES ('levitated', %s, 'nodding')",
        str(account_id),
    )
    (found,) = await lines_about(table, account_id)
    assert (str(found.kind), str(found.sign_in)) == ("levitated", "nodding")


@ensureDeferred
async def test_old_lines_are_removed_a_part_at_a_time(
    table: AuditTable, psql: Psql, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("stacksync.db.audit.PRUNED_AT_ONCE", 2)
    account_id = uuid4()
    event = AuditEvent(AuditKind.SIGNED_IN, account_id)
    await table.add_many([(event, 7200.0 + n) for n in range(3)] + [(event, 3000.0)])
    removed = []
    while pruned := await table.prune(3600.0):
        removed.append(pruned)
    assert removed[0] == 2
    assert sum(removed) >= 3
    assert len(await lines_about(table, account_id)) == 1
