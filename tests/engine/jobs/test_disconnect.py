"""Connections to the broker of somebody who may do less now."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from attrs import define, field
from pytest_twisted import ensureDeferred
from twisted.internet import reactor

from stacksync.config import LimitsConfig, ServiceConfig
from stacksync.db.database import Database
from stacksync.engine import Engine, engine_on
from stacksync.engine.jobs.disconnect import DisconnectJobs
from stacksync.engine.sign_in.sign_ins import BrokerAnswers
from stacksync.model import Account, Job, JobKind, JobState
from stacksync.storage import DiskStore
from tests.db.builders import World, folder
from tests.db.observation import CapturedLog
from tests.engine.conftest import People, database, logged, store, world
from tests.engine.folders import shared

__all__ = ["database", "logged", "store", "world"]

ANNA, DEVICE = UUID(int=1), UUID(int=2)


@define
class Connections:
    """Writes down what is closed and removed."""

    closed: list[str] = field(factory=list)
    removed: list[str] = field(factory=list)

    async def close(self, login: str, reason: str) -> None:
        self.closed.append(login)

    async def remove_queues(self, texts: Sequence[str]) -> None:
        self.removed += texts


@define
class Devices:
    async def devices(self, account_id: UUID) -> tuple[UUID, ...]:
        return (DEVICE,)


def job(**arguments: Any) -> Job:
    now = datetime(2026, 11, 21, tzinfo=UTC)
    waiting = JobState.RUNNING
    kind = JobKind.DISCONNECT
    return Job(1, kind, "broker:x", arguments, None, waiting, 0, now, None, 0, None, now, None)


async def untold(done: int, total: int) -> None: ...


@ensureDeferred
async def test_all_that_an_account_has_at_the_broker_ends() -> None:
    connections: Any = Connections()
    handler = DisconnectJobs(Devices(), lambda: connections)

    await handler.run(job(account_id=str(ANNA), logins=[str(ANNA), "anna@example.org"]), untold)
    await handler.run(job(account_id=str(ANNA), logins=[str(ANNA), None]), untold)

    assert connections.closed == [str(ANNA), "anna@example.org", str(ANNA)]
    assert connections.removed == [str(ANNA), str(DEVICE)] * 2


@ensureDeferred
async def test_without_a_management_api_the_operator_is_told_once(
    logged: CapturedLog,
) -> None:
    handler = DisconnectJobs(Devices(), lambda: None)

    for _ in range(2):
        await handler.run(job(account_id=str(ANNA), logins=[str(ANNA)]), untold)

    assert len(logged.lines_about("management_url")) == 1


# -- who leaves such jobs


@pytest.fixture
def engine(database: Database, store: DiskStore) -> Iterator[Engine]:
    """An engine whose broker asks, and remembers the answers for 5 s."""
    made = engine_on(
        database,
        reactor,
        ServiceConfig(hint_gather=0.001, sweep_interval=3600.0),
        LimitsConfig(),
        lanes=2,
        store=store,
        broker=BrokerAnswers(True, 5.0),
    )
    yield made
    made.stop()


@pytest.fixture
def people(engine: Engine, world: World) -> People:
    return People(engine, world)


async def disconnected(engine: Engine, account: Account) -> list[tuple[list[str], bool]]:
    """The logins of an account's jobs, and whether each has to wait for another one."""
    return [
        (each.arguments["logins"], each.after_id is not None)
        for each in await engine.jobs.list()
        if each.kind is JobKind.DISCONNECT and each.arguments["account_id"] == str(account.id)
    ]


@pytest.mark.parametrize("way", ["unshared", "left", "owner removed"])
@ensureDeferred
async def test_who_takes_part_no_more_is_disconnected(
    way: str, engine: Engine, people: People
) -> None:
    anna, berta = await people.person(), await people.person()
    (photos,) = await anna.items(folder("Photos"))
    await shared(anna, photos, berta)
    account = berta.user.account
    mine = [str(account.id), account.email]
    assert not await disconnected(engine, account)

    if way == "unshared":
        await engine.members.unshare(anna.principal, photos.id, [account.email])
    elif way == "left":
        await engine.members.leave(berta.principal, photos.id)
    else:
        await engine.accounts.remove(anna.user.account.id, keep_data=False)

    assert await disconnected(engine, account) == [(mine, False), (mine, True)]


@ensureDeferred
async def test_who_has_no_account_any_more_is_disconnected(engine: Engine, people: People) -> None:
    anna = await people.person()
    account = anna.user.account

    await engine.accounts.remove(account.id, keep_data=False)

    assert await disconnected(engine, account) == [
        ([str(account.id), account.email], False),
        ([str(account.id), account.email], True),
    ]


@ensureDeferred
async def test_who_has_another_e_mail_is_disconnected_by_both(
    engine: Engine, people: People
) -> None:
    anna = await people.person()
    account = anna.user.account

    await engine.accounts.update(account.id, email=f"new-{account.email}")

    logins = {login for logins, _ in await disconnected(engine, account) for login in logins}
    assert logins == {str(account.id), account.email, f"new-{account.email}"}
