"""Resumable uploads as tus 1.0.0 has them, header by header."""

from __future__ import annotations

from base64 import b64encode
from email.utils import parsedate_to_datetime
from hashlib import sha1
from time import time

import pytest
from attrs import evolve
from pytest_twisted import ensureDeferred

from stacksync.config import HttpConfig
from tests.protocols.http.conftest import User
from tests.protocols.http.tus import (
    PIECE_TYPE,
    UPLOADS,
    ask,
    begin,
    content_of,
    create,
    head,
    metadata,
    patch,
)

LIMIT = 2_000_000


@pytest.fixture
def settings() -> HttpConfig:
    return evolve(HttpConfig(), max_file=LIMIT)


@ensureDeferred
async def test_anybody_may_ask_what_the_server_can(anna: User) -> None:
    stranger = evolve(anna.client, credentials=None)
    for path in (UPLOADS, "/v1/uploads", await begin(anna, 5, filename="a")):
        for headers in ({}, {"Tus-Resumable": "0.2.2"}):
            answer = await stranger.request("OPTIONS", path, headers=headers)
            assert answer.code == 204
            assert answer.header("Tus-Version") == "1.0.0"
            assert answer.header("Tus-Resumable") == "1.0.0"
            assert answer.header("Tus-Max-Size") == str(LIMIT)
            assert answer.header("Tus-Checksum-Algorithm") == "sha1,sha256,md5,crc32"
            assert answer.header("Tus-Extension") == (
                "creation,creation-with-upload,creation-defer-length,checksum,expiration,"
                "termination"
            )


@ensureDeferred
async def test_an_upload_in_two_pieces_becomes_a_file(anna: User) -> None:
    folder = await anna.folder("films")
    told = metadata(filename="Grüße.txt", parent=str(folder["id"]), filetype="text/x-own")
    created = await ask(anna, "POST", UPLOADS, {"Upload-Length": "11", "Upload-Metadata": told})
    assert (created.code, created.body) == (201, b"")
    assert created.header("Upload-Offset") == "0"
    path = created.header("Location")
    assert path is not None
    first = await patch(anna, path, 0, b"hello ")
    assert (first.code, first.body, first.header("Upload-Offset")) == (204, b"", "6")
    assert first.header("StackSync-File") is None
    state = await head(anna, path)
    assert (state.code, state.body) == (200, b"")
    assert state.header("Upload-Offset") == "6"
    assert state.header("Upload-Length") == "11"
    assert state.header("Upload-Metadata") == told
    assert state.header("Cache-Control") == "no-store"
    last = await patch(anna, path, 6, b"world")
    assert (last.code, last.header("Upload-Offset")) == (204, "11")
    file_id = last.header("StackSync-File")
    assert last.header("Content-Location") == f"/api/file/{file_id}"
    file = (await anna.client.get(f"/api/file/{file_id}")).json
    assert (file["filename"], file["parent_id"]) == ("Grüße.txt", folder["id"])
    assert (file["mimetype"], file["size"]) == ("text/x-own", 11)
    assert await content_of(anna, file_id) == b"hello world"


@ensureDeferred
async def test_every_answer_says_the_version_and_204_nothing_of_a_body(anna: User) -> None:
    path = await begin(anna, 5, filename="a")
    answers = [
        await create(anna, None),
        await ask(anna, "GET", f"{UPLOADS}/nothing"),
        await ask(anna, "PUT", UPLOADS),
        await anna.client.request("PATCH", path),
        await evolve(anna.client, credentials=None).request("POST", UPLOADS),
        await patch(anna, path, 3, b"x"),
        await patch(anna, path, 0, b"12345"),
        await ask(anna, "DELETE", path),
    ]
    assert [answer.code for answer in answers] == [400, 404, 405, 412, 412, 409, 204, 204]
    for answer in answers:
        assert answer.header("Tus-Resumable") == "1.0.0"
        if answer.code == 204:
            assert answer.header("Content-Type") is answer.header("Content-Length") is None


