"""Who may call which method about a shared folder, and the fields of such a call."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.integration.clients.answers import Refused
from tests.integration.permissions.stage import (
    ANSWER,
    LEAVE,
    MEMBERS,
    OWN,
    OWNER,
    READ,
    ROLES,
    SECRET,
    WRITE,
    Asking,
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

Call = Callable[[KnownUser, str, dict[str, Any]], Any]


def expected_of(method: str) -> dict[str, bool]:
    """Whom a method has to let do what it is asked, by role."""
    return {role: code == 200 for role, code in METHODS[method][0].items()}


def who_may(folder: SharedFolder, method: str, call: Call) -> dict[str, bool]:
    """Whom a method lets do what it is asked, by role; the others are told nothing.

    :param call: lets somebody call a method with these fields.
    """
    codes, make = METHODS[method]
    asking = Asking(lambda user: make(folder, user), method in {"commit", *LAST})
    allowed = {}
    for role in ROLES:
        newly = method in LAST and codes[role] == 200
        user = folder.somebody(role) if newly else folder.users[role]
        try:
            told = call(user, method, asking.by(user))
        except Refused as refused:
            told = refused
        allowed[role] = not isinstance(told, Refused)
        if isinstance(told, Refused):
            assert codes[role] != 404 or "no such" in told.message, (role, told)
            continue
        assert role in MEMBERS or SECRET not in repr(told), role
        if not method.startswith("get"):
            asking.done()
    return allowed
