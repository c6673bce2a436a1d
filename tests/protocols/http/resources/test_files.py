"""``/file``: make, show, rename, move, replace, delete; downloads are in ``test_downloads``."""

from __future__ import annotations

import os
import zlib
from typing import Any
from uuid import uuid4

import pytest
from pytest_twisted import ensureDeferred

from tests.protocols.http.conftest import User, path_of

FIELDS = {
    *("id", "parent_id", "filename", "is_folder", "status", "modified_at"),
    *("version", "checksum", "size", "mimetype", "chunks"),
}


@ensureDeferred
async def test_a_file_is_made_of_a_body_and_told(anna: User) -> None:
    content = b"To be, or not to be\n"

    answer = await anna.client.send("POST", "/api/file?name=hamlet.txt", content)

    told = answer.json
    assert answer.code == 201
    assert set(told) == FIELDS
    assert {name: told[name] for name in FIELDS - {"id", "modified_at", "chunks"}} == {
        "parent_id": None,
        "filename": "hamlet.txt",
        "is_folder": False,
        "status": "NEW",
        "version": 1,
        "checksum": zlib.adler32(content),
        "size": len(content),
        "mimetype": "text/plain",
    }
    assert len(told["chunks"]) == 1
    assert answer.header("Location") == f"/api/file/{told['id']}"
    assert answer.header("ETag") == '"1"'
    shown = await anna.client.get(answer.header("Location"))
    assert (shown.code, shown.json, shown.header("ETag")) == (200, told, '"1"')


@pytest.mark.parametrize("size", [0, 1, 64 * 1024, 3_000_000])
@ensureDeferred
async def test_what_was_sent_is_what_is_read(anna: User, size: int) -> None:
    content = os.urandom(size)
    told = await anna.upload("noise", content)

    answer = await anna.client.get(f"{path_of(told)}/data")

    assert (answer.code, answer.body, answer.length) == (200, content, size)


@ensureDeferred
async def test_a_chunked_body_is_taken(anna: User) -> None:
    connection = await anna.client.raw()
    connection.send(
        "POST /v1/file?name=piped HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n"
        f"Connection: close\r\n{anna.client.authorization_line}\r\n"
        "5\r\nalpha\r\n4\r\nbeta\r\n0\r\n\r\n"
    )

    answer = await connection.until_closed()

    assert answer.startswith(b"HTTP/1.1 201")
    assert b"Location: /v1/file/" in answer
    assert b'"size":9' in answer


@ensureDeferred
async def test_a_file_is_made_in_a_folder(anna: User) -> None:
    folder = await anna.folder("papers")

    told = await anna.upload("note", b"x", parent=folder["id"])

    assert told["parent_id"] == folder["id"]


@pytest.mark.parametrize("name", ["a b+c&d=e?.txt", "żółw 🐢", "line\nbreak", "%41", "100%"])
@ensureDeferred
async def test_a_file_may_have_any_name(anna: User, name: str) -> None:
    assert (await anna.upload(name))["filename"] == name


@pytest.mark.parametrize(
    ("query", "headers", "mimetype"),
    [
        ("name=a&mimetype=Image/PNG", {}, "image/png"),
        ("name=a&mimetype=image/png", {"Content_Type": "text/css"}, "image/png"),
        ("name=a", {"Content_Type": "text/css; charset=utf-8"}, "text/css"),
        ("name=a", {"Content_Type": "application/x-www-form-urlencoded"}, "text/plain"),
        ("name=a", {"Content_Type": "multipart/mixed; boundary=x"}, "text/plain"),
        ("name=a", {"Content_Type": "nonsense"}, "text/plain"),
        ("name=a.html", {}, "text/html"),
    ],
)
@ensureDeferred
async def test_the_type_is_what_is_said_or_else_what_it_seems(
    anna: User, query: str, headers: dict[str, str], mimetype: str
) -> None:
    answer = await anna.client.send("POST", f"/api/file?{query}", b"plain words\n", **headers)

    assert answer.json["mimetype"] == mimetype


@pytest.mark.parametrize("moment", ["2026-11-21T06:27:00.123%2B01:00", "1795238820123"])
@ensureDeferred
async def test_a_file_keeps_the_time_that_it_comes_with(anna: User, moment: str) -> None:
    query = f"name={uuid4()}&modified_at={moment}"

    told = (await anna.client.send("POST", f"/api/file?{query}", b"")).json

    assert told["modified_at"] == "2026-11-21T05:27:00.123Z"


@ensureDeferred
async def test_a_taken_name_is_refused_with_what_has_it(anna: User) -> None:
    there = await anna.upload("taken", b"first")

    answer = await anna.client.send("POST", "/api/file?name=taken", b"second")

    assert answer.code == 409
    assert answer.json["metadata"] == there


