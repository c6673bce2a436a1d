"""An upload becomes a file once, in the place that was said, or the client hears why not."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest
from attrs import evolve
from pytest_twisted import ensureDeferred
from twisted.internet.defer import Deferred, gatherResults

from stacksync.db.uploads import Upload, UploadTable
from stacksync.errors import (
    DeviceNotFound,
    InvalidRequest,
    NameTaken,
    QuotaExceeded,
    TooLarge,
    VersionMismatch,
)
from stacksync.model import ItemStatus
from tests.db.builders import folder
from tests.db.observation import Psql
from tests.engine.conftest import People
from tests.engine.uploads.uploading import CONTENT, SIZE, begin, content_of, item_of, named, send

NOON = datetime(2026, 11, 21, 12, 0, 0, 123000, tzinfo=UTC)


@ensureDeferred
async def test_pieces_become_one_file_with_what_was_said_of_it(people: People) -> None:
    anna = await people.person()
    parent = await anna.item(folder("films"))
    upload = await begin(
        anna, named(parent_id=parent.id, mimetype="video/x-own", modified_at=NOON, name="a.film")
    )
    for start, stop in ((0, 1), (1, 700_000), (700_000, 2_900_000), (2_900_000, SIZE)):
        assert (upload.offset, upload.item_id) == (start, None)
        upload = await send(anna, upload, CONTENT[start:stop])
    item = await item_of(anna, upload)
    assert (item.name, item.parent_id, item.size) == ("a.film", parent.id, SIZE)
    assert (item.mimetype, item.modified_at) == ("video/x-own", NOON)
    assert (item.status, item.version, upload.item_version) == (ItemStatus.NEW, 1, 1)
    assert await content_of(anna, item.id) == CONTENT


@ensureDeferred
async def test_a_file_gets_new_content(people: People) -> None:
    anna = await people.person()
    first = await item_of(anna, await send(anna, await begin(anna), CONTENT))
    order = named(length=4, file_id=first.id, base_version=1, name="")
    second = await item_of(anna, await send(anna, await begin(anna, order), b"abcd"))
    assert (second.id, second.version, second.name) == (first.id, 2, first.name)
    assert second.status is ItemStatus.CHANGED
    assert await content_of(anna, first.id) == b"abcd"


@ensureDeferred
async def test_an_empty_file_needs_no_byte(people: People) -> None:
    anna = await people.person()
    upload = await begin(anna, named(length=0, name="empty.txt"))
    assert upload.complete
    done = await send(anna, upload, b"")
    item = await item_of(anna, done)
    assert (item.size, item.chunks, item.checksum) == (0, (), 1)
    assert item.mimetype == "text/plain"


@ensureDeferred
async def test_what_cannot_succeed_is_refused_at_once(people: People) -> None:
    anna = await people.person(quota=SIZE + 10)
    taken = await item_of(anna, await send(anna, await begin(anna), CONTENT))
    for order, error in (
        (named(name=taken.name, length=1), NameTaken),
        (named(length=11), QuotaExceeded),
        (named(file_id=taken.id, length=SIZE + 11), QuotaExceeded),
        (named(file_id=taken.id, base_version=2), VersionMismatch),
        (named(length=2**63), InvalidRequest),
        (named(length=1, name="a/b"), InvalidRequest),
        (named(length=1, mimetype="nul\0"), InvalidRequest),
        (named(length=1, modified_at=datetime(1, 1, 1, tzinfo=UTC)), InvalidRequest),
    ):
        with pytest.raises(error):
            await begin(anna, order)
    await begin(anna, named(file_id=taken.id, length=SIZE + 10))


@ensureDeferred
async def test_a_refused_file_is_made_when_nothing_hinders_it_any_more(people: People) -> None:
    anna = await people.person()
    upload = await begin(anna, named(length=5, name="taken.txt"))
    hindrance = await anna.item(folder("taken.txt"))
    with pytest.raises(NameTaken) as caught:
        await send(anna, upload, b"12345")
    assert caught.value.current == hindrance
    complete = await anna.engine.uploads.get(anna.principal, upload.id)
    assert (complete.offset, complete.item_id) == (5, None)
    for _ in range(2):
        with pytest.raises(NameTaken):
            await send(anna, complete, b"")
    await anna.engine.items.relocate(
        anna.principal, hindrance.id, is_folder=True, name="other", parent_id=None
    )
    done = await anna.engine.uploads.settle(anna.principal, upload.id)
    assert await content_of(anna, done.item_id) == b"12345"
    assert (await item_of(anna, done)).name == "taken.txt"


@ensureDeferred
async def test_a_file_that_changed_meanwhile_is_not_overwritten(people: People) -> None:
    anna = await people.person()
    first = await item_of(anna, await send(anna, await begin(anna), CONTENT))
    upload = await begin(anna, named(length=4, file_id=first.id, base_version=1))
    careless = await begin(anna, named(length=4, file_id=first.id))
    await send(anna, await begin(anna, named(length=3, file_id=first.id)), b"new")
    with pytest.raises(VersionMismatch) as caught:
        await send(anna, upload, b"late")
    assert caught.value.current == await anna.engine.items.get(
        anna.principal, first.id, is_folder=False
    )
    assert await content_of(anna, first.id) == b"new"
    assert (await item_of(anna, await send(anna, careless, b"last"))).version == 3


@ensureDeferred
async def test_the_last_piece_again_tells_the_same_file(people: People, psql: Psql) -> None:
    anna = await people.person()
    done = await send(anna, await begin(anna, named(length=5)), b"12345")
    again = await send(anna, done, b"")
    assert again == done
    with pytest.raises(TooLarge):
        await send(anna, done, b"6")
    # As after a crash between the commit and the note that it was made.
    psql.rows("UPDATE upload SET item_id = NULL, tail = '12345' WHERE id = %s", str(done.id))
    forgotten = await anna.engine.uploads.get(anna.principal, done.id)
    assert forgotten.item_id is None
    settled = await anna.engine.uploads.settle(anna.principal, done.id)
    assert settled.item_id == done.item_id
    assert (await item_of(anna, settled)).version == 1


@ensureDeferred
async def test_new_content_is_not_committed_twice_after_a_crash(people: People, psql: Psql) -> None:
    anna = await people.person()
    first = await item_of(anna, await send(anna, await begin(anna), CONTENT))
    order = named(length=5, file_id=first.id, base_version=1)
    done = await send(anna, await begin(anna, order), b"12345")
    psql.rows("UPDATE upload SET item_id = NULL, tail = '12345' WHERE id = %s", str(done.id))
    settled = await anna.engine.uploads.settle(anna.principal, done.id)
    assert (settled.item_id, settled.item_version) == (first.id, 2)
    assert (await item_of(anna, settled)).version == 2


@ensureDeferred
async def test_it_is_committed_by_the_device_that_began_it(people: People) -> None:
    anna = await people.person()
    laptop = evolve(anna.principal, device_id=anna.user.device_id)
    upload = await anna.engine.uploads.create(laptop, named(length=5))
    item = await item_of(anna, await send(anna, upload, b"12345"))
    assert item.device_id == anna.user.device_id
    implicit = await item_of(anna, await send(anna, await begin(anna, named(length=1)), b"1"))
    assert implicit.device_id not in (None, anna.user.device_id)


@ensureDeferred
async def test_a_device_that_is_not_the_principals_is_found_out_at_once(people: People) -> None:
    anna, berta = await people.person(), await people.person()
    for device_id in (berta.user.device_id, uuid4()):
        principal = evolve(anna.principal, device_id=device_id)
        with pytest.raises(DeviceNotFound):
            await anna.engine.uploads.create(principal, named())


@ensureDeferred
async def test_two_who_finish_it_at_once_get_one_file(people: People, psql: Psql) -> None:
    anna = await people.person()
    done = await send(anna, await begin(anna, named(length=5)), b"12345")
    psql.rows("UPDATE upload SET item_id = NULL, tail = '12345' WHERE id = %s", str(done.id))
    settled = await gatherResults(
        Deferred.fromCoroutine(anna.engine.uploads.settle(anna.principal, done.id))
        for _ in range(4)
    )
    assert {upload.item_id for upload in settled} == {done.item_id}
    assert (await item_of(anna, done)).version == 1


@ensureDeferred
async def test_who_comes_just_after_another_has_finished_it_is_told_the_same_file(
    people: People, psql: Psql, monkeypatch: pytest.MonkeyPatch
) -> None:
    anna = await people.person()
    done = await send(anna, await begin(anna, named(length=5)), b"12345")
    psql.rows("UPDATE upload SET item_id = NULL, tail = '12345' WHERE id = %s", str(done.id))
    look = UploadTable.arrived

    async def look_too_late(table: UploadTable, upload: Upload, *times: datetime) -> Any:
        monkeypatch.setattr(UploadTable, "arrived", look)
        await anna.engine.uploads.settle(anna.principal, upload.id)
        return await look(table, upload, *times)

    monkeypatch.setattr(UploadTable, "arrived", look_too_late)
    settled = await anna.engine.uploads.settle(anna.principal, done.id)
    assert (settled.item_id, settled.item_version) == (done.item_id, 1)
