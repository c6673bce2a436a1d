"""Statements that take items to another workspace, with all that is below them.

The rows of both workspaces and of their owners are locked by who calls these
(:mod:`.locks`); what may go where is the engine's.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

import psycopg2.errors
from attrs import frozen

from stacksync.db.database import Transaction
from stacksync.db.items import item_from_state
from stacksync.errors import RequestReused
from stacksync.model import Item, Refusal


@frozen
class Move:
    """An item, where it is, and where it is to go.

    :ivar parent_id: a live folder of the target; ``None``: its root.
    :ivar mounts_of: the account whose mounts must not have the name; ``None``: nobody's count.
    :ivar request_id: what the new versions belong to; of its device nobody else's.
    """

    item_id: int
    source_id: UUID
    target_id: UUID
    parent_id: int | None
    name: str
    mounts_of: UUID | None
    device_id: UUID
    request_id: str


@frozen
class Moved:
    """What a move has made.

    :ivar item: as it is now.
    :ivar items: how many went, itself included.
    :ivar size: bytes of the quota that they take.
    """

    item: Item
    items: int
    size: int
    source_revision: int
    target_revision: int


@frozen
class MoveRefused:
    """Nothing has moved: the quota is too small, or an item or mounted folder has the name."""

    refusal: Refusal
    item_id: int | None


async def move_subtree(transaction: Transaction, move: Move) -> Moved | MoveRefused:
    """Take an item with all that is below it to another workspace.

    :raises RequestReused: the request id stands for another request.
    """
    try:
        rows = await transaction.query(
            "SELECT move_subtree(%s, %s, %s, %s, %s, %s, %s, %s)",
            [
                *(move.item_id, move.source_id, move.target_id, move.parent_id, move.name),
                *(move.mounts_of, move.device_id, move.request_id),
            ],
        )
    except psycopg2.errors.UniqueViolation:
        raise RequestReused(move.request_id, 1, 1) from None
    told: dict[str, Any] = rows[0][0]
    if "refusal" in told:
        return MoveRefused(Refusal(told["refusal"]), told["item_id"])
    return Moved(
        item=item_from_state(told["item"], move.target_id),
        items=told["items"],
        size=told["size"],
        source_revision=told["source_revision"],
        target_revision=told["target_revision"],
    )


async def workspace_of(transaction: Transaction, item_id: int) -> UUID | None:
    """The workspace that an item is in."""
    rows = await transaction.query("SELECT workspace_id FROM item WHERE id = %s", [item_id])
    return rows[0][0] if rows else None


async def is_live_folder(transaction: Transaction, workspace_id: UUID, item_id: int) -> bool:
    """Whether this is a live folder of the workspace."""
    rows = await transaction.query(
        "SELECT FROM item WHERE id = %s AND workspace_id = %s AND is_folder"
        " AND status <> 'DELETED'",
        [item_id, workspace_id],
    )
    return bool(rows)


async def is_empty(transaction: Transaction, workspace_id: UUID, folder_id: int) -> bool:
    """Whether nothing is in a folder, nor has been that could come back."""
    rows = await transaction.query(
        "SELECT FROM whole_content(%s, %s) LIMIT 1", [workspace_id, folder_id]
    )
    return not rows
