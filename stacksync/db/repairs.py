"""Statements that put right what cannot be left to a commit.

Each locks what a commit would lock, in its order: the workspace, then its
owner's account (``functions/commit_items.sql``).
"""

from __future__ import annotations

from uuid import UUID

from attrs import frozen

from stacksync.db.checks import SAME
from stacksync.db.database import Transaction
from stacksync.db.session import Session

# Not its name, which a live item may have by now.
RESTORED = [each for each in SAME.split(", ") if each != "name"]

NEWEST = "SELECT * FROM item_version WHERE item_id = %(item)s ORDER BY version DESC LIMIT 1"

RESTORE = f"""
    UPDATE item i SET name = %(name)s, {", ".join(f"{each} = v.{each}" for each in RESTORED)},
        deleted_with = CASE WHEN v.status = 'DELETED' THEN i.deleted_with END
    FROM ({NEWEST}) v
    WHERE i.id = %(item)s AND i.workspace_id = %(workspace)s
"""

RESTORE_MISSING = f"""
    INSERT INTO item (id, created_revision, {SAME})
    SELECT v.item_id, (SELECT min(revision) FROM item_version WHERE item_id = %(item)s),
        {", ".join("%(name)s" if each == "name" else each for each in SAME.split(", "))}
    FROM ({NEWEST}) v
    ON CONFLICT DO NOTHING
"""

RECORD = f"""
    INSERT INTO item_version (item_id, {SAME}, request_id, ordinal)
    SELECT id, {SAME}, %(request)s, 0 FROM item WHERE id = %(item)s AND workspace_id = %(workspace)s
    ON CONFLICT (item_id, version) DO NOTHING
"""

RECOUNT = """
    UPDATE account a SET quota_used = coalesce((
        SELECT sum(i.size) FROM workspace w JOIN item i ON i.workspace_id = w.id
            WHERE w.owner_id = a.id AND i.status <> 'DELETED'), 0)
    WHERE a.id = %s
"""


@frozen
class Newest:
    """What an item's newest version says."""

    version: int
    parent_id: int | None
    name: str
    is_folder: bool
    is_deleted: bool


class RepairTable:
    """Changes what no user can change."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def newest(self, item_id: int) -> Newest | None:
        """The newest version of an item, if there is any."""
        rows = await self._session.query(
            f"SELECT version, parent_id, name, is_folder, status = 'DELETED' FROM ({NEWEST}) v",
            {"item": item_id},
        )
        return Newest(*rows[0]) if rows else None

    async def is_taken(
        self, workspace_id: UUID, parent_id: int | None, name: str, item_id: int
    ) -> bool:
        """Whether another live item has this name in this folder."""
        rows = await self._session.query(
            "SELECT live_item(%s, %s, %s) AS id", [workspace_id, parent_id, name]
        )
        return rows[0][0] not in (None, item_id)

    async def restore(self, workspace_id: UUID, item_id: int, name: str) -> None:
        """Make an item, which may be missing, what its newest version says, but for the name."""
        arguments = {"workspace": workspace_id, "item": item_id, "name": name}

        async def work(transaction: Transaction) -> None:
            await lock(transaction, workspace_id)
            await transaction.query(RESTORE, arguments)
            await transaction.query(RESTORE_MISSING, arguments)

        await self._session.transaction(work)

    async def record(self, workspace_id: UUID, item_id: int) -> None:
        """Write the version that an item is at, and that is missing."""

        async def work(transaction: Transaction) -> None:
            await lock(transaction, workspace_id)
            await transaction.query(
                RECORD,
                {"workspace": workspace_id, "item": item_id, "request": f"fsck {item_id}"},
            )

        await self._session.transaction(work)

    async def raise_revision(self, workspace_id: UUID) -> None:
        """Make the workspace's latest revision no less than that of its items."""
        await self._session.query(
            """
            UPDATE workspace w SET latest_revision = greatest(latest_revision,
                (SELECT max(revision) FROM item WHERE workspace_id = w.id))
            WHERE id = %s
            """,
            [workspace_id],
        )

    async def recount(self, account_id: UUID) -> None:
        """Make what an account is said to use the sum of its live items."""

        async def work(transaction: Transaction) -> None:
            await transaction.query(
                "SELECT FROM workspace WHERE owner_id = %s ORDER BY id FOR NO KEY UPDATE",
                [account_id],
            )
            await transaction.query(
                "SELECT FROM account WHERE id = %s FOR NO KEY UPDATE", [account_id]
            )
            await transaction.query(RECOUNT, [account_id])

        await self._session.transaction(work)


async def lock(transaction: Transaction, workspace_id: UUID) -> None:
    await transaction.query("SELECT FROM workspace WHERE id = %s FOR NO KEY UPDATE", [workspace_id])
    await transaction.query(
        "SELECT FROM account WHERE id = (SELECT owner_id FROM workspace WHERE id = %s)"
        " FOR NO KEY UPDATE",
        [workspace_id],
    )
