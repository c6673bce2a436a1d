"""``/workspaces``: list, show, rename, re-mount."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest
from pytest_twisted import ensureDeferred

from tests.protocols.http.builders import new_file
from tests.protocols.http.conftest import User


def path_of(user: User) -> str:
    return f"/api/workspaces/{user.workspace.id}"


@ensureDeferred
async def test_a_workspace_is_listed_with_its_owner_and_revision(anna: User) -> None:
    await anna.commit(new_file())

    (told,) = (await anna.client.get("/api/workspaces")).json["workspaces"]

    assert told == {
        "id": str(anna.workspace.id),
        "name": "StackSync",
        "parent_item_id": None,
        "role": "owner",
        "owner": {
            "id": str(anna.account.id),
            "email": anna.account.email,
            "name": "Änne",
        },
        "container": anna.workspace.container,
        "is_shared": False,
        "is_encrypted": False,
        "root_item_id": None,
        "latest_revision": 1,
    }
    assert (await anna.client.get(path_of(anna))).json == told


@ensureDeferred
async def test_a_workspace_is_renamed(anna: User) -> None:
    answer = await anna.client.put(path_of(anna), {"name": "Zuhause 🏠"})

    assert answer.code == 200
    assert answer.json["name"] == "Zuhause 🏠"
    assert (await anna.client.get(path_of(anna))).json == answer.json


@ensureDeferred
async def test_a_workspace_stays_at_the_root_when_put_there(anna: User) -> None:
    answer = await anna.client.put(path_of(anna), {"parent_item_id": 0})

    assert (answer.code, answer.json["parent_item_id"]) == (200, None)


@ensureDeferred
async def test_a_workspace_cannot_be_put_where_nothing_is(anna: User) -> None:
    answer = await anna.client.put(path_of(anna), {"parent_item_id": 987654321})

    assert answer.code == 404


@pytest.mark.parametrize(
    ("fields", "parameter"),
    [
        ({}, "body"),
        ({"name": None}, "body"),
        ({"name": "a/b"}, "name"),
        ({"name": ".."}, "name"),
        ({"name": 1}, "name"),
        ({"parent_item_id": "0"}, "parent_item_id"),
        ({"parent_item_id": -1}, "parent_item_id"),
        ({"parent_item_id": 2**63}, "parent_item_id"),
        ({"parent": 0}, "parent"),
    ],
)
@ensureDeferred
async def test_what_cannot_be_is_refused(
    anna: User, fields: dict[str, Any], parameter: str
) -> None:
    answer = await anna.client.put(path_of(anna), fields)

    assert (answer.code, answer.json["parameter"]) == (400, parameter)


@ensureDeferred
async def test_somebody_elses_workspace_looks_like_none(anna: User, bert: User) -> None:
    paths = [path_of(anna), f"/api/workspaces/{uuid4()}", "/api/workspaces/nonsense"]
    answers = [await bert.client.get(path) for path in paths]
    answers += [await bert.client.put(path, {"name": "mine now"}) for path in paths]

    assert [answer.code for answer in answers] == [404] * 6
    assert (await anna.client.get(path_of(anna))).json["name"] == "StackSync"
