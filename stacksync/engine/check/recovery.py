"""Brings items to where they can be seen, by commits like any other.

The commit is made in the owner's name by the device "HTTP" of the account, so
every device hears of it as of any change.
"""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import uuid4

from attrs import define

from stacksync.db.commits import CommitTable, ReadyRequest
from stacksync.db.known_workspaces import KnownWorkspace
from stacksync.db.repairs import RepairTable
from stacksync.engine.devices import Devices
from stacksync.engine.validation import NAME_BYTES
from stacksync.model import (
    CommitRequest,
    CommitResult,
    ItemChange,
    ItemStatus,
    Principal,
    Refusal,
    SignIn,
)

TRIES = 5


@define
class Recovery:
    """Commits changes to items that need it.

    No notifier hears of the commits, as nobody listens here: the sweeps of the
    running instances announce them.
    """

    _table: RepairTable
    _commits: CommitTable
    _devices: Devices

    async def free_name(
        self,
        workspace: KnownWorkspace,
        parent_id: int | None,
        name: str,
        is_folder: bool,
        item_id: int,
    ) -> str:
        """``name (recovered)``, or the first such name with a number that is not taken."""
        number = 1
        while True:
            mark = " (recovered)" if number == 1 else f" (recovered {number})"
            candidate = marked(name, mark, is_folder)
            if not await self._table.is_taken(workspace.id, parent_id, candidate, item_id):
                return candidate
            number += 1

    async def commit(
        self,
        workspace: KnownWorkspace,
        item_id: int,
        version: int,
        status: ItemStatus,
        name: str | None,
        parent_id: int | None,
    ) -> str | None:
        """Make the next version of an item; why that could not be, or ``None``.

        :param version: the one that it is at.
        """
        principal = Principal(workspace.owner_id, SignIn.OPERATOR)
        change = ItemChange(
            status=status,
            version=version + 1,
            modified_at=datetime.now(UTC),
            id=item_id,
            parent_id=parent_id,
            name=name,
        )
        request = CommitRequest(
            workspace.id, await self._devices.acting(principal), f"fsck-{uuid4()}", (change,)
        )
        (answer,) = await self._commits.commit([ReadyRequest(workspace.owner_id, request, {}, {})])
        if not isinstance(answer, CommitResult):
            return f"the owner cannot commit to the workspace ({answer.reason})"
        return problem_with(answer.outcomes[0].refusal)

    async def move_to_root(
        self, workspace: KnownWorkspace, item_id: int, version: int, name: str, is_folder: bool
    ) -> tuple[str, str | None]:
        """Move an item to the root under a free name; that name, and why it failed, if it did."""
        problem = None
        for _ in range(TRIES):
            free = await self.free_name(workspace, None, name, is_folder, item_id)
            problem = await self.commit(workspace, item_id, version, ItemStatus.MOVED, free, None)
            if problem != str(Refusal.NAME_TAKEN):
                break
        return free, problem


def marked(name: str, mark: str, is_folder: bool) -> str:
    """A name with a mark before its extension, cut so that it is short enough."""
    stem, dot, extension = name.rpartition(".")
    if is_folder or not stem or len(extension.encode()) > 16:
        stem, dot, extension = name, "", ""
    tail = f"{mark}{dot}{extension}"
    room = NAME_BYTES - len(tail.encode())
    return stem.encode()[:room].decode(errors="ignore") + tail


def problem_with(refusal: Refusal | None) -> str | None:
    return None if refusal is None else str(refusal)
