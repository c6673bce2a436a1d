"""Who may do what: the only place that decides it.

A workspace, device or item that is not the principal's is refused with the
same error as one that does not exist.  The commit function checks membership,
role and device itself, in its one round trip; what it refuses becomes an error
here.
"""

from __future__ import annotations

from uuid import UUID

from stacksync.db.commits import RequestRefused
from stacksync.db.workspaces import WorkspaceTable
from stacksync.errors import (
    DeviceNotFound,
    Forbidden,
    RequestReused,
    StackSyncError,
    WorkspaceNotFound,
)
from stacksync.model import CommitRequest, Principal, Workspace


class Access:
    """Looks up what a principal may see, and refuses the rest."""

    def __init__(self, workspaces: WorkspaceTable) -> None:
        self._workspaces = workspaces

    async def workspace(self, principal: Principal, workspace_id: UUID) -> Workspace:
        """The workspace, if the principal is a member of it.

        :raises WorkspaceNotFound: no such workspace, or not the principal's.
        """
        workspace = await self._workspaces.of_member(principal.account_id, workspace_id)
        if workspace is None:
            raise WorkspaceNotFound(workspace_id)
        return workspace


def refused_commit(request: CommitRequest, refused: RequestRefused) -> StackSyncError:
    """The error that a refused commit is told with."""
    if refused.reason == "workspace":
        return WorkspaceNotFound(request.workspace_id)
    if refused.reason == "device":
        return DeviceNotFound(request.device_id)
    if refused.reason == "reused":
        return RequestReused(request.request_id, refused.recorded, len(request.changes))
    return Forbidden(f"viewers cannot commit to workspace {request.workspace_id}")
