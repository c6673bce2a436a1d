"""The nouns of the domain, as frozen attrs classes.

Units: sizes and quotas are bytes; instants are aware UTC ``datetime`` objects
with millisecond precision; a revision counts a workspace's commits, a version
counts an item's.  No wire formats and no SQL here.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from attrs import field, frozen


class Role(StrEnum):
    """What a member may do in a workspace."""

    OWNER = "owner"
    EDITOR = "editor"
    VIEWER = "viewer"


class ItemStatus(StrEnum):
    """What a version did to its item (contracts/objectmq.md, *Types*)."""

    NEW = "NEW"
    CHANGED = "CHANGED"
    RENAMED = "RENAMED"
    MOVED = "MOVED"
    DELETED = "DELETED"


class SignIn(StrEnum):
    """How a principal proved who it is."""

    PASSWORD = "password"
    BROKER = "broker"
    MESSAGE = "message"
    OPERATOR = "operator"


@frozen
class Principal:
    """On whose behalf an operation runs."""

    account_id: UUID
    sign_in: SignIn
    device_id: UUID | None = None


@frozen
class Account:
    id: UUID
    email: str
    name: str
    quota_limit: int
    quota_used: int
    created_at: datetime


@frozen
class DeviceDescription:
    """What a device says of itself; ``None`` leaves a known value as it is."""

    name: str | None = None
    os: str | None = None
    ip: str | None = None
    app_version: str | None = None


@frozen
class Device:
    id: UUID
    account_id: UUID
    name: str
    os: str | None
    ip: str | None
    app_version: str | None
    created_at: datetime
    seen_at: datetime


@frozen
class Workspace:
    """A workspace as one of its members sees it: name and parent are the member's mount.

    Changes can be told since ``oldest_revision`` up to ``latest_revision``.
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


@frozen
class Item:
    """The state of an item at one version."""

    id: int
    workspace_id: UUID
    version: int
    revision: int
    status: ItemStatus
    parent_id: int | None
    parent_version: int | None
    is_folder: bool
    name: str
    size: int
    checksum: int
    mimetype: str | None
    chunks: tuple[str, ...]
    device_id: UUID
    modified_at: datetime


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


def _copied(names: Mapping[str, str]) -> dict[str, str]:
    return dict(names)


@frozen
class ItemShape:
    """Which fields of an item a front-end wants to read, and under what names.

    ``names`` maps attributes of :class:`Item` to the names on the wire.  It
    lets the database write a listing's JSON in the protocol's own spelling,
    so that ten thousand items are never turned into objects and back.
    """

    names: Mapping[str, str] = field(converter=_copied)


@frozen
class Changes:
    """What a workspace's items became since a revision.

    ``items`` is a JSON array in the asked :class:`ItemShape`, UTF-8, parents
    before their children; ``revision`` is the cursor to ask with next time.
    """

    workspace_id: UUID
    revision: int
    items: bytes
    count: int


@frozen
class BlobInfo:
    """An object in the store: its size in bytes as stored, and when it was put or refreshed."""

    name: str
    size: int
    modified_at: datetime


class Order(StrEnum):
    """By what a listing is sorted; a descending one is the reverse."""

    NAME = "name"
    MODIFIED = "modified_at"
    SIZE = "size"


@frozen
class Paging:
    """Which part of a listing is wanted.

    ``after`` is the :attr:`ItemPage.next` of the page before, or ``None`` for
    the first page.
    """

    limit: int
    after: str | None = None
    order: Order = Order.NAME
    descending: bool = False


@frozen
class ItemPage:
    """Part of a listing: ``items`` is a JSON array in the asked :class:`ItemShape`, UTF-8.

    ``next`` is what to ask with for the following page, ``None`` at the end.
    """

    items: bytes
    count: int
    next: str | None


@frozen
class Content:
    """What a file consists of: its chunks in order, what they make up, and what it seems to be."""

    chunks: tuple[str, ...]
    size: int
    checksum: int
    mimetype: str | None
