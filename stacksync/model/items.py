"""Files and folders: their states, and what they consist of."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from attrs import frozen


class ItemStatus(StrEnum):
    """What a version did to its item (contracts/objectmq.md, *Types*)."""

    NEW = "NEW"
    CHANGED = "CHANGED"
    RENAMED = "RENAMED"
    MOVED = "MOVED"
    DELETED = "DELETED"


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
class Content:
    """What a file consists of: its chunks in order, what they make up, and what it seems to be."""

    chunks: tuple[str, ...]
    size: int
    checksum: int
    mimetype: str | None


@frozen
class BlobInfo:
    """An object in the store: its size in bytes as stored, and when it was put or refreshed."""

    name: str
    size: int
    modified_at: datetime


@frozen
class ContainerAccess:
    """Which users of the identity service may do what in a container.

    ``quota``: the most bytes that it may hold; ``None``: nothing is said.
    """

    readers: frozenset[str]
    writers: frozenset[str]
    quota: int | None = None
