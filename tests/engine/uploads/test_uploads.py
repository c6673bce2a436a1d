"""An upload goes on where it stands, whatever breaks off or comes twice."""

from __future__ import annotations

import time
from hashlib import sha256
from typing import Any
from uuid import uuid4

import pytest
from pytest_twisted import ensureDeferred
from twisted.internet.defer import CancelledError, Deferred, DeferredList

from stacksync.engine import uploads as module
from stacksync.engine.uploads import Upload
from stacksync.engine.uploads.body import Checksum
from stacksync.errors import (
    ChecksumMismatch,
    IncompleteBody,
    InvalidRequest,
    OffsetMismatch,
    QuotaExceeded,
    TooLarge,
    UploadNotFound,
)
from stacksync.streams import BytesStream
from tests.db.observation import until
from tests.engine.conftest import Listener, People, Person
from tests.engine.uploads.upload_bodies import BrokenBody, SlowBody
from tests.engine.uploads.uploading import CONTENT, SIZE, begin, content_of, item_of, named, send


def sha256_of(content: bytes) -> Checksum:
    return Checksum("sha256", sha256(content).digest())


async def until_offset(person: Person, upload: Upload, offset: int) -> None:
    end = time.monotonic() + 30
    while (await person.engine.uploads.get(person.principal, upload.id)).offset < offset:
        assert time.monotonic() < end, f"it has not got to {offset}"


@ensureDeferred
async def test_the_chunks_are_those_of_a_file_sent_in_one_go(people: People) -> None:
    anna = await people.person()
    whole = await anna.engine.files.create(
        anna.principal, "whole.bin", None, BytesStream(CONTENT), length=SIZE
    )
    upload = await begin(anna)
    for start in range(0, SIZE, 400_000):
        upload = await send(anna, upload, CONTENT[start : start + 400_000])
    item = await item_of(anna, upload)
    assert (item.chunks, item.checksum) == (whole.chunks, whole.checksum)
    assert item.mimetype == whole.mimetype
    assert len(item.chunks) > 2


@ensureDeferred
async def test_a_piece_goes_where_the_upload_stands_and_nowhere_else(people: People) -> None:
    anna = await people.person()
    upload = await send(anna, await begin(anna), CONTENT[:100])
    for at in (0, 99, 101, SIZE):
        with pytest.raises(OffsetMismatch, match="stands at 100"):
            await send(anna, upload, b"x", at=at)
    with pytest.raises(TooLarge):
        await send(anna, upload, CONTENT)
    assert (await anna.engine.uploads.get(anna.principal, upload.id)).offset == 100


@ensureDeferred
async def test_a_piece_of_unknown_size_cannot_go_beyond_the_end(people: People) -> None:
    anna = await people.person()
    upload = await begin(anna, named(length=5))
    with pytest.raises(TooLarge):
        await anna.engine.uploads.append(anna.principal, upload.id, 0, BytesStream(b"123456"))
    done = await anna.engine.uploads.append(anna.principal, upload.id, 0, BytesStream(b"12345"))
    assert await content_of(anna, done.item_id) == b"12345"


@ensureDeferred
async def test_the_length_may_be_said_later_and_only_once(people: People) -> None:
    anna = await people.person(quota=1000)
    upload = await send(anna, await begin(anna, named(length=None)), b"12345")
    for length, error in ((4, InvalidRequest), (1001, QuotaExceeded)):
        with pytest.raises(error):
            await send(anna, upload, b"", length=length)
    upload = await send(anna, upload, b"6", length=8)
    assert (upload.length, upload.item_id) == (8, None)
    with pytest.raises(InvalidRequest):
        await send(anna, upload, b"78", length=9)
    done = await send(anna, upload, b"78", length=8)
    assert await content_of(anna, done.item_id) == b"12345678"


@ensureDeferred
async def test_all_may_be_there_before_the_length_is_said(people: People) -> None:
    anna = await people.person()
    upload = await send(anna, await begin(anna, named(length=None)), b"12345")
    done = await send(anna, upload, b"", length=5)
    assert await content_of(anna, done.item_id) == b"12345"


@ensureDeferred
async def test_without_a_length_the_quota_and_the_limit_are_the_end(people: People) -> None:
    anna = await people.person(quota=10)
    for limit in (None, 10, 2000):
        upload = await begin(anna, named(length=None))
        with pytest.raises(TooLarge):
            await anna.engine.uploads.append(
                anna.principal, upload.id, 0, BytesStream(b"x" * 11), limit=limit
            )
        await send(anna, upload, b"x" * 10, limit=limit)
    with pytest.raises(TooLarge):
        await send(anna, await begin(anna, named(length=None)), b"123", limit=2)


@ensureDeferred
async def test_what_came_of_a_broken_piece_is_kept(people: People) -> None:
    anna = await people.person()
    upload = await begin(anna)
    for stop in (1_000_000, 1_000_001, 2_500_000):
        body = BrokenBody(CONTENT[upload.offset : stop])
        with pytest.raises(IncompleteBody):
            await anna.engine.uploads.append(anna.principal, upload.id, upload.offset, body)
        upload = await anna.engine.uploads.get(anna.principal, upload.id)
        assert upload.offset == stop
    done = await send(anna, upload, CONTENT[2_500_000:])
    assert await content_of(anna, done.item_id) == CONTENT


