"""What ends a sign-in is heard by every instance, or found by looking; time ends tokens too."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from attrs import define, evolve, field
from pytest_twisted import ensureDeferred
from twisted.internet.task import Clock

from stacksync.db.database import Database, Transaction
from stacksync.db.sign_ins import SignInTable
from stacksync.engine.sign_in.sign_ins import INTERVAL, OVERLAP, BrokerAnswers, SignIns
from stacksync.engine.sign_in.tokens import TokenOrder
from stacksync.events import SignInsChanged
from stacksync.model import Principal, SignIn
from tests.db.observation import Psql, until
from tests.engine.conftest import Listener, People


@define
class Instance:
    """The sign-ins of an instance with a clock of its own, and what it has told."""

    clock: Clock
    sign_ins: SignIns
    told: list[UUID] = field(factory=list)
    announced: list[UUID] = field(factory=list)
    woken: int = 0


@pytest.fixture
def instance(database: Database, psql: Psql) -> Iterator[Instance]:
    psql.rows("UPDATE account SET sign_ins_changed_at = '2000-01-01'")
    psql.rows("DELETE FROM job")
    clock = Clock()

    def wake() -> None:
        made.woken += 1

    table = SignInTable(database)
    answers = BrokerAnswers(asked=True, remembered=7.0)
    made = Instance(clock, SignIns(clock, table, lambda a: made.announced.append(a), wake, answers))
    made.sign_ins.subscribe(made.told.append)
    yield made
    made.sign_ins.stop()


async def change(database: Database, sign_ins: SignIns, account_id: UUID) -> None:
    async def work(transaction: Transaction) -> None:
        await sign_ins.changed(transaction, account_id)

    await database.transaction("change", work)


@ensureDeferred
async def test_a_change_reaches_every_instance_and_disconnects_from_the_broker(
    people: People, instance: Instance, database: Database, listener: Listener, psql: Psql
) -> None:
    anna = await people.person()
    other = anna.engine
    heard: list[UUID] = []
    other.sign_ins.subscribe(heard.append)
    other.start()
    await until(lambda: any("LISTEN" in each for each in psql.sessions().values()))

    # A look that came meanwhile has found the new account.
    heard.clear()
    listener.events.clear()

    await change(database, instance.sign_ins, anna.user.account.id)

    assert instance.told == [anna.user.account.id]
    await until(lambda: anna.user.account.id in heard)
    await until(lambda: SignInsChanged(anna.user.account.id) in listener.events)
    jobs = psql.rows(
        "SELECT arguments->'logins', after_id IS NULL, run_at > now() FROM job"
        " WHERE kind = 'disconnect' ORDER BY id"
    )
    logins = [str(anna.user.account.id), anna.user.account.email]
    assert jobs == [(logins, True, False), (logins, False, True)]


def test_who_is_on_the_way_in_is_disconnected_when_there() -> None:
    """The broker has asked about the password, and can't close the connection before it is in."""
    handshake_timeout = 10.0

    assert BrokerAnswers(asked=True).let_in > handshake_timeout
    assert BrokerAnswers(asked=True, remembered=7.0).let_in > 7.0 + handshake_timeout


@ensureDeferred
async def test_what_nobody_has_told_us_of_is_found_by_looking(
    people: People, instance: Instance, psql: Psql
) -> None:
    anna, bert = await people.person(), await people.person()
    await instance.sign_ins.look()
    told_at_first = len(instance.told)
    psql.rows("SELECT sign_ins_changed(%s, true, interval '0')", str(anna.user.account.id))

    await instance.sign_ins.look()
    await instance.sign_ins.look()

    assert instance.told[told_at_first:] == [anna.user.account.id]
    assert instance.announced == instance.told
    assert bert.user.account.id not in instance.told[told_at_first:]


@ensureDeferred
async def test_who_was_away_looks_back_as_long_as_that(
    people: People, instance: Instance, psql: Psql
) -> None:
    anna = await people.person()
    psql.rows(
        "UPDATE account SET sign_ins_changed_at = now() - %s * interval '1 s' WHERE id = %s",
        OVERLAP + 100,
        str(anna.user.account.id),
    )
    await instance.sign_ins.look()
    assert anna.user.account.id not in instance.told

    instance.clock.advance(101 + OVERLAP)
    await instance.sign_ins.look()

    assert anna.user.account.id in instance.told


@ensureDeferred
async def test_an_expired_token_is_removed_and_its_end_is_told(
    people: People, instance: Instance, psql: Psql
) -> None:
    anna = await people.person()
    order = TokenOrder(device_id=anna.user.device_id)
    expired = await anna.engine.tokens.make(anna.principal, order)
    kept = await anna.engine.tokens.make(anna.principal, order)
    await instance.sign_ins.look()
    instance.told.clear()
    psql.rows("DELETE FROM job")
    psql.rows(
        "UPDATE token SET expires_at = now() - interval '1 ms' WHERE id = %s",
        str(expired.token.id),
    )

    instance.sign_ins.start()
    instance.clock.advance(INTERVAL)

    await until(lambda: instance.told == [anna.user.account.id])
    assert psql.rows("SELECT id FROM token") == [(kept.token.id,)]
    assert psql.rows("SELECT count(*) FROM job WHERE kind = 'disconnect'") == [(2,)]


@ensureDeferred
async def test_a_sign_in_whose_time_is_over_holds_no_more_whatever_the_database_says(
    people: People, instance: Instance
) -> None:
    anna = await people.person()
    keystone = Principal(anna.user.account.id, SignIn.KEYSTONE)
    later = datetime.now(UTC) + timedelta(hours=1)

    assert await instance.sign_ins.holds(evolve(keystone, expires_at=later))
    assert not await instance.sign_ins.holds(evolve(keystone, expires_at=datetime.now(UTC)))


@ensureDeferred
async def test_the_end_of_an_account_is_the_end_of_its_sign_ins(people: People) -> None:
    anna = await people.person()
    assert await anna.engine.sign_ins.holds(anna.principal)

    await anna.engine.accounts.remove(anna.user.account.id, keep_data=False)

    assert not await anna.engine.sign_ins.holds(anna.principal)
