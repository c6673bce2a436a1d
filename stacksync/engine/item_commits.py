"""Commits of one change, for who speaks of items and not of batches.

Turns what became of the change into the item it made or an error, tries again
when another commit came first and nobody had said which version they meant,
and sees to it that a repeated request is answered as the first time.  Where
the change comes from is :mod:`.items`', :mod:`.trash`'s and content's.
"""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID, uuid4

from attrs import evolve

from stacksync.db.items import ItemTable
from stacksync.engine import validation
from stacksync.engine.access import Access, check_may_write
from stacksync.engine.commits import Commits
from stacksync.engine.devices import Devices
from stacksync.engine.tries import TRIES, as_before, identity_of, is_elsewhere, made_elsewhere
from stacksync.errors import (
    Conflict,
    DeviceNotFound,
    ElsewhereNow,
    FolderCycle,
    InvalidRequest,
    ItemNotFound,
    NameTaken,
    ParentNotFound,
    QuotaExceeded,
    SharedFolder,
    StackSyncError,
    StaleVersion,
    VersionMismatch,
)
from stacksync.model import (
    CommitRequest,
    CommitResult,
    Item,
    ItemChange,
    ItemOutcome,
    ItemStatus,
    Principal,
    Refusal,
    Workspace,
)

Describe = Callable[[Item], ItemChange | None]
"""What is to become of an item as it is now; ``None``: it is so already.

The id and the version of the change are filled in.
"""


class ItemCommits:
    """Commits one change on behalf of a principal.

    A ``request_id`` makes a repeat harmless: the same device may use it again
    for the same request only.  ``None``: nobody means to repeat it.
    """

    def __init__(
        self, table: ItemTable, commits: Commits, devices: Devices, access: Access
    ) -> None:
        self._table = table
        self._commits = commits
        self._devices = devices
        self._access = access

    async def create(
        self,
        principal: Principal,
        workspace_id: UUID,
        change: ItemChange,
        *,
        request_id: str | None,
    ) -> Item:
        """Make a new item.

        :raises WorkspaceNotFound: no such workspace, or not the principal's.
        :raises Forbidden: the principal may only look.
        :raises ElsewhereNow: the parent has gone to another workspace meanwhile.
        :raises NameTaken, ParentNotFound, QuotaExceeded, InvalidRequest: it cannot be.
        :raises RequestReused: the request id stands for another request.
        :raises Unavailable: the database is away.
        """
        before = await self._before(principal, request_id)
        made = made_elsewhere(before, change, workspace_id)
        if made is not None:
            return made
        change = as_before(change, before)
        result = await self._commit(principal, workspace_id, change, request_id)
        if result.outcomes[0].refusal is Refusal.PARENT_NOT_FOUND and change.parent_id is not None:
            await self._check_parent(principal, workspace_id, change.parent_id)
        return committed(change, result)

    async def change(
        self,
        principal: Principal,
        item_id: int,
        describe: Describe,
        *,
        expected: int | None,
        request_id: str | None,
        only_in: UUID | None = None,
    ) -> Item:
        """Make the next version of an item, in whichever workspace it is by then.

        :param describe: may raise; asked again when another commit came first.
        :param expected: the version that the caller means; ``None``: the newest.
        :param only_in: the workspace whose container has the change's content.
        :raises ElsewhereNow: the item has gone to another workspace than that.
        :raises SharedFolder: a shared workspace consists of it.
        :raises ItemNotFound: no such item, or in no workspace of the principal's.
        :raises Forbidden: the principal may only look.
        :raises VersionMismatch: the item is not at the ``expected`` version.
        :raises StaleVersion: it kept changing.
        :raises NameTaken, ParentNotFound, FolderCycle, QuotaExceeded, InvalidRequest,
            Conflict: it cannot be.
        :raises RequestReused: the request id stands for another request.
        :raises Unavailable: the database is away.
        """
        for attempt in range(TRIES):
            attempt_id = identity_of(request_id, attempt)
            held = await self._access.item(principal, item_id)
            check_may_write(held.workspace)
            before = await self._before(principal, attempt_id)
            if is_elsewhere(before, item_id, held.workspace):
                assert before is not None
                if before.item is not None:
                    return before.item
                continue
            if only_in not in (None, held.workspace.id):
                raise elsewhere_now(item_id)
            item = await self._described(principal, held.item, before)
            try:
                change = describe(item)
            except Conflict:
                # A condition that does not hold goes before what else is in the way.
                check_version(item, expected)
                raise
            check_version(item, expected)
            if change is None:
                return item
            change = as_before(evolve(change, id=item.id, version=item.version + 1), before)
            result = await self._commit(principal, held.workspace.id, change, attempt_id)
            outcome = result.outcomes[0]
            if outcome.refusal is Refusal.NAME_TAKEN:
                outcome = await self._in_the_way(held.workspace, change, outcome)
                raise error_of(change, outcome, result)
            if outcome.refusal is Refusal.NOT_FOUND:
                # It has gone to another workspace just now, or is no concern of theirs any more.
                if only_in is not None:
                    await self._access.item(principal, item_id)
                    raise elsewhere_now(item_id)
                continue
            if outcome.refusal is not Refusal.STALE:
                return committed(change, result)
            item = outcome.item or item
            check_version(item, expected)
        raise StaleVersion(f"item {item_id} changed {TRIES} times meanwhile", item)

    async def _in_the_way(
        self, workspace: Workspace, change: ItemChange, outcome: ItemOutcome
    ) -> ItemOutcome:
        """The outcome with who has the name, of whom a device hears in other ways.

        If nobody has it any more, with the item itself, as the commit told.
        """
        name = change.name or (outcome.item.name if outcome.item is not None else "")
        parent_id = change.parent_id
        if parent_id is None:
            parent_id = workspace.root_item_id
        taken = await self._table.live_named(workspace.id, parent_id, name)
        if taken is None and workspace.has_mounts:
            taken = await self._table.mount_named(workspace.owner.id, parent_id, name)
        return evolve(outcome, item=taken) if taken is not None else outcome

    async def _check_parent(self, principal: Principal, workspace_id: UUID, parent_id: int) -> None:
        """:raises ElsewhereNow: the folder is live, but in another workspace meanwhile."""
        try:
            held = await self._access.item(principal, parent_id)
        except ItemNotFound:
            return
        if held.workspace.id != workspace_id and held.item.status is not ItemStatus.DELETED:
            raise elsewhere_now(parent_id)

    async def _before(self, principal: Principal, request_id: str | None) -> ItemOutcome | None:
        """What became of the same request when it came before."""
        if request_id is None:
            return None
        validation.check_request_id(request_id)
        device_id = await self._devices.acting(principal)
        return await self._table.made_by(principal.account_id, device_id, request_id)

    async def _described(
        self, principal: Principal, newest: Item, before: ItemOutcome | None
    ) -> Item:
        """The state to describe the change of: of a repeat, what it was the first time."""
        if before is None or before.refusal is not None or before.item is None:
            return newest
        if before.item.id != newest.id:
            return newest
        earlier = before.item.version - 1
        found = await self._table.version(principal.account_id, newest.id, earlier)
        return found or newest

    async def _commit(
        self, principal: Principal, workspace_id: UUID, change: ItemChange, request_id: str | None
    ) -> CommitResult:
        request = CommitRequest(
            workspace_id=workspace_id,
            device_id=await self._devices.acting(principal),
            request_id=request_id if request_id is not None else uuid4().hex,
            changes=(change,),
        )
        try:
            return await self._commits.commit(principal, request)
        except DeviceNotFound:
            if principal.device_id is not None:
                raise
            # The device was known here and is gone: the database is an older one now.
            self._devices.forget(principal)
            await self._devices.acting(principal)
            return await self._commits.commit(principal, request)


