"""``/trash`` and ``…/restore``: what was deleted, and how it comes back."""

from __future__ import annotations

from typing import Any

import pytest
from pytest_twisted import ensureDeferred

from tests.protocols.http.conftest import User, path_of
from tests.protocols.http.resources.test_proposals import proposed


@ensureDeferred
async def test_what_was_deleted_is_listed_newest_first(anna: User) -> None:
    folder = await anna.folder("folder")
    await anna.upload("went along", parent=folder["id"])
    file = await anna.delete(await anna.upload("file"))
    folder = await anna.delete(folder)

    answer = await anna.client.get("/api/trash")

    assert answer.code == 200
    assert answer.json == {"next": None, "items": [folder, file]}


@ensureDeferred
async def test_the_trash_comes_page_by_page(anna: User) -> None:
    for name in ("a", "b", "c"):
        await anna.delete(await anna.upload(name))

    first = await anna.client.get("/api/trash?limit=2&sort=name")
    last = await anna.client.get(f"/api/trash?limit=2&sort=name&after={first.json['next']}")

    assert [each["filename"] for each in first.json["items"]] == ["a", "b"]
    assert first.header("Link").startswith("</api/trash?limit=2&sort=name&after=")
    assert [each["filename"] for each in last.json["items"]] == ["c"]
    assert (last.json["next"], last.header("Link")) == (None, None)


@ensureDeferred
async def test_the_trash_is_ones_own(anna: User, bert: User) -> None:
    file = await anna.upload("private")
    await anna.delete(file)

    assert (await bert.client.get("/api/trash")).json["items"] == []
    assert (await bert.client.post(f"{path_of(file)}/restore")).code == 404


@pytest.mark.parametrize("role", ["editor", "viewer"])
@ensureDeferred
async def test_members_see_the_trash_of_a_shared_folder(anna: User, bert: User, role: str) -> None:
    waiting = await proposed(anna, bert, role=role)
    await bert.client.post(f"/api/shares/{waiting['id']}/accept")
    file = await anna.delete(await anna.upload("file", parent=waiting["item_id"]))
    path = f"/api/trash?workspace={waiting['workspace_id']}"

    for each in (anna, bert):
        answer = await each.client.get(path)
        assert (answer.code, answer.json["items"]) == (200, [file])
        assert (await each.client.get("/api/trash")).json["items"] == []
    code = (await bert.client.post(f"{path_of(file)}/restore")).code
    assert code == {"editor": 200, "viewer": 403}[role]


@ensureDeferred
async def test_the_trash_of_others_is_not_there(anna: User, bert: User) -> None:
    waiting = await proposed(anna, bert)
    (mine,) = (await anna.client.get("/api/workspaces")).json["workspaces"]

    for workspace in (mine["id"], waiting["workspace_id"]):
        answer = await bert.client.get(f"/api/trash?workspace={workspace}")
        assert answer.code == 404
        assert workspace in answer.json["description"]


@ensureDeferred
async def test_a_file_comes_back_as_it_was(anna: User) -> None:
    file = await anna.upload("file", b"words")
    await anna.delete(file)

    answer = await anna.client.post(f"{path_of(file)}/restore")

    assert (answer.code, answer.header("ETag")) == (200, '"3"')
    assert answer.json == {
        **file,
        "version": 3,
        "status": "CHANGED",
        "modified_at": answer.json["modified_at"],
    }
    assert (await anna.client.get(f"{path_of(file)}/data")).body == b"words"
    assert (await anna.client.get("/api/trash")).json["items"] == []


@ensureDeferred
async def test_a_folder_comes_back_with_what_went_along(anna: User) -> None:
    folder = await anna.folder("folder")
    before = await anna.upload("deleted before", parent=folder["id"])
    await anna.delete(before)
    along = await anna.upload("went along", b"words", parent=folder["id"])
    await anna.delete(folder)

    answer = await anna.client.post(f"{path_of(folder)}/restore", {})

    assert (answer.code, answer.json["status"]) == (200, "CHANGED")
    listed = (await anna.client.get(f"{path_of(folder)}/contents")).json["contents"]
    assert [each["id"] for each in listed] == [along["id"]]
    assert [each["id"] for each in (await anna.client.get("/api/trash")).json["items"]] == [
        before["id"]
    ]


@ensureDeferred
async def test_an_item_comes_back_under_another_name_and_elsewhere(anna: User) -> None:
    folder, file = await anna.folder("target"), await anna.upload("file")
    await anna.delete(file)
    await anna.upload("file")
    path = f"{path_of(file)}/restore"

    taken = await anna.client.post(path)
    answer = await anna.client.post(path, {"name": "again", "parent": folder["id"]})

    assert (taken.code, taken.json["metadata"]["filename"]) == (409, "file")
    assert (answer.json["filename"], answer.json["parent_id"]) == ("again", folder["id"])


@ensureDeferred
async def test_an_item_whose_folder_is_gone_comes_back_to_where_it_is_told(anna: User) -> None:
    folder = await anna.folder("folder")
    file = await anna.upload("file", parent=folder["id"])
    await anna.delete(folder)
    path = f"{path_of(file)}/restore"

    lost = await anna.client.post(path)
    answer = await anna.client.post(path, {"parent": 0})

    assert lost.code == 404
    assert (answer.code, answer.json["parent_id"]) == (200, None)


@ensureDeferred
async def test_what_is_not_deleted_is_not_restored(anna: User) -> None:
    file = await anna.upload("file")

    answer = await anna.client.post(f"{path_of(file)}/restore")

    assert (answer.code, answer.json["metadata"]) == (409, file)


@pytest.mark.parametrize(
    ("fields", "parameter"),
    [
        ({"name": ""}, "name"),
        ({"name": 7}, "name"),
        ({"parent": -1}, "parent"),
        ({"version": 3}, "version"),
        ([], "body"),
    ],
)
@ensureDeferred
async def test_a_wish_that_cannot_be_is_refused_by_name(
    anna: User, fields: Any, parameter: str
) -> None:
    file = await anna.upload("file")
    await anna.delete(file)

    answer = await anna.client.post(f"{path_of(file)}/restore", fields)

    assert (answer.code, answer.json["parameter"]) == (400, parameter)
