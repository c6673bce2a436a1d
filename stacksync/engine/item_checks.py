"""What is asked of an item before something is done to it, whatever that is."""

from __future__ import annotations

from datetime import UTC, datetime

from stacksync.errors import ItemDeleted, ItemNotFound
from stacksync.model import Item, ItemStatus


def check_kind(item: Item, is_folder: bool) -> None:
    """:raises ItemNotFound: a file was asked for and this is a folder, or the other way round."""
    if item.is_folder is not is_folder:
        raise ItemNotFound(item.id)


def check_live(item: Item) -> None:
    """:raises ItemDeleted: the item is in the trash."""
    if item.status is ItemStatus.DELETED:
        raise ItemDeleted(f"item {item.id} is in the trash: it can be restored", item)


def new_parent(item: Item, parent_id: int | None) -> int | None:
    """The parent that a change gives an item: ``None`` keeps the present one, 0 is the root."""
    return item.parent_id if parent_id is None else parent_id or None


def present() -> datetime:
    """Now, in the precision that instants have."""
    now = datetime.now(UTC)
    return now.replace(microsecond=now.microsecond // 1000 * 1000)
