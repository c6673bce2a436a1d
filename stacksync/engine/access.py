"""Who may do what: the only place that decides it.

A workspace, device or item that is not the principal's is refused with the
same error as one that does not exist.  The commit function checks membership,
role and device itself, in its one round trip; what it refuses becomes an error
here.
"""

from __future__ import annotations

from uuid import UUID

from stacksync.db.commits import RequestRefused
from stacksync.db.items import HeldItem, ItemTable
from stacksync.db.workspaces import WorkspaceTable
from stacksync.engine import validation
from stacksync.errors import (
    DeviceNotFound,
    Forbidden,
    ItemNotFound,
    ParentNotFound,
    RequestReused,
    StackSyncError,
    WorkspaceNotFound,
)
from stacksync.model import CommitRequest, Principal, Role, Scope, SignIn, Workspace


class Access:
    """Looks up what a principal may see, and refuses the rest."""

    def __init__(self, workspaces: WorkspaceTable, items: ItemTable) -> None:
        self._workspaces = workspaces
        self._items = items

    async def workspace(self, principal: Principal, workspace_id: UUID) -> Workspace:
        """The workspace, if the principal is a member of it.

        :raises WorkspaceNotFound: no such workspace, or not the principal's.
        """
        workspace = await self._workspaces.of_member(principal.account_id, workspace_id)
        if workspace is None:
            raise WorkspaceNotFound(workspace_id)
        return workspace

    async def default_workspace(self, principal: Principal) -> Workspace:
        """Where the principal's own files are: the oldest workspace it owns and does not share.

        :raises WorkspaceNotFound: there is none (any more).
        """
        workspace = await self._workspaces.default_of(principal.account_id)
        if workspace is None:
            raise WorkspaceNotFound("the default one")
        return workspace

    async def item(self, principal: Principal, item_id: int) -> HeldItem:
        """The newest state of an item, deleted or not, with its workspace.

        :raises ItemNotFound: no such item, or in no workspace of the principal's.
        """
        held = None
        if 0 < item_id < validation.INT64:
            held = await self._items.held(principal.account_id, item_id)
        if held is None:
            raise ItemNotFound(item_id)
        return held

    async def parent(self, principal: Principal, folder_id: int) -> HeldItem:
        """A folder in which something is to stand, deleted or not.

        :raises ParentNotFound: no such folder, or in no workspace of the principal's.
        """
        try:
            held = await self.item(principal, folder_id)
        except ItemNotFound:
            raise ParentNotFound(folder_id) from None
        if not held.item.is_folder:
            raise ParentNotFound(folder_id)
        return held


def check_scope(principal: Principal) -> None:
    """:raises Forbidden: the principal's token is for reading, whatever the account may do."""
    if principal.scope is Scope.READ_ONLY:
        raise Forbidden("this token may only read")


def check_is_device(principal: Principal, device_id: UUID) -> None:
    """:raises Forbidden: the principal's token is that of another device."""
    if principal.sign_in is SignIn.TOKEN and principal.device_id != device_id:
        raise Forbidden(f"this token is that of device {principal.device_id}, no other")


def check_is_account_itself(principal: Principal, what: str) -> None:
    """Refuse whoever holds only a part of the account's rights.

    :param what: ``to do something``.
    :raises Forbidden: the principal does.
    """
    if not principal.is_account_itself:
        raise Forbidden(f"{what} takes the password: a token is not enough")


def check_may_write(workspace: Workspace) -> None:
    """:raises Forbidden: the member who sees the workspace so may only look."""
    if workspace.role is Role.VIEWER:
        raise Forbidden(f"viewers cannot change anything in workspace {workspace.id}")


def check_may_share(workspace: Workspace) -> None:
    """Owner and editors propose, withdraw and unshare.

    :raises Forbidden: the member who sees the workspace so may only look.
    """
    if workspace.role is Role.VIEWER:
        raise Forbidden(f"viewers cannot say who takes part in workspace {workspace.id}")


def refused_commit(request: CommitRequest, refused: RequestRefused) -> StackSyncError:
    """The error that a refused commit is told with."""
    if refused.reason == "workspace":
        return WorkspaceNotFound(request.workspace_id)
    if refused.reason == "device":
        return DeviceNotFound(request.device_id)
    if refused.reason == "reused":
        return RequestReused(request.request_id, refused.recorded, len(request.changes))
    return Forbidden(f"viewers cannot commit to workspace {request.workspace_id}")
