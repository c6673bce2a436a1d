"""Where items live, and who may do what there."""

from __future__ import annotations

from enum import StrEnum
from uuid import UUID

from attrs import frozen

from stacksync.model.accounts import Account


class Role(StrEnum):
    """What a member may do in a workspace."""

    OWNER = "owner"
    EDITOR = "editor"
    VIEWER = "viewer"


@frozen
class Workspace:
    """A workspace as one of its members sees it: name and parent are the member's mount.

    Changes can be told since ``oldest_revision`` up to ``latest_revision``.
    ``root_item_id`` is the folder that a shared workspace consists of, which is
    its only item without a parent; ``None``: it is nobody's folder.
    ``has_mounts``: folders of other workspaces may be mounted in this one.
    """

    id: UUID
    name: str
    parent_item_id: int | None
    role: Role
    owner: Account
    container: str
    is_shared: bool
    is_encrypted: bool
    latest_revision: int
    oldest_revision: int = 0
    root_item_id: int | None = None
    has_mounts: bool = False
