"""Statements that forget: earlier versions, deleted items, expired uploads, old answers.

What is to go is said here once, for those who remove it and for those who only
count it.  The rule itself: ``docs/operations.rst``, *What is kept*.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from attrs import frozen

from stacksync.db.database import Transaction
from stacksync.db.item_pages import LAST, PAGE, Place
from stacksync.db.session import Session

ITEMS_PER_PAGE = 500
ITEMS_PER_PURGE = 500

REMEMBERED = "1 month"
"""How long the answer to a request of which something was refused is kept."""

# The versions of each item of "page", newest first.  By item, as the planner
# would otherwise read those of all items there are.
HISTORY = """
    page i CROSS JOIN LATERAL (
        SELECT v.item_id, v.version, v.chunks, v.committed_at,
            row_number() OVER newest_first AS place,
            lag(v.committed_at) OVER newest_first AS superseded_at
        FROM item_version v WHERE v.item_id = i.id
        WINDOW newest_first AS (ORDER BY v.version DESC)) s
"""

# The newest version never, nor what a device may still ask about that has not
# heard the answer to its request.
TOO_OLD = """
    s.place > 1 AND s.committed_at < %(repeated)s
        AND (%(versions)s > 0 AND s.place > %(versions)s OR s.superseded_at < %(horizon)s)
"""

SURPLUS = f"SELECT s.item_id, s.version FROM {HISTORY} WHERE {TOO_OLD}"

PRUNE = f"""
    WITH page AS ({PAGE}), surplus AS ({SURPLUS}),
    pruned AS (
        DELETE FROM item_version v USING surplus s
        WHERE v.item_id = s.item_id AND v.version = s.version RETURNING 1)
    SELECT (SELECT count(*) FROM pruned), revision, id FROM ({LAST}) last
"""

COUNT_SURPLUS = f"""
    WITH page AS ({PAGE}), surplus AS ({SURPLUS})
    SELECT (SELECT count(*) FROM surplus), revision, id FROM ({LAST}) last
"""

# A value rather than EXISTS, which is planned as a join with all versions there are.
LONG_DELETED = """
    i.workspace_id = %(workspace)s AND i.status = 'DELETED' AND (
        SELECT newest.committed_at FROM item_version newest
        WHERE newest.item_id = i.id AND newest.version = i.version) < %(horizon)s
"""

# Said twice, as each half has an index of its own.
EMPTY = """
    NOT EXISTS (SELECT FROM item c WHERE c.workspace_id = i.workspace_id
        AND c.parent_id = i.id AND c.status = 'DELETED')
    AND NOT EXISTS (SELECT FROM item c WHERE c.workspace_id = i.workspace_id
        AND c.parent_id = i.id AND c.status <> 'DELETED')
"""

PURGEABLE = f"SELECT i.id FROM item i WHERE {LONG_DELETED} AND {EMPTY} LIMIT {ITEMS_PER_PURGE}"

# Devices whose cursor is from before the deletion would never hear of it.
PURGE = f"""
    WITH gone AS (
        DELETE FROM item i WHERE i.id = ANY (%(ids)s) AND {LONG_DELETED} AND {EMPTY}
        RETURNING i.id, i.revision),
    versions AS (
        DELETE FROM item_version v USING gone g WHERE v.item_id = g.id RETURNING 1),
    expired AS (
        UPDATE workspace w SET oldest_revision = greatest(w.oldest_revision, g.revision)
        FROM (SELECT max(revision) AS revision FROM gone) g
        WHERE w.id = %(workspace)s AND g.revision IS NOT NULL)
    SELECT count(*) FROM gone
"""

# By the version with which each left, which is superseded by what came after:
# where that version is not kept any more, it was long ago, too.
FORGET_DEPARTED = f"""
    WITH old AS (
        SELECT d.id FROM departed_item d
        JOIN item_version v ON v.item_id = d.id AND v.version = d.version
        WHERE d.workspace_id = %(workspace)s AND v.committed_at < %(horizon)s
        UNION ALL
        SELECT d.id FROM departed_item d
        WHERE d.workspace_id = %(workspace)s AND NOT EXISTS (
            SELECT FROM item_version v WHERE v.item_id = d.id AND v.version = d.version)
        LIMIT {ITEMS_PER_PURGE}),
    gone AS (
        DELETE FROM departed_item d USING old o
        WHERE d.workspace_id = %(workspace)s AND d.id = o.id RETURNING d.revision),
    expired AS (
        UPDATE workspace w SET oldest_revision = greatest(w.oldest_revision, g.revision)
        FROM (SELECT max(revision) AS revision FROM gone) g
        WHERE w.id = %(workspace)s AND g.revision IS NOT NULL)
    SELECT count(*) FROM gone