@ensureDeferred
async def test_of_a_broken_piece_with_a_checksum_nothing_is_kept(people: People) -> None:
    anna = await people.person()
    upload = await begin(anna)
    with pytest.raises(IncompleteBody):
        await anna.engine.uploads.append(
            anna.principal,
            upload.id,
            0,
            BrokenBody(CONTENT[:2_000_000]),
            checksum=sha256_of(CONTENT[:2_000_000]),
        )
    assert (await anna.engine.uploads.get(anna.principal, upload.id)).offset == 0


@ensureDeferred
async def test_a_piece_that_is_not_what_its_checksum_says_is_not_kept(people: People) -> None:
    anna = await people.person()
    upload = await send(anna, await begin(anna), CONTENT[:100], checksum=sha256_of(CONTENT[:100]))
    assert upload.offset == 100
    with pytest.raises(ChecksumMismatch):
        await send(anna, upload, CONTENT[100:], checksum=sha256_of(CONTENT))
    assert (await anna.engine.uploads.get(anna.principal, upload.id)).offset == 100
    done = await send(anna, upload, CONTENT[100:], checksum=sha256_of(CONTENT[100:]))
    assert await content_of(anna, done.item_id) == CONTENT


@ensureDeferred
async def test_a_long_piece_is_kept_in_portions_while_it_comes(
    people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "PORTION", 1_000_000)
    anna = await people.person()
    upload = await begin(anna)
    body = SlowBody(CONTENT)
    sending = Deferred.fromCoroutine(
        anna.engine.uploads.append(anna.principal, upload.id, 0, body, size=SIZE)
    )
    body.let(1_500_000)
    await until_offset(anna, upload, 1_000_000)
    body.let(SIZE)
    done = await sending
    assert await content_of(anna, done.item_id) == CONTENT


@ensureDeferred
async def test_of_two_pieces_for_one_offset_one_counts(people: People) -> None:
    anna = await people.person()
    upload = await begin(anna)
    bodies = [SlowBody(CONTENT[: 100 + n]) for n in range(4)]
    sending = DeferredList(
        [
            Deferred.fromCoroutine(anna.engine.uploads.append(anna.principal, upload.id, 0, body))
            for body in bodies
        ],
        consumeErrors=True,
    )
    await until(lambda: all(body.waiting for body in bodies))
    for body in bodies:
        body.let(SIZE)
    outcomes = await sending
    (winner,) = [result for succeeded, result in outcomes if succeeded]
    losers: list[Any] = [result for succeeded, result in outcomes if not succeeded]
    assert all(failure.check(OffsetMismatch) for failure in losers)
    assert len(losers) == 3
    found = await anna.engine.uploads.get(anna.principal, upload.id)
    assert found == winner
    done = await send(anna, found, CONTENT[found.offset :])
    assert await content_of(anna, done.item_id) == CONTENT


@ensureDeferred
async def test_who_gives_up_waiting_does_not_undo_the_piece(
    people: People, listener: Listener
) -> None:
    anna = await people.person()
    upload = await begin(anna)
    body = SlowBody(CONTENT)
    sending = Deferred.fromCoroutine(
        anna.engine.uploads.append(anna.principal, upload.id, 0, body, size=SIZE)
    )
    await until(lambda: body.waiting)
    sending.cancel()
    with pytest.raises(CancelledError):
        await sending
    body.let(SIZE)
    await until(lambda: listener.results)
    (item,) = (outcome.item for outcome in listener.results[0].outcomes)
    assert await content_of(anna, item.id) == CONTENT


@ensureDeferred
async def test_somebody_elses_upload_does_not_exist(people: People) -> None:
    anna, berta = await people.person(), await people.person()
    upload = await begin(anna)
    uploads = anna.engine.uploads
    for principal, identity in ((berta.principal, upload.id), (anna.principal, uuid4())):
        for asking in (
            lambda p, i: uploads.get(p, i),
            lambda p, i: uploads.append(p, i, 0, BytesStream(b"x")),
            lambda p, i: uploads.settle(p, i),
            lambda p, i: uploads.terminate(p, i),
        ):
            with pytest.raises(UploadNotFound):
                await asking(principal, identity)
    assert await uploads.get(anna.principal, upload.id) == upload


@ensureDeferred
async def test_a_terminated_upload_is_gone_and_its_file_stays(people: People) -> None:
    anna = await people.person()
    started = await send(anna, await begin(anna), CONTENT[:10])
    done = await send(anna, await begin(anna, named(length=1)), b"x")
    for upload in (started, done):
        await anna.engine.uploads.terminate(anna.principal, upload.id)
        with pytest.raises(UploadNotFound):
            await send(anna, upload, b"")
    assert await content_of(anna, done.item_id) == b"x"


@ensureDeferred
async def test_an_upload_that_is_terminated_while_a_piece_comes_stays_gone(people: People) -> None:
    anna = await people.person()
    upload = await begin(anna, named(length=5))
    body = SlowBody(b"12345")
    sending = Deferred.fromCoroutine(
        anna.engine.uploads.append(anna.principal, upload.id, 0, body, size=5)
    )
    await until(lambda: body.waiting)
    await anna.engine.uploads.terminate(anna.principal, upload.id)
    body.let(5)
    with pytest.raises(UploadNotFound):
        await sending
