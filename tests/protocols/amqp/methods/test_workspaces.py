"""``getWorkspaces`` and ``updateWorkspace``: as each member sees and mounts them."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest
from pytest_twisted import ensureDeferred

from stacksync.engine import Engine
from stacksync.model import Role
from stacksync.protocols.amqp.methods.storage_place import StoragePlace
from stacksync.protocols.amqp.methods.workspaces import encode_workspace
from stacksync.protocols.amqp.notifications import Notifications
from tests.protocols.amqp.builders import account, new_folder, workspace
from tests.protocols.amqp.conftest import User
from tests.protocols.amqp.requests import Recorder
from tests.protocols.amqp.waiting import eventually


@ensureDeferred
async def test_every_account_begins_with_a_workspace(anna: User) -> None:
    (told,) = await anna.call("getWorkspaces")

    assert told == {
        "id": anna.workspace_id,
        "name": "StackSync",
        "parentItem": None,
        "latestRevision": 0,
        "owner": {
            "id": anna.id,
            "name": "Änne",
            "email": anna.account.email,
            "quotaLimit": 10**9,
            "quotaUsed": 0,
        },
        "swiftContainer": told["swiftContainer"],
        "isShared": False,
        "isEncrypted": False,
        "role": "owner",
        "rootItem": None,
    }
    assert told["swiftContainer"]


@ensureDeferred
async def test_who_has_no_workspaces_is_told_so(anna: User) -> None:
    nobody = str(uuid4())

    assert await anna.refusal("getWorkspaces", userId=nobody) == (
        "NoWorkspacesFoundException",
        f"account {nobody} has no workspaces",
    )


def test_where_a_workspace_is_mounted_is_told_as_an_item() -> None:
    assert encode_workspace(workspace(parent_item_id=12))["parentItem"] == {"id": 12}


def test_what_a_workspace_is_in_swift_is_told_where_the_store_is_swift() -> None:
    place = StoragePlace("https://swift.example.org/v1/AUTH_77", "stacksync", "https://keys/v3")
    told = encode_workspace(workspace(owner=account(identity_id="0123")), place)

    assert told["swiftUrl"] == "https://swift.example.org/v1/AUTH_77"
    assert told["owner"]["swiftUser"] == "0123"
    assert told["owner"]["swiftAccount"] == "AUTH_77"


def test_the_folder_that_a_shared_workspace_is_is_told_as_an_item() -> None:
    told = encode_workspace(workspace(root_item_id=12, is_shared=True, role=Role.VIEWER))

    assert (told["rootItem"], told["isShared"], told["role"]) == ({"id": 12}, True, "viewer")


@ensureDeferred
async def test_a_workspace_gets_a_new_name_and_the_members_devices_are_told(
    anna: User, engine: Engine, recorder: Recorder
) -> None:
    told = Recorder()
    publisher: Any = told
    engine.notifier.subscribe(Notifications(lambda: publisher))

    result = await anna.call(
        "updateWorkspace",
        requestId="r-1",
        workspaceId=anna.workspace_id,
        workspaceName="Größe",
        parentItemId=None,
    )

    assert result is None
    (renamed,) = await anna.call("getWorkspaces")
    assert (renamed["name"], renamed["parentItem"]) == ("Größe", None)
    await eventually(lambda: told.published)
    notification = told.take()
    assert notification.exchange == f"multi#{anna.id}"
    assert notification.json["params"][0]["requestId"] == "r-1"
    assert notification.json["params"][0]["folderName"] == "Größe"


@ensureDeferred
async def test_somebody_elses_workspace_looks_like_none(anna: User, bert: User) -> None:
    nobodys = str(uuid4())
    for identity in (bert.workspace_id, nobodys):
        refusal = await anna.refusal("updateWorkspace", workspaceId=identity, workspaceName="mine")
        assert refusal == ("WorkspaceNotUpdatedException", f"no such workspace: {identity}")


@ensureDeferred
async def test_a_workspace_is_not_mounted_in_itself_nor_nowhere(anna: User) -> None:
    info = await anna.commit(new_folder("here", -1))
    own = info["items"][0]["metadata"]["id"]

    for parent in (own, 2**62):
        refusal = await anna.refusal(
            "updateWorkspace", workspaceId=anna.workspace_id, parentItemId=parent
        )
        assert refusal == ("WorkspaceNotUpdatedException", f"no such item: {parent}")


@pytest.mark.parametrize(
    ("fields", "complaint"),
    [
        ({"workspaceId": None}, "workspaceId: is missing"),
        ({"workspaceId": 7}, "workspaceId: must be a UUID"),
        ({"requestId": None}, "requestId: is missing"),
        ({"workspaceName": ""}, "workspaceName: is empty"),
        ({"workspaceName": "a/b"}, "workspaceName: holds a slash or a NUL"),
        ({"workspaceName": ["x"]}, "workspaceName: must be a string"),
        ({"parentItemId": -1}, "parentItemId: -1 is not an item's id"),
        ({"parentItemId": 2**63}, f"parentItemId: {2**63} is not an item's id"),
        ({"parentItemId": 1.5}, "parentItemId: must be an integer of 64 bits"),
    ],
)
@ensureDeferred
async def test_what_a_workspace_cannot_become_is_refused_with_the_field(
    anna: User, fields: dict[str, object], complaint: str
) -> None:
    refusal = await anna.refusal("updateWorkspace", **{"workspaceId": anna.workspace_id, **fields})

    assert refusal == ("WorkspaceNotUpdatedException", complaint)
