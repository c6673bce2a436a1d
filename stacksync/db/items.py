"""Statements that read items: a workspace's changes, an item's state and versions.

Listings of folders and of the trash are in ``listings``.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import psycopg2.sql as sql
from attrs import frozen

from stacksync.db import workspaces
from stacksync.db.connection import Row
from stacksync.db.database import Database, Transaction
from stacksync.model import Item, ItemOutcome, ItemShape, ItemStatus, Refusal, Workspace

EXPRESSIONS = {
    "modified_at": """to_char(i.modified_at, 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')""",
    "chunks": "CASE WHEN NOT i.is_folder THEN i.chunks END",
}
"""How attributes are told whose column would not do as it is; times are UTC in our sessions."""

CHANGED = """
    i.workspace_id = %(workspace)s
    AND (%(since)s IS NULL OR (
        i.revision > %(since)s
        AND (i.status <> 'DELETED' OR i.created_revision <= %(since)s)))
"""

ChangedRow = tuple[int, int | None, str, int]
"""An item's id, its parent's, its JSON, and the workspace's revision when it was read."""

VERSION_COLUMNS = (
    "v.item_id, v.workspace_id, v.version, v.revision, v.status, v.parent_id, v.parent_version,"
    " v.is_folder, v.name, v.size, v.checksum, v.mimetype, v.chunks, v.device_id, v.modified_at"
)

ITEM_COLUMNS = VERSION_COLUMNS.replace("v.item_id", "v.id").replace("v.", "i.")
"""The same of the item's newest version."""

ITEM_WIDTH = ITEM_COLUMNS.count(",") + 1

HELD = f"""
    SELECT {ITEM_COLUMNS}, {workspaces.COLUMNS} FROM item i
    JOIN membership m ON m.workspace_id = i.workspace_id AND m.account_id = %s
    JOIN workspace w ON w.id = i.workspace_id
    JOIN account o ON o.id = w.owner_id
    WHERE i.id = %s
"""

MADE_BY = """
    SELECT a.workspace_id, a.outcomes -> 0 FROM answered_request a
        JOIN device d ON d.id = a.device_id AND d.account_id = %(account)s
        WHERE a.device_id = %(device)s AND a.request_id = %(request)s
    UNION ALL
    SELECT v.workspace_id, json_build_object('refusal', NULL, 'item', item_state(v))
        FROM item_version v
        JOIN device d ON d.id = v.device_id AND d.account_id = %(account)s
        WHERE v.device_id = %(device)s AND v.request_id = %(request)s AND v.ordinal = 0
"""


@frozen
class HeldItem:
    """The newest state of an item, in the workspace as the member who asks sees it."""

    item: Item
    workspace: Workspace

    @property
    def is_shared_folder(self) -> bool:
        """Whether this is the folder that a shared workspace consists of."""
        return self.workspace.is_shared and self.workspace.root_item_id == self.item.id


def held_item(row: Row) -> HeldItem:
    """What the statement :data:`HELD` tells."""
    return HeldItem(item(row[:ITEM_WIDTH]), workspaces.workspace(row[ITEM_WIDTH:]))


async def held_within(transaction: Transaction, account_id: UUID, item_id: int) -> HeldItem | None:
    """What :meth:`ItemTable.held` tells, within a transaction."""
    rows = await transaction.query(HELD, [account_id, item_id])
    return held_item(rows[0]) if rows else None


def item(row: Row) -> Item:
    """An item from the columns :data:`VERSION_COLUMNS`."""
    identity, workspace_id, version, revision, status, parent_id, parent_version, *rest = row
    is_folder, name, size, checksum, mimetype, chunks, device_id, modified_at = rest
    return Item(
        id=identity,
        workspace_id=workspace_id,
        version=version,
        revision=revision,
        status=ItemStatus(status),
        parent_id=parent_id,
        parent_version=parent_version,
        is_folder=is_folder,
        name=name,
        size=size,
        checksum=checksum,
        mimetype=mimetype,
        chunks=tuple(chunks),
        device_id=device_id,
        modified_at=modified_at,
    )


def item_from_state(state: dict[str, Any], workspace_id: UUID) -> Item:
    """An item from what the function ``item_state`` tells."""
    return Item(
        id=state["id"],
        workspace_id=workspace_id,
        version=state["version"],
        revision=state["revision"],
        status=ItemStatus(state["status"]),
        parent_id=state["parent_id"],
        parent_version=state["parent_version"],
        is_folder=state["is_folder"],
        name=state["name"],
        size=state["size"],
        checksum=state["checksum"],
        mimetype=state["mimetype"],
        chunks=tuple(state["chunks"]),
        device_id=UUID(state["device_id"]),
        modified_at=datetime.fromisoformat(state["modified_at"]).astimezone(UTC),
    )


