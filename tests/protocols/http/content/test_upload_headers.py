"""What a client may say of an upload, and what becomes of it when it can't be kept."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest
from pytest_twisted import ensureDeferred

from tests.protocols.http.conftest import User
from tests.protocols.http.tus import UPLOADS, ask, begin, content_of, create, head, metadata, patch


async def metadata_of(user: User, file_id: Any) -> dict[str, Any]:
    told: dict[str, Any] = (await user.client.get(f"/api/file/{file_id}")).json
    return told


@pytest.mark.parametrize(
    ("header", "parameter"),
    [
        ("", "filename"),
        ("filename", "filename"),
        ("filename ", "filename"),
        ("filename ???", "filename"),
        ("filename YQ==,filename YQ==", "Upload-Metadata"),
        ("filename YQ==,, name YQ==", "Upload-Metadata"),
        ("filename YQ", "filename"),
        (metadata(filename=b"\xff"), "filename"),
        (metadata(filename="a", parent="x"), "parent"),
        (metadata(filename="a", parent="-1"), "parent"),
        (metadata(filename="a", parent="9" * 20), "parent"),
        (metadata(filename="a", modified_at="yesterday"), "modified_at"),
        (metadata(filename="a", filetype=b"\xff"), "filetype"),
        (metadata(filename="a", if_match="1"), "if_match"),
        (metadata(file="1", parent="1"), "parent"),
        (metadata(file="1", if_match="*"), "if_match"),
        (metadata(filename="a/b"), "name"),
    ],
)
@ensureDeferred
async def test_what_is_wrong_is_named(anna: User, header: str, parameter: str) -> None:
    answer = await ask(anna, "POST", UPLOADS, {"Upload-Length": "1", "Upload-Metadata": header})
    assert answer.code == 400, answer.body
    assert answer.json["parameter"] == parameter


@ensureDeferred
async def test_a_length_is_a_number_and_has_to_be_there(anna: User) -> None:
    for length in ("-1", "x", "", "9" * 20, str(2**63), "1_0", ["1", "1"], "²"):
        headers = {"Upload-Length": length, "Upload-Metadata": metadata(filename="a")}
        answer = await ask(anna, "POST", UPLOADS, headers)
        assert answer.code == 400, length
        assert answer.json["parameter"] == "Upload-Length"
    assert (await create(anna, None, filename="a")).json["parameter"] == "Upload-Length"


@ensureDeferred
async def test_what_other_clients_say_besides_is_kept_and_given_back(anna: User) -> None:
    header = f"relativePath bnVsbA==,is_secret,{metadata(name='a.txt', type=b'xff')},x "
    headers = {"Upload-Length": "5", "Upload-Metadata": header}
    created = await ask(anna, "POST", UPLOADS, headers)
    assert created.code == 201, created.body
    path = created.header("Location") or ""
    assert (await head(anna, path)).header("Upload-Metadata") == header.strip()
    last = await patch(anna, path, 0, b"12345")
    assert (await metadata_of(anna, last.header("StackSync-File")))["filename"] == "a.txt"


@pytest.mark.parametrize("value", ["2026-11-21T05:27:00.123Z", "1795238820123"])
@ensureDeferred
async def test_a_file_may_have_a_time_of_its_own(anna: User, value: str) -> None:
    path = await begin(anna, 1, filename="a", modified_at=value, parent="0")
    last = await patch(anna, path, 0, b"x")
    told = await metadata_of(anna, last.header("StackSync-File"))
    assert told["modified_at"] == "2026-11-21T05:27:00.123Z"


@pytest.mark.parametrize("version", ["1", '"1"'])
@ensureDeferred
async def test_a_file_gets_new_content_at_the_version_that_is_meant(
    anna: User, version: str
) -> None:
    file = await anna.upload("a.txt", b"old")
    told = {"file": str(file["id"]), "if_match": version, "filename": "ignored.txt"}
    path, late = await begin(anna, 3, **told), await begin(anna, 4, **told)
    last = await patch(anna, path, 0, b"new")
    assert last.header("StackSync-File") == str(file["id"])
    refused = await patch(anna, late, 0, b"late")
    assert refused.code == 412
    assert refused.json["metadata"]["version"] == 2
    assert (await create(anna, 4, **told)).code == 412
    assert await content_of(anna, file["id"]) == b"new"
    assert (await metadata_of(anna, file["id"]))["filename"] == "a.txt"


@ensureDeferred
async def test_what_is_not_there_is_told_at_once(anna: User, bert: User) -> None:
    theirs = await bert.upload("b.txt", b"x")
    mine = await anna.upload("a.txt", b"x")
    folder = await anna.folder("folder")
    for values, code in (
        ({"filename": "a", "parent": str(theirs["id"])}, 404),
        ({"filename": "a", "parent": str(mine["id"])}, 404),
        ({"file": str(theirs["id"])}, 404),
        ({"file": str(folder["id"])}, 404),
        ({"filename": "a.txt"}, 409),
        ({"filename": "folder"}, 409),
    ):
        assert (await create(anna, 1, **values)).code == code, values
    assert (await create(anna, 10**9, filename="too large")).code == 413
    device = {"StackSync-Device": str(uuid4())}
    assert (await create(anna, 1, device, filename="b")).code == 404
    await anna.delete(mine)
    assert (await create(anna, 1, file=str(mine["id"]))).code == 409


@ensureDeferred
async def test_a_refused_file_is_told_as_long_as_it_is_refused(anna: User) -> None:
    path = await begin(anna, 5, filename="taken.txt")
    hindrance = await anna.upload("taken.txt")
    refused = await patch(anna, path, 0, b"12345")
    assert refused.code == 409
    assert refused.json["metadata"]["id"] == hindrance["id"]
    state = await head(anna, path)
    assert state.code == 409
    assert (state.header("Upload-Offset"), state.header("Upload-Length")) == ("5", "5")
    assert (await patch(anna, path, 5, b"")).code == 409
    await anna.delete(hindrance)
    last = await patch(anna, path, 5, b"")
    assert last.code == 204
    file_id = last.header("StackSync-File")
    assert await content_of(anna, file_id) == b"12345"
    for again in (await patch(anna, path, 5, b""), await head(anna, path)):
        assert again.code in (200, 204)
        assert again.header("StackSync-File") == file_id
        assert again.header("Content-Location") == f"/api/file/{file_id}"


@ensureDeferred
async def test_a_file_that_can_be_made_by_now_is_made_when_its_state_is_asked(anna: User) -> None:
    path = await begin(anna, 5, filename="taken.txt")
    hindrance = await anna.upload("taken.txt")
    await patch(anna, path, 0, b"12345")
    await anna.delete(hindrance)
    state = await head(anna, path)
    assert state.code == 200
    assert await content_of(anna, state.header("StackSync-File")) == b"12345"


@ensureDeferred
async def test_below_the_alias_paths_begin_with_it(anna: User) -> None:
    headers = {"Upload-Length": "1", "Upload-Metadata": metadata(filename="a")}
    created = await ask(anna, "POST", "/v1/uploads", headers)
    path = created.header("Location") or ""
    assert path.startswith("/v1/uploads/")
    last = await patch(anna, path, 0, b"x")
    assert last.header("Content-Location") == f"/v1/file/{last.header('StackSync-File')}"


@ensureDeferred
async def test_its_state_can_be_read_as_json(anna: User) -> None:
    path = await begin(anna, 5, filename="a")
    await patch(anna, path, 0, b"123")
    told = (await ask(anna, "GET", path)).json
    assert path.endswith(told.pop("id"))
    assert told.pop("expires_at").endswith("Z")
    assert told == {"offset": 3, "length": 5, "file_id": None, "file_version": None}
    last = await patch(anna, path, 3, b"45")
    told = (await ask(anna, "GET", path)).json
    assert (str(told["file_id"]), told["file_version"]) == (last.header("StackSync-File"), 1)


@pytest.mark.parametrize(
    ("told", "kept"),
    [
        ("text/X-Own; charset=utf-8", "text/x-own"),
        ("", "text/html"),
        ("application/octet-stream", "text/html"),
        ("null", "text/html"),
        ("text/plain\r\nX: y", "text/html"),
    ],
)
@ensureDeferred
async def test_a_type_that_says_nothing_is_not_kept(anna: User, told: str, kept: str) -> None:
    path = await begin(anna, 5, filename="a.html", filetype=told)
    last = await patch(anna, path, 0, b"hello")
    assert (await metadata_of(anna, last.header("StackSync-File")))["mimetype"] == kept
