"""Sharing with a device of either protocol, in the same words."""

from __future__ import annotations

from typing import Any

from attrs import frozen

from tests.integration.clients.amqp_device import AmqpDevice
from tests.integration.clients.device import Device
from tests.integration.clients.http_device import HttpDevice


@frozen
class Waiting:
    """A proposal that waits for an answer."""

    id: str
    folder: int
    folder_name: str
    workspace: str
    role: str


def propose(device: Device, folder: int, *emails: str, role: str = "editor") -> list[str]:
    """Ask people to take part; what each of those who count is now."""
    if isinstance(device, AmqpDevice):
        told = device.call("createShareProposal", itemId=folder, emails=emails, role=role)
    else:
        content = {"share_to": emails, "role": role}
        told = http(device).ask("POST", f"/folder/{folder}/share", content)["shared_to"]
    return [each["state"] for each in told]


def waiting(device: Device) -> list[Waiting]:
    """What waits for the answer of the device's user."""
    if isinstance(device, AmqpDevice):
        names = ("proposalId", "itemId", "folderName", "workspaceId", "role")
        told = device.call("getShareProposals")
    else:
        names = ("id", "item_id", "folder_name", "workspace_id", "role")
        told = http(device).ask("GET", "/shares")["shares"]
    return [Waiting(*(each[name] for name in names)) for each in told]


def accept(device: Device, proposal: str) -> str:
    """The id of the workspace that the folder is."""
    return str(answer(device, "accept", proposal)["id"])


def decline(device: Device, proposal: str) -> None:
    answer(device, "decline", proposal)


def answer(device: Device, verb: str, proposal: str) -> Any:
    if isinstance(device, AmqpDevice):
        return device.call(f"{verb}ShareProposal", proposalId=proposal)
    return http(device).ask("POST", f"/shares/{proposal}/{verb}")


def withdraw(device: Device, proposal: str) -> None:
    if isinstance(device, AmqpDevice):
        device.call("withdrawShareProposal", proposalId=proposal)
    else:
        http(device).ask("DELETE", f"/shares/{proposal}")


def unshare(device: Device, folder: int, *emails: str) -> None:
    if isinstance(device, AmqpDevice):
        device.call("unshare", itemId=folder, emails=emails)
    else:
        http(device).ask("POST", f"/folder/{folder}/unshare", list(emails))


def leave(device: Device, folder: int) -> None:
    if isinstance(device, AmqpDevice):
        device.call("leaveShare", itemId=folder)
    else:
        http(device).ask("POST", f"/folder/{folder}/leave")


def members(device: Device, folder: int) -> dict[str, str]:
    """The roles, by e-mail."""
    if isinstance(device, AmqpDevice):
        told = device.call("getShareMembers", itemId=folder)
    else:
        told = http(device).ask("GET", f"/folder/{folder}/members")
    return {each["email"]: each["role"] for each in told}


def news(device: Device, kind: str) -> dict[str, Any]:
    """The next of a kind that the device is told; what else it is told before is passed over.

    :param kind: ``share-proposal``, ``unshare`` or ``workspace``.
    :returns: ``workspace`` and ``folder_name`` of it.
    """
    if isinstance(device, AmqpDevice):
        return amqp_news(device, kind)
    while True:
        name, told = http(device).next_event()
        if name == kind:
            names = ("id", "name") if kind == "workspace" else ("workspace_id", "folder_name")
            return {"workspace": told[names[0]], "folder_name": told[names[1]]}


def told_of(device: Device, workspace: str, revision: int) -> None:
    """Wait until the device is told that a workspace has got to a revision.

    What it is told before is passed over: where a folder is shared or moved, that is told more
    than once, and by whoever comes first.
    """
    while True:
        if isinstance(device, AmqpDevice):
            told = device.next_notification()
            heard = (told.workspace_id, told.revision)
        else:
            name, event = http(device).next_event()
            heard = (event["workspace_id"], event["revision"]) if name == "commit" else ("", 0)
        if heard[0] == workspace and heard[1] >= revision:
            assert heard[1] == revision
            return


def amqp_news(device: AmqpDevice, kind: str) -> dict[str, Any]:
    if kind == "workspace":
        update = device.next_update()
        return {"workspace": update.workspace_id, "folder_name": update.name}
    method = {"share-proposal": "notifyShareProposal", "unshare": "notifyUnshare"}[kind]
    while True:
        name, told = device.next_share()
        if name == method:
            return {"workspace": told["workspaceId"], "folder_name": told["folderName"]}


def http(device: Device) -> HttpDevice:
    assert isinstance(device, HttpDevice)
    return device
