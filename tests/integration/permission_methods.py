"""Who may call which method about a shared folder, and the fields of such a call."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.integration.permission_stage import (
    ANSWER,
    LEAVE,
    OWN,
    OWNER,
    READ,
    WRITE,
    Codes,
    SharedFolder,
    device_of,
    is_invited,
    other,
)
from tests.servers.stacksync import KnownUser


def fields(**made: Any) -> Callable[[SharedFolder, KnownUser], dict[str, Any]]:
    """The fields of a request; functions are given the folder."""
    return lambda folder, _: {k: v(folder) if callable(v) else v for k, v in made.items()}


SHARED: dict[str, Any] = {"itemId": lambda folder: folder.id}
FILE: dict[str, Any] = {"itemId": lambda folder: folder.file()}
WORKSPACE: dict[str, Any] = {"workspaceId": lambda folder: folder.workspace}


def asked(folder: SharedFolder, user: KnownUser) -> dict[str, Any]:
    addressee = user if is_invited(folder, user) else other(folder)
    return {"proposalId": folder.proposal_to(addressee)}


def commit(folder: SharedFolder, user: KnownUser) -> dict[str, Any]:
    item = {"status": "NEW", "version": 1, "modifiedAt": 0, "isFolder": False, "size": 1}
    item |= {"filename": folder.name(), "parentId": folder.id, "chunks": []}
    where = {"workspaceId": folder.workspace, "deviceId": device_of(folder, user)}
    return {**where, "items": [item]}


METHODS: dict[str, tuple[Codes, Callable[[SharedFolder, KnownUser], dict[str, Any]]]] = {
    "getAccountInfo": (OWNER, fields(email=lambda folder: folder.users["owner"].email)),
    "getWorkspaces": (OWN, fields()),
    "getChanges": (READ, fields(**WORKSPACE)),
    "commit": (WRITE, commit),
    "updateDevice": (OWNER, fields(deviceId=lambda folder: folder.device, deviceName="x")),
    "updateWorkspace": (READ, fields(**WORKSPACE, workspaceName="Holidays")),
    "createShareProposal": (WRITE, fields(**SHARED, emails=["y@example.org"])),
    "getShareProposals": (WRITE, fields(**SHARED)),
    "acceptShareProposal": (ANSWER, asked),
    "declineShareProposal": (ANSWER, asked),
    "withdrawShareProposal": (WRITE, fields(proposalId=lambda folder: folder.proposal())),
    "getShareMembers": (READ, fields(**SHARED)),
    "unshare": (WRITE, fields(**SHARED, emails=lambda folder: [folder.address()])),
    "leaveShare": (LEAVE, fields(**SHARED)),
    "getVersions": (READ, fields(**FILE)),
    "restoreVersion": (WRITE, fields(**FILE, version=1)),
}
LAST = {"acceptShareProposal", "declineShareProposal", "leaveShare"}
"""Those that change what their caller is to the folder."""
