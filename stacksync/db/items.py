"""Statements that read items: a workspace's changes, an item's versions."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import psycopg2.sql as sql

from stacksync.db.connection import Row
from stacksync.db.database import Database
from stacksync.model import Item, ItemShape, ItemStatus

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


def changes_statement(shape: ItemShape) -> sql.Composed:
    """The SELECT that writes items in a shape; row_to_json is the fastest way to (by a quarter).

    The workspace's revision is from the same snapshot as the items.
    """
    columns = sql.SQL(", ").join(
        sql.SQL("{} AS {}").format(
            sql.SQL(EXPRESSIONS.get(attribute, f"i.{attribute}")), sql.Identifier(wire_name)
        )
        for attribute, wire_name in shape.names.items()
    )
    return sql.SQL(
        "SELECT i.id, i.parent_id, row_to_json(told)::text,"
        " (SELECT latest_revision FROM workspace WHERE id = %(workspace)s)"
        " FROM item i, LATERAL (SELECT {columns}) told WHERE " + CHANGED
    ).format(columns=columns)
