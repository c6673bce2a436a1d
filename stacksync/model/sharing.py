"""Folders that people share: who proposes, who is asked, who takes part."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from attrs import frozen

from stacksync.model.workspaces import Role


class ProposalState(StrEnum):
    """What has become of a share proposal."""

    PENDING = "pending"
    ACCEPTED = "accepted"
    DECLINED = "declined"
    WITHDRAWN = "withdrawn"
    EXPIRED = "expired"


@frozen
class Proposal:
    """Somebody is asked to take part in a folder.

    ``workspace_id`` and ``container`` are those of the folder's own workspace:
    before the first acceptance they are what it will have.  ``email`` is the
    addressee's, who need not have an account yet.
    """

    id: UUID
    item_id: int
    workspace_id: UUID
    container: str
    folder_name: str
    owner_id: UUID
    owner_name: str
    owner_email: str
    email: str
    role: Role
    is_encrypted: bool
    state: ProposalState
    created_at: datetime
    expires_at: datetime


class AddresseeState(StrEnum):
    """What an addressee of sharing or unsharing is afterwards."""

    INVITED = "invited"
    MEMBER = "member"
    REMOVED = "removed"


@frozen
class Addressee:
    """Whom sharing or unsharing was about.

    ``name`` is told of members only, so that nobody learns by asking who has
    an account.  ``state``: what the addressee is now.
    """

    email: str
    name: str | None
    state: AddresseeState


@frozen
class Member:
    """Somebody who takes part in a workspace."""

    account_id: UUID
    name: str
    email: str
    role: Role
    joined_at: datetime

    @property
    def is_owner(self) -> bool:
        return self.role is Role.OWNER