"""

EXPIRED_UPLOADS = "upload WHERE workspace_id = %(workspace)s AND expires_at <= %(now)s"
OLD_ANSWERS = (
    "answered_request WHERE workspace_id = %(workspace)s"
    f" AND answered_at < %(now)s - interval '{REMEMBERED}'"
)


@frozen
class Limits:
    """What is too old, as of one moment.

    :ivar now: that moment, by the database's clock.
    :ivar versions: how many versions of an item are kept, the newest included; 0: all.
    :ivar horizon: versions that were superseded, and items that were deleted,
        before this go; ``None``: none.
    :ivar repeated: no version that is younger than this goes.
    """

    now: datetime
    versions: int
    horizon: datetime | None
    repeated: datetime

    @property
    def arguments(self) -> dict[str, Any]:
        return {
            "now": self.now,
            "versions": self.versions,
            "horizon": self.horizon,
            "repeated": self.repeated,
        }


class RetentionTable:
    """Forgets, or counts what would be forgotten."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def now(self) -> datetime:
        """The database's time, which is what versions are dated with."""
        moment: datetime = (await self._session.query("SELECT now()"))[0][0]
        return moment

    async def prune(
        self, workspace_id: UUID, latest: int, limits: Limits, after: Place, *, dry_run: bool
    ) -> tuple[int, Place] | None:
        """Remove the surplus versions of a page of items, or only count them.

        :param latest: items that changed after this revision are left for another time.
        :returns: how many versions that were, and where the page ended; ``None``:
            there is no such page.
        """
        rows = await self._session.query(
            COUNT_SURPLUS if dry_run else PRUNE,
            {
                **limits.arguments,
                **after.after(ITEMS_PER_PAGE),
                "workspace": workspace_id,
                "latest": latest,
            },
        )
        return (rows[0][0], Place(*rows[0][1:])) if rows else None

    async def purge(self, workspace_id: UUID, limits: Limits) -> int | None:
        """Remove some items that were deleted long ago, with all versions, none before its content.

        :returns: how many items that were; ``None``: there are no more.
        """
        arguments = {"workspace": workspace_id, "horizon": limits.horizon}
        # Found before the workspace is locked, so that commits wait for the removal alone.
        ids = [row[0] for row in await self._session.query(PURGEABLE, arguments)]
        if not ids:
            return None

        async def work(transaction: Transaction) -> int:
            await transaction.query(
                "SELECT FROM workspace WHERE id = %s FOR NO KEY UPDATE", [workspace_id]
            )
            count: int = (await transaction.query(PURGE, {**arguments, "ids": ids}))[0][0]
            return count

        return await self._session.transaction(work)

    async def forget_departed(self, workspace_id: UUID, limits: Limits) -> bool:
        """Forget some of what left the workspace long ago; whether there was any."""

        async def work(transaction: Transaction) -> bool:
            await transaction.query(
                "SELECT FROM workspace WHERE id = %s FOR NO KEY UPDATE", [workspace_id]
            )
            rows = await transaction.query(
                FORGET_DEPARTED, {"workspace": workspace_id, "horizon": limits.horizon}
            )
            return bool(rows[0][0])

        return await self._session.transaction(work)

    async def purgeable(self, workspace_id: UUID, limits: Limits) -> int:
        """How many items :meth:`purge` would remove in the end."""
        rows = await self._session.query(
            f"SELECT count(*) FROM item i WHERE {LONG_DELETED}",
            {"workspace": workspace_id, "horizon": limits.horizon},
        )
        count: int = rows[0][0]
        return count

    async def forget_uploads(self, workspace_id: UUID, limits: Limits, *, dry_run: bool) -> int:
        """Remove the uploads that have expired; how many of them had not come to their end."""
        arguments = {"workspace": workspace_id, "now": limits.now}
        if dry_run:
            counted = f"SELECT count(*) FILTER (WHERE item_id IS NULL) FROM {EXPIRED_UPLOADS}"
        else:
            counted = f"""
                WITH gone AS (DELETE FROM {EXPIRED_UPLOADS} RETURNING item_id)
                SELECT count(*) FILTER (WHERE item_id IS NULL) FROM gone
            """
        count: int = (await self._session.query(counted, arguments))[0][0]
        return count

    async def forget_answers(self, workspace_id: UUID, limits: Limits) -> None:
        """Remove the answers to requests that nobody can mean to repeat."""
        await self._session.query(
            f"DELETE FROM {OLD_ANSWERS}", {"workspace": workspace_id, "now": limits.now}
        )
