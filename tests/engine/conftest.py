"""An engine on a real database, people who use it, and somebody who listens to it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from attrs import define, field, frozen
from twisted.internet import reactor
from zope.interface import implementer

from stacksync.config import LimitsConfig, ServiceConfig
from stacksync.db.database import Database
from stacksync.engine import Engine, engine_on
from stacksync.events import Committed, Event
from stacksync.interfaces import IEventSink
from stacksync.model import CommitRequest, CommitResult, Item, ItemChange, Principal, SignIn
from stacksync.storage import DiskStore
from tests.db.builders import User, World, committed, number
from tests.db.conftest import database, deserted_url, logged, psql, start_database, world
from tests.storage.conftest import store

__all__ = ["database", "deserted_url", "logged", "psql", "start_database", "store", "world"]


@implementer(IEventSink)
@define(eq=False)
class Listener:
    """A front-end that writes down what it is told, or fails to tell its devices."""

    name: str = "listener"
    events: list[Event] = field(factory=list)
    failure: Exception | None = None

    async def announce(self, event: Event) -> None:
        if self.failure is not None:
            raise self.failure
        self.events.append(event)

    @property
    def results(self) -> list[CommitResult]:
        return [event.result for event in self.events if isinstance(event, Committed)]


@frozen
class Person:
    """A user of the engine."""

    engine: Engine
    user: User
    principal: Principal

    def request(
        self, *changes: ItemChange, request_id: str | None = None, **others: object
    ) -> CommitRequest:
        values = {
            "workspace_id": self.user.workspace_id,
            "device_id": self.user.device_id,
            "request_id": request_id if request_id is not None else f"request-{number()}",
            "changes": changes,
            **others,
        }
        return CommitRequest(**values)  # type: ignore[arg-type]

    async def commit(self, *changes: ItemChange) -> CommitResult:
        return await self.engine.commits.commit(self.principal, self.request(*changes))

    async def items(self, *changes: ItemChange) -> list[Item]:
        return [committed(outcome) for outcome in (await self.commit(*changes)).outcomes]

    async def item(self, change: ItemChange) -> Item:
        (item,) = await self.items(change)
        return item


@pytest.fixture
def engine(database: Database, store: DiskStore) -> Iterator[Engine]:
    settings = ServiceConfig(hint_gather=0.001, sweep_interval=3600.0)
    made = engine_on(database, reactor, settings, LimitsConfig(), lanes=2, store=store)
    yield made
    made.stop()


@pytest.fixture
def listener(engine: Engine) -> Listener:
    made = Listener()
    engine.notifier.subscribe(made)
    return made


@define
class People:
    """Makes people with accounts, devices and workspaces of their own."""

    engine: Engine
    world: World

    async def person(self, quota: int = 10**9) -> Person:
        user = await self.world.user(quota)
        return Person(self.engine, user, Principal(user.account.id, SignIn.PASSWORD))


@pytest.fixture
def people(engine: Engine, world: World) -> People:
    return People(engine, world)