class ItemTable:
    """The ``item`` and ``item_version`` tables, for reading."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def changed(
        self, workspace_id: UUID, since: int | None, shape: ItemShape
    ) -> list[ChangedRow]:
        """What changed after a revision, in no order.

        Live items, and deleted ones that existed at that revision; with
        ``None`` all items that there ever were.
        """
        return await self._database.query(
            "read changes",
            changes_statement(shape),
            {"workspace": workspace_id, "since": since},
            repeatable=True,
        )

    async def versions(self, account_id: UUID, item_id: int) -> tuple[Item, ...]:
        """The versions of an item that the account is a member for, newest first."""
        rows = await self._database.query(
            "read versions",
            f"""
            SELECT {VERSION_COLUMNS} FROM item i
            JOIN membership m ON m.workspace_id = i.workspace_id AND m.account_id = %s
            JOIN item_version v ON v.item_id = i.id
            WHERE i.id = %s ORDER BY v.version DESC
            """,
            [account_id, item_id],
            repeatable=True,
        )
        return tuple(map(item, rows))

    async def held(self, account_id: UUID, item_id: int) -> HeldItem | None:
        """The newest state of an item, deleted or not, that the account is a member for."""
        rows = await self._database.query(
            "read item",
            HELD,
            [account_id, item_id],
            repeatable=True,
        )
        return held_item(rows[0]) if rows else None

    async def version(self, account_id: UUID, item_id: int, number: int) -> Item | None:
        """One version of an item that the account is a member for."""
        rows = await self._database.query(
            "read version",
            f"""
            SELECT {VERSION_COLUMNS} FROM item i
            JOIN membership m ON m.workspace_id = i.workspace_id AND m.account_id = %s
            JOIN item_version v ON v.item_id = i.id AND v.version = %s
            WHERE i.id = %s
            """,
            [account_id, number, item_id],
            repeatable=True,
        )
        return item(rows[0]) if rows else None

    async def made_by(
        self, account_id: UUID, device_id: UUID, request_id: str
    ) -> ItemOutcome | None:
        """What became of the first item of a request of a device of this account.

        ``None`` if there was no such request; ``change`` of the outcome is not known.
        """
        rows = await self._database.query(
            "read request",
            MADE_BY,
            {"account": account_id, "device": device_id, "request": request_id},
            repeatable=True,
        )
        if not rows:
            return None
        # It may be in both places, if another item of it was refused: they tell the same.
        workspace_id, outcome = rows[0]
        refusal, state = outcome["refusal"], outcome["item"]
        return ItemOutcome(
            refusal=Refusal(refusal) if refusal is not None else None,
            item=item_from_state(state, workspace_id) if state is not None else None,
            change=None,
        )

    async def live_named(self, workspace_id: UUID, parent_id: int | None, name: str) -> Item | None:
        """The live item of a name in a folder, or with ``None`` in the workspace's root."""
        rows = await self._database.query(
            "find item by name",
            f"""
            SELECT {ITEM_COLUMNS} FROM item i
            WHERE i.workspace_id = %s AND i.parent_id {"IS NULL" if parent_id is None else "= %s"}
                AND i.name = %s AND i.status <> 'DELETED'
            """,
            [workspace_id, *([] if parent_id is None else [parent_id]), name],
            repeatable=True,
        )
        return item(rows[0]) if rows else None

    async def mount_named(self, account_id: UUID, parent_id: int | None, name: str) -> Item | None:
        """The folder that an account has mounted under a name, as it is in its own workspace."""
        rows = await self._database.query(
            "find mount by name",
            f"SELECT {ITEM_COLUMNS} FROM item i WHERE i.id = mount_named(%s, %s, %s)",
            [account_id, parent_id, name],
            repeatable=True,
        )
        return item(rows[0]) if rows else None


def shaped(shape: ItemShape) -> sql.Composed:
    """The columns of ``item i`` that write it in a shape, under its names."""
    return sql.SQL(", ").join(
        sql.SQL("{} AS {}").format(
            sql.SQL(EXPRESSIONS.get(attribute, f"i.{attribute}")), sql.Identifier(wire_name)
        )
        for attribute, wire_name in shape.names.items()
    )


def changes_statement(shape: ItemShape) -> sql.Composed:
    """The SELECT that writes items in a shape; row_to_json is the fastest way to (by a quarter).

    The workspace's revision is from the same snapshot as the items.  What has
    gone to another workspace is told as deleted.
    """
    return sql.SQL(" UNION ALL ").join(
        sql.SQL(
            "SELECT i.id, i.parent_id, row_to_json(told)::text,"
            " (SELECT latest_revision FROM workspace WHERE id = %(workspace)s)"
            f" FROM {table} i, LATERAL (SELECT {{columns}}) told WHERE {CHANGED}"
        ).format(columns=shaped(shape))
        for table in ("item", "departed_item")
    )