@ensureDeferred
async def test_another_version_of_tus_is_refused_and_nothing_done(anna: User) -> None:
    path = await begin(anna, 5, filename="a")
    for headers in ({"Tus-Resumable": "0.2.2"}, {"Tus-Resumable": "2.0.0"}, {}):
        told = {"Content-Type": PIECE_TYPE, "Upload-Offset": "0", **headers}
        answer = await anna.client.request("PATCH", path, headers=told, body=b"12345")
        assert answer.code == 412
        assert answer.header("Tus-Version") == "1.0.0"
    assert (await head(anna, path)).header("Upload-Offset") == "0"


@ensureDeferred
async def test_who_has_not_signed_in_gets_nowhere(anna: User) -> None:
    path = await begin(anna, 5, filename="a")
    stranger = evolve(anna.client, credentials=None)
    for method in ("POST", "HEAD", "PATCH", "DELETE"):
        answer = await stranger.request(
            method, UPLOADS if method == "POST" else path, headers={"Tus-Resumable": "1.0.0"}
        )
        assert answer.code == 401


@ensureDeferred
async def test_somebody_elses_upload_is_not_there(anna: User, bert: User) -> None:
    path = await begin(anna, 5, filename="a")
    for answer in (
        await head(bert, path),
        await patch(bert, path, 0, b"12345"),
        await ask(bert, "DELETE", path),
    ):
        assert answer.code == 404
        assert answer.header("Upload-Offset") is None
    assert (await head(anna, path)).code == 200


@ensureDeferred
async def test_a_piece_has_its_type_and_its_offset(anna: User) -> None:
    path = await begin(anna, 5, filename="a")
    for headers, code in (
        ({"Content-Type": "application/octet-stream"}, 415),
        ({"Content-Type": []}, 415),
        ({"Content-Encoding": "gzip"}, 415),
        ({"Upload-Offset": []}, 400),
        ({"Upload-Offset": "-1"}, 400),
        ({"Upload-Offset": "1.5"}, 400),
        ({"Upload-Offset": ["0", "0"]}, 400),
        ({"Upload-Offset": "1"}, 409),
        ({"Upload-Offset": "9" * 19}, 409),
    ):
        assert (await patch(anna, path, 0, b"12345", headers)).code == code, headers
    assert (await head(anna, path)).header("Upload-Offset") == "0"


@ensureDeferred
async def test_the_end_of_the_upload_and_the_largest_file_are_the_limit(anna: User) -> None:
    path = await begin(anna, 5, filename="a")
    assert (await patch(anna, path, 0, b"123456")).code == 413
    assert (await create(anna, LIMIT + 1, filename="b")).code == 413
    assert (await create(anna, LIMIT, filename="b")).code == 201
    deferred = await create(anna, None, {"Upload-Defer-Length": "1"}, filename="c")
    path = deferred.header("Location") or ""
    assert (await patch(anna, path, 0, b"", {"Upload-Length": str(LIMIT + 1)})).code == 413
    assert (await patch(anna, path, 0, bytes(LIMIT + 1))).code == 413


@ensureDeferred
async def test_the_length_may_follow(anna: User) -> None:
    for value in ("0", "2", ["1", "1"]):
        answer = await create(anna, None, {"Upload-Defer-Length": value}, filename="a")
        assert answer.code == 400
    both = await create(anna, 5, {"Upload-Defer-Length": "1"}, filename="a")
    assert both.code == 400
    created = await create(anna, None, {"Upload-Defer-Length": "1"}, filename="a")
    path = created.header("Location") or ""
    await patch(anna, path, 0, b"123")
    state = await head(anna, path)
    assert (state.header("Upload-Defer-Length"), state.header("Upload-Length")) == ("1", None)
    last = await patch(anna, path, 3, b"45", {"Upload-Length": "5"})
    assert last.code == 204
    assert await content_of(anna, last.header("StackSync-File")) == b"12345"
    state = await head(anna, path)
    assert (state.header("Upload-Defer-Length"), state.header("Upload-Length")) == (None, "5")


