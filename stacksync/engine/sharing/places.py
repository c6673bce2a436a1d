"""What can be shared, and where shared folders can stand: never in one another."""

from __future__ import annotations

from uuid import UUID

from stacksync.db import mounts, moves
from stacksync.db.database import Transaction
from stacksync.db.items import HeldItem, held_within
from stacksync.db.locks import Locks
from stacksync.errors import Conflict, ItemDeleted, ItemNotFound, NestedShare
from stacksync.model import Item, ItemStatus, Role, Workspace


async def locked_item(
    transaction: Transaction, locks: Locks, account_id: UUID, item_id: int
) -> HeldItem:
    """An item as an account has it, in a workspace that is locked.

    :raises NotLocked: it has gone to another one meanwhile.
    :raises ItemNotFound: no such item, or in no workspace of the account's.
    """
    where = await moves.workspace_of(transaction, item_id)
    if where is not None:
        locks.check(where)
    held = await held_within(transaction, account_id, item_id)
    if held is None:
        raise ItemNotFound(item_id)
    return held


async def check_shareable(transaction: Transaction, held: HeldItem) -> None:
    """See whether a folder can be, or become, a workspace of its own.

    :param held: as its owner, or a member of its own workspace, sees it.
    :raises ItemDeleted: it is in the trash.
    :raises NestedShare: it stands in a shared folder, or has one in it.
    """
    folder, workspace = held.item, held.workspace
    if folder.status is ItemStatus.DELETED:
        raise ItemDeleted(f"folder {folder.id} is in the trash: it can be restored", folder)
    if workspace.is_shared:
        if workspace.root_item_id != folder.id:
            raise nested_in(folder, workspace)
    elif await mounts.has_mounts_within(transaction, workspace.owner.id, folder.id):
        raise NestedShare(
            f"folder {folder.id} has a shared folder in it: a shared folder can't stand in another"
        )


async def check_may_become_encrypted(transaction: Transaction, held: HeldItem) -> None:
    """:raises Conflict: what is in the folder, or in its trash, is there unencrypted."""
    if not await moves.is_empty(transaction, held.workspace.id, held.item.id):
        raise Conflict(
            f"folder {held.item.id} can't be shared encrypted: what is in it, or was deleted from"
            " it, is not encrypted, so it must be empty: a new folder"
        )


def nested_in(folder: Item, workspace: Workspace) -> NestedShare:
    return NestedShare(
        f"folder {folder.id} stands in the shared folder {workspace.name!r}: share that one"
    )


def check_may_hold_mounts(workspace: Workspace) -> None:
    """:raises NestedShare: shared folders can't be mounted in this workspace."""
    if workspace.is_shared or workspace.role is not Role.OWNER:
        raise NestedShare(
            f"workspace {workspace.id} is shared: a shared folder can't stand in another one"
        )