def elsewhere_now(item_id: int) -> ElsewhereNow:
    return ElsewhereNow(f"item {item_id} has gone to another workspace meanwhile: send it again")


def check_version(item: Item, expected: int | None) -> None:
    """:raises VersionMismatch: the item is at another version than the caller means."""
    if expected is not None and item.version != expected:
        raise VersionMismatch(f"item {item.id} is at version {item.version}, not {expected}", item)


def committed(change: ItemChange, result: CommitResult) -> Item:
    """The item that the only change of a commit has made, or the error why it has not."""
    outcome = result.outcomes[0]
    if outcome.refusal is None and outcome.item is not None:
        return outcome.item
    raise error_of(change, outcome, result)


def error_of(change: ItemChange, outcome: ItemOutcome, result: CommitResult) -> StackSyncError:
    current = outcome.item
    if outcome.refusal is Refusal.NAME_TAKEN:
        name = change.name if change.name is not None or current is None else current.name
        return NameTaken(f"there is an item named {name!r} in this folder already", current)
    if outcome.refusal is Refusal.SHARED_FOLDER:
        return SharedFolder(
            f"folder {change.id} is shared: its owner can unshare it, others can leave it", current
        )
    if outcome.refusal is Refusal.PARENT_NOT_FOUND:
        return ParentNotFound(change.parent_id)
    if outcome.refusal is Refusal.QUOTA:
        left = max(0, result.quota_limit - result.quota_used)
        return QuotaExceeded(
            f"of the quota of {result.quota_limit} bytes {left} are left: too few for this"
        )
    if outcome.refusal is Refusal.CYCLE:
        return FolderCycle(f"folder {change.id} cannot be moved into itself or below", current)
    if outcome.refusal is Refusal.NOT_FOUND:
        return ItemNotFound(change.id)
    if outcome.refusal is Refusal.INVALID:
        field, _, problem = (outcome.problem or "item: is invalid").partition(": ")
        return InvalidRequest(field, problem)
    return Conflict(f"the change of item {change.id} was refused: {outcome.refusal}", current)
