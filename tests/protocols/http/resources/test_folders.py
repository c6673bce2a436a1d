"""``/folder``: make, show, list, rename, move, delete; the root that is no item."""

from __future__ import annotations

from typing import Any

import pytest
from pytest_twisted import ensureDeferred

from tests.protocols.http.conftest import User, path_of

FIELDS = {
    *("id", "parent_id", "filename", "is_folder", "status", "modified_at"),
    *("version", "checksum", "size", "mimetype", "is_root"),
}


def names(answer: Any) -> list[str]:
    return [each["filename"] for each in answer.json["contents"]]


@ensureDeferred
async def test_a_folder_is_made_and_told(anna: User) -> None:
    answer = await anna.client.post("/api/folder", {"name": "Größe", "parent": 0})

    told = answer.json
    assert answer.code == 201
    assert set(told) == FIELDS
    assert {name: told[name] for name in FIELDS - {"id", "modified_at"}} == {
        "parent_id": None,
        "filename": "Größe",
        "is_folder": True,
        "status": "NEW",
        "version": 1,
        "checksum": 0,
        "size": 0,
        "mimetype": None,
        "is_root": False,
    }
    assert answer.header("Location") == f"/api/folder/{told['id']}"
    shown = await anna.client.get(answer.header("Location"))
    assert (shown.code, shown.json, shown.header("ETag")) == (200, told, '"1"')


@pytest.mark.parametrize(
    ("fields", "parameter"),
    [
        ({}, "name"),
        ({"name": None}, "name"),
        ({"name": "."}, "name"),
        ({"name": ["x"]}, "name"),
        ({"name": "x", "parent": -1}, "parent"),
        ({"name": "x", "parent": "1"}, "parent"),
        ({"name": "x", "id": 1}, "id"),
    ],
)
@ensureDeferred
async def test_a_folder_that_cannot_be_is_refused_by_name(
    anna: User, fields: dict[str, Any], parameter: str
) -> None:
    answer = await anna.client.post("/api/folder", fields)

    assert (answer.code, answer.json["parameter"]) == (400, parameter)


@ensureDeferred
async def test_a_name_that_is_taken_and_a_parent_that_is_none_are_refused(
    anna: User, bert: User
) -> None:
    there, file = await anna.folder("there"), await anna.upload("file")
    private = await bert.folder("private")

    taken = await anna.client.post("/api/folder", {"name": "there"})
    lost = [
        await anna.client.post("/api/folder", {"name": "x", "parent": parent})
        for parent in (private["id"], file["id"], 987654321)
    ]

    assert (taken.code, taken.json["metadata"]) == (409, there)
    assert [answer.code for answer in lost] == [404] * 3


@ensureDeferred
async def test_the_root_is_folder_0_and_no_item(anna: User) -> None:
    answer = await anna.client.get("/api/folder/0")

    assert answer.code == 200
    assert set(answer.json) == FIELDS
    assert {name: value for name, value in answer.json.items() if value is not None} == {
        "filename": "root",
        "is_folder": True,
        "is_root": True,
        "checksum": 0,
        "size": 0,
    }


@ensureDeferred
async def test_the_root_stays_as_it_is(anna: User) -> None:
    answers = [
        await anna.client.put("/api/folder/0", {"name": "x"}),
        await anna.client.request("DELETE", "/api/folder/0"),
    ]
    restored = await anna.client.post("/api/folder/0/restore")

    assert [answer.code for answer in answers] == [403, 403]
    assert restored.code == 404


@ensureDeferred
async def test_what_is_in_a_folder_is_listed_as_it_is_told_elsewhere(anna: User) -> None:
    folder = await anna.folder("papers")
    inner = await anna.folder("b", parent=folder["id"])
    file = await anna.upload('a","chunks":null}', b"words", parent=folder["id"])

    listed = await anna.client.get(f"{path_of(folder)}/contents")
    root = await anna.client.get("/api/folder/0/contents")

    assert listed.code == 200
    assert listed.json == {**folder, "next": None, "contents": [file, inner]}
    assert root.json["contents"] == [folder]
    assert (root.json["id"], root.json["is_root"]) == (None, True)
    assert listed.header("Link") is None


@ensureDeferred
async def test_deleted_items_are_listed_when_asked_for(anna: User) -> None:
    await anna.upload("kept")
    await anna.delete(await anna.upload("gone"))

    assert names(await anna.client.get("/api/folder/0/contents")) == ["kept"]
    path = "/api/folder/0/contents?include_deleted="
    assert names(await anna.client.get(path + "true")) == ["gone", "kept"]
    assert names(await anna.client.get(path + "false")) == ["kept"]
    assert (await anna.client.get(path + "yes")).json["parameter"] == "include_deleted"


@ensureDeferred
async def test_a_folder_is_renamed_and_moved(anna: User) -> None:
    target, folder = await anna.folder("target"), await anna.folder("before")

    renamed = await anna.client.put(path_of(folder), {"name": "after"})
    moved = await anna.client.put(path_of(folder), {"parent": target["id"]})

    assert (renamed.code, renamed.json["status"], renamed.json["filename"]) == (
        *(200, "RENAMED", "after"),
    )
    assert (moved.code, moved.json["status"], moved.json["parent_id"]) == (
        *(200, "MOVED", target["id"]),
    )


@ensureDeferred
async def test_a_folder_cannot_be_moved_below_itself(anna: User) -> None:
    folder = await anna.folder("outer")
    inner = await anna.folder("inner", parent=folder["id"])

    answers = [
        await anna.client.put(path_of(folder), {"parent": parent})
        for parent in (folder["id"], inner["id"])
    ]

    assert [answer.code for answer in answers] == [409, 409]


@ensureDeferred
async def test_a_folder_goes_with_all_that_is_in_it(anna: User) -> None:
    folder = await anna.folder("outer")
    inner = await anna.folder("inner", parent=folder["id"])
    file = await anna.upload("leaf", b"x", parent=inner["id"])

    deleted = await anna.delete(folder)

    assert deleted["status"] == "DELETED"
    for item in (inner, file):
        assert (await anna.client.get(path_of(item))).json["status"] == "DELETED"
    assert (await anna.client.get("/api/folder/0/contents")).json["contents"] == []


@ensureDeferred
async def test_who_asks_for_a_file_among_the_folders_is_told_where_it_is(
    anna: User, bert: User
) -> None:
    file = await anna.upload("a file")
    path = f"/api/folder/{file['id']}"

    mine = [
        await anna.client.get(path),
        await anna.client.get(f"{path}/contents"),
        await anna.client.put(path, {"name": "x"}),
        await anna.client.request("DELETE", path),
        await anna.client.post(f"{path}/restore"),
    ]

    where = f"no such folder: {file['id']} is a file, at /api/file/{file['id']}"
    assert {(answer.code, answer.json["description"]) for answer in mine} == {(404, where)}
    assert "file" not in (await bert.client.get(path)).json["description"]


@ensureDeferred
async def test_somebody_elses_folder_looks_like_none(anna: User, bert: User) -> None:
    folder = await anna.folder("private")

    answers = [
        await bert.client.get(path)
        for path in (
            *(path_of(folder), f"{path_of(folder)}/contents", "/api/folder/x/contents"),
            *("/api/folder/00", "/api/folder/-1", "/api/folder/%FF", f"/api/folder/{2**63}"),
        )
    ]

    assert [answer.code for answer in answers] == [404] * 7
