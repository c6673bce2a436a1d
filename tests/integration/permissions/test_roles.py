"""What a member may do in a workspace of somebody else's, by its role there."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.integration.clients.answers import Refused
from tests.integration.clients.device import Device
from tests.integration.clients.items import changed, new_file
from tests.integration.conftest import Devices
from tests.integration.surroundings.ledger import Ledger
from tests.integration.surroundings.people import People
from tests.servers.stacksync import KnownUser, StackSyncProcess

Invite = Callable[[str], None]


@pytest.fixture
def owner(people: People, devices: Devices) -> Device:
    """A device of the workspace's owner."""
    return devices.phone(people.add(quota=1000))


@pytest.fixture
def invite(user: KnownUser, server: StackSyncProcess, owner: Device) -> Invite:
    """Makes ``user`` a member of the owner's workspace, in a role."""

    def make_member(role: str) -> None:
        Ledger(server.database_url).execute(
            "INSERT INTO membership (account_id, workspace_id, role, mount_name)"
            " VALUES (%s, %s, %s, 'shared')",
            *(str(user.id), owner.workspace, role),
        )

    return make_member


def test_a_viewer_may_look_but_not_commit(invite: Invite, owner: Device, device: Device) -> None:
    item = owner.commit(new_file()).item
    invite("viewer")

    assert device.changes(0, owner.workspace) == [item]
    with pytest.raises(Refused, match="viewers cannot commit") as refused:
        device.commit(new_file(), workspace_id=owner.workspace)
    assert refused.value.kind == (
        "403" if device.protocol == "http" else "IllegalArgumentException"
    )
    assert owner.revision == 1


def test_an_editor_commits_and_the_owner_pays(
    invite: Invite, owner: Device, device: Device
) -> None:
    item = owner.commit(new_file(size=100)).item
    invite("editor")
    device.listen()

    answer = device.commit(changed(item, size=900), workspace_id=owner.workspace)
    refused = device.commit(new_file(size=101), workspace_id=owner.workspace)

    assert answer.item["version"] == 2
    assert refused.reasons == ["quota"]
    assert owner.account()["quota_used"] == 900
    assert device.account()["quota_used"] == 0
    heard = [owner.next_notification() for _ in range(2)]
    assert heard[1].answer == answer


def test_a_member_renames_a_workspace_for_itself_only(
    invite: Invite, owner: Device, device: Device
) -> None:
    invite("editor")

    device.update_workspace(owner.workspace, "Holidays")

    assert {told.name for told in device.workspaces()} == {"StackSync", "Holidays"}
    assert [told.name for told in owner.workspaces()] == ["StackSync"]


def test_a_member_mounts_a_workspace_in_a_folder_of_its_own(
    invite: Invite, owner: Device, device: Device
) -> None:
    invite("viewer")
    folder = device.commit(new_file("shared", is_folder=True)).item

    device.update_workspace(owner.workspace, "mounted", folder["id"])

    mounts = {told.id: told.parent_item_id for told in device.workspaces()}
    assert mounts == {device.workspace: None, owner.workspace: folder["id"]}


def test_even_a_member_cannot_commit_with_the_owners_device(
    invite: Invite, owner: Device, device: Device
) -> None:
    invite("editor")

    with pytest.raises(Refused, match="no such device"):
        device.commit(new_file(), workspace_id=owner.workspace, device_id=owner.id)
    assert owner.revision == 0
