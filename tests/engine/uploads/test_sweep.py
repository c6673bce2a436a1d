"""An upload whose time is over looks gone, and is removed some time later."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from pytest_twisted import ensureDeferred
from twisted.internet import reactor
from twisted.internet.task import Clock
from twisted.logger import LogLevel

from stacksync.config import LimitsConfig, ServiceConfig
from stacksync.db.database import Database
from stacksync.engine import Engine, engine_on
from stacksync.engine.uploads import Upload
from stacksync.engine.uploads.sweep import INTERVAL
from stacksync.errors import UploadNotFound
from stacksync.storage import DiskStore
from tests.db.conftest import StartDatabase
from tests.db.observation import CapturedLog, Psql, until
from tests.engine.conftest import People, Person
from tests.engine.uploads.uploading import begin, content_of, named, send

EXPIRE = 600.0


class SetTime(Clock):
    """The reactor, but for the time, which the test sets."""

    def __getattr__(self, name: str) -> Any:
        return getattr(reactor, name)


@pytest.fixture
def clock() -> SetTime:
    clock = SetTime()
    clock.advance(1_800_000_000)
    return clock


@pytest.fixture
def engine(database: Database, store: DiskStore, clock: SetTime) -> Iterator[Engine]:
    made = engine_on(
        database, clock, ServiceConfig(), LimitsConfig(), 2, store=store, upload_expire=EXPIRE
    )
    yield made
    made.stop()


async def assert_gone(person: Person, upload: Upload) -> None:
    uploads = person.engine.uploads
    for asking in (
        lambda: uploads.get(person.principal, upload.id),
        lambda: send(person, upload, b"x"),
        lambda: uploads.settle(person.principal, upload.id),
        lambda: uploads.terminate(person.principal, upload.id),
    ):
        with pytest.raises(UploadNotFound):
            await asking()


def row_count(psql: Psql, upload: Upload) -> int:
    count: int = psql.value("SELECT count(*) FROM upload WHERE id = %s", str(upload.id))
    return count


@ensureDeferred
async def test_an_upload_looks_gone_when_its_time_is_over(people: People, clock: SetTime) -> None:
    anna = await people.person()
    upload = await begin(anna)
    assert upload.expires_at.timestamp() == clock.seconds() + EXPIRE
    clock.advance(EXPIRE - 1)
    assert await anna.engine.uploads.get(anna.principal, upload.id) == upload
    clock.advance(1)
    await assert_gone(anna, upload)


@ensureDeferred
async def test_each_piece_gives_it_more_time(people: People, clock: SetTime) -> None:
    anna = await people.person()
    upload = await begin(anna, named(length=5))
    for content in (b"1", b"23"):
        clock.advance(EXPIRE - 1)
        upload = await send(anna, upload, content)
        assert upload.expires_at.timestamp() == clock.seconds() + EXPIRE
    clock.advance(EXPIRE - 1)
    done = await send(anna, upload, b"45")
    clock.advance(EXPIRE)
    await assert_gone(anna, upload)
    assert await content_of(anna, done.item_id) == b"12345"


@ensureDeferred
async def test_what_has_expired_is_removed_within_the_hour(
    people: People, clock: SetTime, psql: Psql, logged: CapturedLog
) -> None:
    anna = await people.person()
    old = await begin(anna)
    anna.engine.upload_sweep.start()
    clock.advance(INTERVAL - 1)
    young = await begin(anna)
    assert row_count(psql, old) == 1
    clock.advance(1)
    await until(lambda: row_count(psql, old) == 0)
    assert row_count(psql, young) == 1
    await until(lambda: logged.lines_about("had expired and were removed"))
    anna.engine.upload_sweep.stop()
    clock.advance(10 * INTERVAL)
    assert row_count(psql, young) == 1
    assert await anna.engine.uploads.remove_expired() == 1
    assert row_count(psql, young) == 0


@ensureDeferred
async def test_without_a_database_it_tries_again_later(
    start_database: StartDatabase,
    deserted_url: str,
    clock: SetTime,
    store: DiskStore,
    logged: CapturedLog,
) -> None:
    database = start_database(deserted_url, wait_timeout=0.1)
    engine = engine_on(database, clock, ServiceConfig(), LimitsConfig(), 2, store=store)
    engine.upload_sweep.start()
    clock.advance(INTERVAL)
    await until(lambda: logged.lines_about("uploads: database"))
    assert logged.lines(LogLevel.debug)
    assert not logged.errors
    engine.stop()
