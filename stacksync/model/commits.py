"""What devices ask of a workspace, and what becomes of it."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from attrs import frozen

from stacksync.model.items import Item, ItemStatus


@frozen
class ItemChange:
    """One item of a commit, as a device asks for it.

    ``id`` is ``None`` for a new item.  For an existing item ``None`` in
    ``name``, ``is_folder``, ``size``, ``checksum``, ``mimetype`` or ``chunks``
    leaves the present value; ``parent_id`` ``None`` always means the root.
    ``parent_id`` may be the ``temp_id`` of an earlier item of the same commit.
    ``restores``: a deleted folder comes back with what its deletion took along.
    """

    status: ItemStatus
    version: int
    modified_at: datetime
    id: int | None = None
    temp_id: int | None = None
    parent_id: int | None = None
    name: str | None = None
    is_folder: bool | None = None
    size: int | None = None
    checksum: int | None = None
    mimetype: str | None = None
    chunks: tuple[str, ...] | None = None
    restores: bool = False


@frozen
class CommitRequest:
    workspace_id: UUID
    device_id: UUID
    request_id: str
    changes: tuple[ItemChange, ...]


class Refusal(StrEnum):
    """Why an item of a commit was not committed."""

    STALE = "stale"
    """The version is not the server's latest plus one: another commit came first."""
    NAME_TAKEN = "name-taken"
    """A live item of this name stands in the same folder."""
    NOT_FOUND = "not-found"
    """There is no such item in this workspace."""
    PARENT_NOT_FOUND = "parent-not-found"
    """The parent is not a live folder of this workspace."""
    CYCLE = "cycle"
    """A folder can't be moved into itself or below itself."""
    QUOTA = "quota"
    """The owner's quota does not allow this size."""
    SHARED_FOLDER = "shared-folder"
    """A shared workspace consists of this folder; members name and mount it for themselves."""
    KIND = "kind"
    """A file can't become a folder, nor a folder a file."""
    INVALID = "invalid"
    """Something that no item can have; the outcome's problem says what."""
    DEPENDENCY = "dependency"
    """The item of this commit that it depends on was refused."""


@frozen
class ItemOutcome:
    """What became of one item of a commit.

    ``item`` is the committed state; for a refused item it is the state that
    the server holds (the winner), or ``None`` if there is none to tell.
    ``change`` is what was asked, or ``None`` for an item that the commit
    touched by itself (the content of a deleted folder).  ``problem`` says in
    words what is invalid.
    """

    refusal: Refusal | None
    item: Item | None
    change: ItemChange | None
    problem: str | None = None

    @property
    def committed(self) -> bool:
        return self.refusal is None


@frozen
class CommitResult:
    """The answer to a commit: an outcome per change in the order asked, then
    those of the items that it touched by itself.

    ``revision`` is the workspace's revision that the commit made, or, when
    everything was refused, the one it found.
    """

    workspace_id: UUID
    request_id: str
    device_id: UUID
    revision: int
    outcomes: tuple[ItemOutcome, ...]
    quota_limit: int
    quota_used: int
    repeated: bool = False
