"""A whole service below the front-ends, for those who look after all of it at once.

Its database is the test's own: collections and repairs go through every
workspace that there is.
"""

from __future__ import annotations

import os
import time
from collections.abc import AsyncIterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest_twisted
from attrs import define
from twisted.internet import reactor

from stacksync.config import DatabaseConfig, LimitsConfig, RetentionConfig, ServiceConfig
from stacksync.db.database import Database
from stacksync.db.session import UPKEEP
from stacksync.engine import Engine, engine_on
from stacksync.engine.check import Check, Finding
from stacksync.engine.garbage import Collected, GarbageCollection
from stacksync.model import Item
from stacksync.storage import DiskStore
from stacksync.streams import BytesStream
from tests.db.builders import World
from tests.db.observation import Psql, until
from tests.engine.conftest import People, Person
from tests.engine.content.builders import all_of

HOUR = 3600.0
DAY = 24 * HOUR


@define
class Estate:
    """Database, store, engine, and an operator's view of the first two."""

    database: Database
    root: Path
    store: DiskStore
    engine: Engine
    psql: Psql

    async def person(self) -> Person:
        return await People(self.engine, World(self.database)).person()

    async def upload(
        self, person: Person, name: str, content: bytes, parent: Item | None = None
    ) -> Item:
        return await self.engine.files.create(
            person.principal,
            name,
            parent.id if parent is not None else None,
            BytesStream(content),
            length=len(content),
        )

    async def overwrite(self, person: Person, item: Item, content: bytes) -> Item:
        return await self.engine.files.replace(
            person.principal, item.id, BytesStream(content), length=len(content)
        )

    async def delete(self, person: Person, item: Item) -> Item:
        return await self.engine.items.delete(person.principal, item.id, is_folder=item.is_folder)

    async def content(self, person: Person, item: Item, number: int | None = None) -> bytes:
        """The bytes of a file, of its newest version unless said otherwise."""
        opened = await self.engine.files.open(person.principal, item.id, number)
        return await all_of(await opened.read(0, opened.item.size))

    def container(self, person: Person) -> str:
        return str(
            self.psql.value(
                "SELECT container FROM workspace WHERE id = %s", person.user.workspace_id
            )
        )

    def paths(self, person: Person) -> dict[str, Path]:
        """The files of the chunks in a person's container."""
        container = self.root / "containers" / self.container(person)
        return {path.name: path for path in container.rglob("*") if path.is_file()}

    def chunks(self, person: Person) -> set[str]:
        return set(self.paths(person))

    def age(self, seconds: float) -> None:
        """Let everything be that much older: objects, versions, answers and uploads."""
        then = time.time() - seconds
        for path in (self.root / "containers").rglob("*"):
            if path.is_file():
                os.utime(path, (then, min(then, path.stat().st_mtime - seconds)))
        self.psql.rows(
            "UPDATE item_version SET committed_at = committed_at - %s * interval '1 s'", seconds
        )
        self.psql.rows(
            "UPDATE answered_request SET answered_at = answered_at - %s * interval '1 s'", seconds
        )
        self.psql.rows("UPDATE upload SET expires_at = expires_at - %s * interval '1 s'", seconds)

    def collection(self, **options: Any) -> GarbageCollection:
        """A collection that spares what is less than an hour old.

        :param options: of :class:`RetentionConfig`, and of the collection.
        """
        names = ("keep_versions", "keep_days")
        keep = RetentionConfig(**{each: options.pop(each) for each in names if each in options})
        values = {"grace": timedelta(hours=1), "settle": 0.0, "store": self.store, **options}
        store = values.pop("store")
        return GarbageCollection(reactor, self.database.dsn, store, keep, **values)

    async def collect(self, **options: Any) -> Collected | None:
        """Collect garbage; what went, if it is of one workspace at most."""
        collection = self.collection(**options)
        await collection.run()
        (collected,) = collection.collected.values() or [None]
        return collected

    async def until_nobody_collects(self) -> None:
        """Until the server has noticed that a collection which failed is gone, with its lock."""
        await until(
            lambda: (
                not self.psql.value(
                    "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'"
                    " AND (classid::bigint << 32 | objid::bigint) = %s AND database ="
                    " (SELECT oid FROM pg_database WHERE datname = current_database())",
                    UPKEEP,
                )
            )
        )

    async def check(self, **options: Any) -> list[Finding]:
        """What a check finds; options are its own."""
        check = self.new_check(**options)
        await check.run()
        return check.findings.kept

    def new_check(self, **options: Any) -> Check:
        engine = self.engine
        return Check(
            reactor, self.database, self.store, engine.content.threads, engine.devices, **options
        )

    async def is_sound(self) -> None:
        """Fail if a check finds anything."""
        assert await self.check() == []


@pytest_twisted.async_yield_fixture
async def estate(database_dsn: str, tmp_path: Path) -> AsyncIterator[Estate]:
    """A service without anybody in it."""
    database = Database(reactor, DatabaseConfig(url=database_dsn))
    database.start()
    root = tmp_path / "objects"
    store = DiskStore(reactor, root)
    store.start()
    settings = ServiceConfig(hint_gather=0.001, sweep_interval=3600.0)
    engine = engine_on(database, reactor, settings, LimitsConfig(), lanes=2, store=store)
    with closing(Psql(database_dsn)) as psql:
        yield Estate(database, root, store, engine, psql)
        engine.stop()
        database.stop()
        await store.stop()