@ensureDeferred
async def test_a_checksum_is_compared(anna: User) -> None:
    path = await begin(anna, 10, filename="a")
    right = f"sha1 {b64encode(sha1(b'12345').digest()).decode()}"
    for wrong, code in (
        ("sha1 AAAAAAAAAAAAAAAAAAAAAAAAAAA=", 460),
        ("sha512 AAAA", 400),
        ("sha1", 400),
        ("sha1 ???", 400),
        ("sha1 AAAA", 400),
        ([right, right], 400),
    ):
        assert (await patch(anna, path, 0, b"12345", {"Upload-Checksum": wrong})).code == code
        assert (await head(anna, path)).header("Upload-Offset") == "0"
    assert (await patch(anna, path, 0, b"12345", {"Upload-Checksum": right})).code == 204
    crc = {"Upload-Checksum": "crc32 iEBPrg=="}
    assert (await patch(anna, path, 5, b"67890", crc)).code == 460


@ensureDeferred
async def test_the_first_piece_may_come_with_the_creation(anna: User) -> None:
    told = {"Upload-Length": "5", "Upload-Metadata": metadata(filename="a")}
    typed = {**told, "Content-Type": PIECE_TYPE}
    assert (await ask(anna, "POST", UPLOADS, told, b"123")).code == 415
    part = await ask(anna, "POST", UPLOADS, typed, b"123")
    assert (part.code, part.header("Upload-Offset")) == (201, "3")
    last = await patch(anna, part.header("Location") or "", 3, b"45")
    assert await content_of(anna, last.header("StackSync-File")) == b"12345"
    typed["Upload-Metadata"] = metadata(filename="b")
    whole = await ask(anna, "POST", UPLOADS, typed, b"12345")
    assert (whole.code, whole.header("Upload-Offset")) == (201, "5")
    assert await content_of(anna, whole.header("StackSync-File")) == b"12345"
    typed["Upload-Metadata"] = metadata(filename="c")
    wrong = {**typed, "Upload-Checksum": "sha1 AAAAAAAAAAAAAAAAAAAAAAAAAAA="}
    mismatch = await ask(anna, "POST", UPLOADS, wrong, b"12345")
    assert mismatch.code == 460
    again = await patch(anna, mismatch.header("Location") or "", 0, b"12345")
    assert again.code == 204


@ensureDeferred
async def test_an_empty_file_is_there_once_it_is_created(anna: User) -> None:
    answer = await create(anna, 0, filename="empty.txt")
    assert answer.code == 201
    assert await content_of(anna, answer.header("StackSync-File")) == b""


@ensureDeferred
async def test_it_says_when_it_expires(anna: User) -> None:
    created = await create(anna, 5, filename="a")
    path = created.header("Location") or ""
    for answer in (created, await patch(anna, path, 0, b"1"), await head(anna, path)):
        told = answer.header("Upload-Expires")
        assert told is not None
        assert told.endswith(" GMT")
        assert 86_000 < parsedate_to_datetime(told).timestamp() - time() < 86_500


@ensureDeferred
async def test_a_terminated_upload_is_gone(anna: User) -> None:
    path = await begin(anna, 5, filename="a")
    assert (await ask(anna, "DELETE", path)).code == 204
    for answer in (
        await head(anna, path),
        await patch(anna, path, 0, b"12345"),
        await ask(anna, "DELETE", path),
    ):
        assert answer.code == 404


@pytest.mark.parametrize("actual", ["POST", "PUT", "GET", "PATCH"])
@ensureDeferred
async def test_a_method_may_be_told_by_a_header(anna: User, actual: str) -> None:
    path = await begin(anna, 5, filename=actual)
    told = {
        "X-HTTP-Method-Override": "PATCH",
        "Content-Type": PIECE_TYPE,
        "Upload-Offset": "0",
    }
    answer = await ask(anna, actual, path, told, b"123")
    assert (answer.code, answer.header("Upload-Offset")) == (204, "3")
    told = {"X-HTTP-Method-Override": "HEAD"}
    assert (await ask(anna, actual, path, told)).header("Upload-Offset") == "3"
    told = {"X-HTTP-Method-Override": "delete"}
    assert (await ask(anna, actual, path, told)).code == 204
    told = {"X-HTTP-Method-Override": "HEAD"}
    assert (await ask(anna, actual, path, told)).json["error"] == 404