@ensureDeferred
async def test_a_folder_that_is_not_there_or_not_ones_own_is_not_found(
    anna: User, bert: User
) -> None:
    berts = await bert.folder("private")
    file = await anna.upload("a file")

    answers = [
        await anna.client.send("POST", f"/api/file?name=x&parent={parent}", b"")
        for parent in (987654321, berts["id"], file["id"])
    ]

    assert [answer.code for answer in answers] == [404] * 3


@ensureDeferred
async def test_a_file_is_renamed_moved_and_both(anna: User) -> None:
    folder, file = await anna.folder("target"), await anna.upload("before")

    renamed = await anna.client.put(path_of(file), {"name": "after"})
    moved = await anna.client.put(path_of(file), {"parent": folder["id"]})
    back = await anna.client.put(path_of(file), {"name": "before", "parent": 0})

    assert [answer.code for answer in (renamed, moved, back)] == [200] * 3
    assert [
        [answer.json[name] for name in ("filename", "parent_id", "status", "version")]
        for answer in (renamed, moved, back)
    ] == [
        ["after", None, "RENAMED", 2],
        ["after", folder["id"], "MOVED", 3],
        ["before", None, "MOVED", 4],
    ]
    assert back.header("ETag") == '"4"'


@pytest.mark.parametrize(
    ("fields", "parameter"),
    [
        ({}, "body"),
        ({"name": None, "parent": None}, "body"),
        ({"name": ""}, "name"),
        ({"name": "a/b"}, "name"),
        ({"name": 7}, "name"),
        ({"parent": -1}, "parent"),
        ({"parent": "0"}, "parent"),
        ({"parent": 2**64}, "parent"),
        ({"filename": "x"}, "filename"),
    ],
)
@ensureDeferred
async def test_a_change_that_cannot_be_is_refused_by_name(
    anna: User, fields: dict[str, Any], parameter: str
) -> None:
    file = await anna.upload("unchanged")

    answer = await anna.client.put(path_of(file), fields)

    assert (answer.code, answer.json["parameter"]) == (400, parameter)
    assert (await anna.client.get(path_of(file))).json == file


@ensureDeferred
async def test_new_content_is_a_new_version(anna: User) -> None:
    file = await anna.upload("draft", b"one")

    told = await anna.replace(file, b"two, longer")

    assert (told["id"], told["version"], told["status"]) == (file["id"], 2, "CHANGED")
    assert told["size"] == 11
    assert (await anna.client.get(f"{path_of(file)}/data")).body == b"two, longer"


@ensureDeferred
async def test_new_content_may_come_with_its_type_and_time(anna: User) -> None:
    file = await anna.upload("picture", b"one")
    query = "mimetype=image/png&modified_at=1795238820123"

    answer = await anna.client.send("PUT", f"{path_of(file)}/data?{query}", b"two")

    assert answer.json["mimetype"] == "image/png"
    assert answer.json["modified_at"] == "2026-11-21T05:27:00.123Z"


@ensureDeferred
async def test_a_deleted_file_is_told_so_and_gives_no_content(anna: User) -> None:
    file = await anna.upload("old", b"words")

    deleted = await anna.delete(file)

    assert (deleted["status"], deleted["version"]) == ("DELETED", 2)
    assert (await anna.client.get(path_of(file))).json == deleted
    data = await anna.client.get(f"{path_of(file)}/data")
    assert (data.code, data.json["metadata"]) == (409, deleted)


@ensureDeferred
async def test_somebody_elses_file_looks_like_none(anna: User, bert: User) -> None:
    file = await anna.upload("private", b"words")
    answers = [
        await bert.client.request(method, path, content)
        for path in (path_of(file), f"{path_of(file)[:-1]}99999999", "/api/file/007")
        for method, content in (("GET", None), ("PUT", {"name": "mine"}), ("DELETE", None))
    ]
    answers += [
        await bert.client.get(f"{path_of(file)}/data"),
        await bert.client.send("PUT", f"{path_of(file)}/data", b"mine"),
        await bert.client.get(f"{path_of(file)}/versions"),
    ]

    assert {answer.code for answer in answers} == {404}
    assert {answer.json["description"].split(":")[0] for answer in answers} == {"no such item"}
    assert (await anna.client.get(path_of(file))).json == file


@ensureDeferred
async def test_who_asks_for_a_folder_among_the_files_is_told_where_it_is(
    anna: User, bert: User
) -> None:
    folder = await anna.folder("a folder")
    path = f"/v1/file/{folder['id']}"

    mine = [
        await anna.client.get(path),
        await anna.client.get(f"{path}/data"),
        await anna.client.get(f"{path}/versions"),
        await anna.client.get(f"{path}/version/1"),
        await anna.client.put(path, {"name": "x"}),
        await anna.client.send("PUT", f"{path}/data", b"x"),
        await anna.client.request("DELETE", path),
    ]

    where = f"no such file: {folder['id']} is a folder, at /v1/folder/{folder['id']}"
    assert {(answer.code, answer.json["description"]) for answer in mine} == {(404, where)}
    theirs = await bert.client.get(path)
    assert (theirs.code, "folder" in theirs.json["description"]) == (404, False)
