"""What happened, as told to devices.

An event is a hint: who missed one sees the gap in the revisions and asks for
the changes.  Front-ends turn events into notifications; the engine makes them.
"""

from __future__ import annotations

from uuid import UUID

from attrs import frozen

from stacksync.model import CommitResult, Workspace


@frozen
class Committed:
    """A commit that changed a workspace, or was refused by it.

    Told on the workspace's channel, to its members.
    """

    result: CommitResult


@frozen
class WorkspaceUpdated:
    """A member renamed or re-mounted a workspace; told to that member's devices."""

    account_id: UUID
    request_id: str
    workspace: Workspace


@frozen
class WorkspaceTouched:
    """Another instance committed to this workspace, up to this revision.

    A bare hint, without items: the instance that made the commit has told
    the broker, so this is for event streams only.
    """

    workspace_id: UUID
    revision: int


Event = Committed | WorkspaceUpdated | WorkspaceTouched
