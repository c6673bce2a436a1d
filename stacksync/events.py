"""What happened, as told to devices.

An event is a hint: who missed one sees the gap in the revisions and asks for
the changes.  Front-ends turn events into notifications; the engine makes them.
"""

from __future__ import annotations

from uuid import UUID

from attrs import frozen

from stacksync.model import CommitResult, Proposal, Workspace


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
class ShareProposed:
    """A folder is proposed to somebody; told to the devices of its owner and of the addressee.

    :ivar account_ids: these two, or only the owner if the addressee has no account yet.
    """

    request_id: str
    proposal: Proposal
    account_ids: tuple[UUID, ...]


@frozen
class Unshared:
    """An account takes part in a folder no more; told to that account's devices."""

    account_id: UUID
    request_id: str
    workspace_id: UUID
    item_id: int
    folder_name: str
    owner_id: UUID
    owner_name: str
    container: str
    is_encrypted: bool


@frozen
class SharesTouched:
    """An account's workspaces or its waiting proposals are others now.

    A bare hint from another instance, which has told the broker: for event
    streams, who look what it is.
    """

    account_id: UUID


@frozen
class SignInsChanged:
    """Some of the ways in which an account had signed in hold no more.

    For whoever remembers a sign-in or keeps something open because of one: look
    again whether it holds.
    """

    account_id: UUID


@frozen
class WorkspaceTouched:
    """Another instance committed to this workspace, up to this revision.

    A bare hint, without items: the instance that made the commit has told
    the broker, so this is for event streams only.
    """

    workspace_id: UUID
    revision: int


Event = (
    Committed
    | WorkspaceUpdated
    | WorkspaceTouched
    | ShareProposed
    | Unshared
    | SharesTouched
    | SignInsChanged
)
