"""Statements about where members have mounted shared folders, and about names there.

They run in a transaction that has locked the workspace in which the folder is
mounted (:mod:`.locks`).
"""

from __future__ import annotations

from uuid import UUID

from stacksync.db.database import Transaction


async def holder_of_name(
    transaction: Transaction, workspace_id: UUID, folder_id: int | None, name: str, account_id: UUID
) -> int | None:
    """The item, or folder that the account has mounted, of a name in a folder or the root."""
    rows = await transaction.query(
        "SELECT holder_of_name(%s, %s, %s, %s)", [workspace_id, folder_id, name, account_id]
    )
    holder: int | None = rows[0][0]
    return holder


async def free_name(
    transaction: Transaction, workspace_id: UUID, folder_id: int | None, name: str, account_id: UUID
) -> str:
    """The name, or the first of "name (2)", "name (3)" … that is free in a folder or the root."""
    rows = await transaction.query(
        "SELECT free_name(%s, %s, %s, %s)", [workspace_id, folder_id, name, account_id]
    )
    name_found: str = rows[0][0]
    return name_found


async def has_mounts_within(transaction: Transaction, account_id: UUID, folder_id: int) -> bool:
    """Whether the account has mounted anything in a folder or below it."""
    rows = await transaction.query("SELECT has_mounts_within(%s, %s)", [account_id, folder_id])
    return bool(rows[0][0])


async def note_mounts(transaction: Transaction, workspace_id: UUID) -> None:
    """From now on, mounts are looked for in this workspace."""
    await transaction.query(
        "UPDATE workspace SET has_mounts = true WHERE id = %s AND NOT has_mounts", [workspace_id]
    )


async def set_mount(
    transaction: Transaction,
    account_id: UUID,
    workspace_id: UUID,
    name: str,
    parent_id: int | None,
) -> None:
    """Mount a workspace of the account's elsewhere, or under another name."""
    await transaction.query(
        "UPDATE membership SET mount_name = %s, mount_parent_id = %s"
        " WHERE account_id = %s AND workspace_id = %s",
        [name, parent_id, account_id, workspace_id],
    )
