"""What arrived of an upload is kept once, from the offset where it stands, until it expires."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from attrs import evolve
from pytest_twisted import ensureDeferred
from twisted.internet.defer import Deferred, gatherResults

from stacksync.db.database import Database
from stacksync.db.uploads import Arrived, Upload, UploadTable
from tests.db.builders import User, World
from tests.db.observation import Psql

NOON = datetime(2026, 11, 21, 12, 0, 0, 123000, tzinfo=UTC)
LATER = NOON + timedelta(hours=1)
NEXT_DAY = NOON + timedelta(days=1)

TAIL = bytes(range(256))
MORE = Arrived(("a", "b"), TAIL, 17, "image/png")


@pytest.fixture
def table(database: Database) -> UploadTable:
    return UploadTable(database)


def new_upload(user: User, **fields: Any) -> Upload:
    values: dict[str, Any] = {
        "id": uuid4(),
        "account_id": user.account.id,
        "workspace_id": user.workspace_id,
        "device_id": user.device_id,
        "parent_id": 7,
        "name": "Grüße.txt",
        "file_id": None,
        "base_version": None,
        "mimetype": "text/plain",
        "modified_at": NOON,
        "metadata": "filename R3LDvMOfZS50eHQ=",
        "length": 1000,
        "offset": 0,
        "refusals": 0,
        "item_id": None,
        "item_version": None,
        "expires_at": NEXT_DAY,
    }
    return Upload(**{**values, **fields})


async def begin(table: UploadTable, user: User, **fields: Any) -> Upload:
    new = new_upload(user, **fields)
    await table.insert(new, 1, NOON)
    return new


async def reached(table: UploadTable, upload: Upload, offset: int, more: Arrived = MORE) -> Upload:
    """The upload after it went on."""
    found = await table.advance(upload, offset, more, NEXT_DAY, NOON)
    assert found is not None
    return found


@ensureDeferred
async def test_an_upload_is_found_as_it_was_begun(table: UploadTable, world: World) -> None:
    anna = await world.user()
    for fields in (
        {},
        {"length": None, "device_id": None, "parent_id": None, "mimetype": None},
        {"parent_id": None, "file_id": 12, "base_version": 3, "modified_at": None, "length": 2**40},
    ):
        new = await begin(table, anna, **fields)
        assert await table.find(anna.account.id, new.id, NOON) == new
        assert await table.arrived(new, NEXT_DAY, NOON) == Arrived((), b"", 1, None)
        await table.insert(evolve(new, metadata="another"), 1, NOON)
        assert await table.find(anna.account.id, new.id, NOON) == new


@ensureDeferred
async def test_an_upload_is_nobody_elses_and_gone_once_it_has_expired(
    table: UploadTable, world: World
) -> None:
    anna, berta = await world.user(), await world.user()
    new = await begin(table, anna)
    for account, upload_id, now in (
        (berta.account.id, new.id, NOON),
        (anna.account.id, uuid4(), NOON),
        (anna.account.id, new.id, NEXT_DAY),
    ):
        assert await table.find(account, upload_id, now) is None
        assert not await table.delete(account, upload_id, now)
    assert await table.advance(new, 10, MORE, NEXT_DAY, NEXT_DAY) is None
    assert await table.find(anna.account.id, new.id, NOON) == new


@ensureDeferred
async def test_what_arrives_is_added_to_what_is_there(table: UploadTable, world: World) -> None:
    anna = await world.user()
    new = await begin(table, anna)
    first = await reached(table, new, 600)
    assert first == evolve(new, offset=600)
    assert await table.arrived(first, NEXT_DAY, NOON) == evolve(MORE, chunks=())
    later = NEXT_DAY + timedelta(hours=5)
    second = await table.advance(first, 1000, Arrived(("c",), b"", 18, None), later, LATER)
    assert second == evolve(new, offset=1000, expires_at=later)
    assert second.complete
    assert await table.chunks(new.id) == ("a", "b", "c")
    assert await table.arrived(second, NEXT_DAY, NOON) == Arrived((), b"", 18, None)


@ensureDeferred
async def test_an_upload_that_is_taken_up_is_kept_for_longer(
    table: UploadTable, world: World
) -> None:
    anna = await world.user()
    new = await begin(table, anna)
    later = NEXT_DAY + timedelta(hours=5)
    for expires_at in (later, NEXT_DAY):
        assert await table.arrived(new, expires_at, LATER) is not None
        found = await table.find(anna.account.id, new.id, NEXT_DAY)
        assert found == evolve(new, expires_at=later)
    assert await table.arrived(new, later, later) is None


@ensureDeferred
async def test_of_several_who_go_on_from_one_offset_one_succeeds(
    table: UploadTable, world: World
) -> None:
    anna = await world.user()
    new = await begin(table, anna)
    results = await gatherResults(
        Deferred.fromCoroutine(
            table.advance(new, 10 + n, Arrived((str(n),), b"", n, None), NEXT_DAY, NOON)
        )
        for n in range(8)
    )
    (winner,) = [result for result in results if result is not None]
    assert await table.chunks(new.id) == (str(winner.offset - 10),)
    assert await table.arrived(new, NEXT_DAY, NOON) is None
    assert await table.advance(new, 5, MORE, NEXT_DAY, NOON) is None


@ensureDeferred
async def test_the_length_is_said_once(table: UploadTable, world: World) -> None:
    anna = await world.user()
    new = await begin(table, anna, length=None)
    assert not new.complete
    told = await table.set_length(new, 500, NOON)
    assert told == evolve(new, length=500)
    assert await table.set_length(new, 500, NOON) == told
    assert await table.set_length(new, 501, NOON) is None
    await reached(table, told, 100)
    assert await table.set_length(new, 500, NOON) is None


@ensureDeferred
async def test_a_refusal_is_counted_once(table: UploadTable, world: World) -> None:
    anna = await world.user()
    new = await begin(table, anna)
    for _ in range(2):
        await table.refused(new, NOON)
    found = await table.find(anna.account.id, new.id, NOON)
    assert found == evolve(new, refusals=1)


@ensureDeferred
async def test_a_finished_upload_keeps_the_files_id_and_no_bytes(
    table: UploadTable, world: World, psql: Psql
) -> None:
    anna = await world.user()
    complete = await reached(table, await begin(table, anna), 1000)
    finished = await table.finish(complete, 55, 2, NEXT_DAY, NOON)
    assert finished == evolve(complete, item_id=55, item_version=2)
    assert await table.arrived(complete, NEXT_DAY, NOON) is None
    assert await table.chunks(complete.id) == ()
    assert psql.value("SELECT tail FROM upload WHERE id = %s", str(complete.id)).tobytes() == b""
    assert await table.advance(complete, 1000, MORE, NEXT_DAY, NOON) is None
    assert await table.finish(complete, 55, 2, NEXT_DAY, NOON) == finished


@ensureDeferred
async def test_a_removed_upload_is_gone(table: UploadTable, world: World) -> None:
    anna = await world.user()
    new = await begin(table, anna)
    assert await table.delete(anna.account.id, new.id, NOON)
    assert not await table.delete(anna.account.id, new.id, NOON)
    assert await table.find(anna.account.id, new.id, NOON) is None
    assert await table.finish(new, 55, 2, NEXT_DAY, NOON) is None


@ensureDeferred
async def test_only_what_has_expired_is_removed(
    table: UploadTable, world: World, psql: Psql
) -> None:
    anna = await world.user()
    soon = [await begin(table, anna, expires_at=LATER) for _ in range(2)]
    kept = await begin(table, anna)
    await table.delete_expired(LATER - timedelta(milliseconds=1))
    assert await table.find(anna.account.id, soon[0].id, NOON) is not None
    assert await table.delete_expired(LATER) == 2
    assert await table.delete_expired(LATER) == 0
    left = psql.rows("SELECT id FROM upload WHERE account_id = %s", str(anna.account.id))
    assert [UUID(str(row[0])) for row in left] == [kept.id]


@ensureDeferred
async def test_an_account_takes_its_uploads_along(
    table: UploadTable, world: World, psql: Psql
) -> None:
    anna = await world.user()
    new = await begin(table, anna)
    psql.rows("DELETE FROM account WHERE id = %s", str(anna.account.id))
    assert await table.find(anna.account.id, new.id, NOON) is None
