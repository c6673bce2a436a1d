"""Statements about chunk objects that nothing refers to any more.

The names of a container's old objects are gathered in a temporary table, and
those that something refers to are taken out again, a page of items at a time.
What is left is doomed: it goes into the table ``doomed_chunk``, which writers
know of (:mod:`.doomed_chunks`), and is removed under the workspace's lock.
Which is why that cannot remove what is needed: ``docs/operations.rst``.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from uuid import UUID

from stacksync.db.database import Transaction
from stacksync.db.item_pages import LAST, PAGE, Place
from stacksync.db.retention import HISTORY, LONG_DELETED, TOO_OLD, Limits
from stacksync.db.session import Session
from stacksync.model import BlobInfo

ITEMS_PER_PAGE = 2000

OLD_CHUNKS = """
    CREATE TEMPORARY TABLE IF NOT EXISTS old_chunk (name text COLLATE "C" PRIMARY KEY, size bigint)
"""

SPARE = """
    DELETE FROM old_chunk o USING (SELECT DISTINCT name FROM used) u
    WHERE o.name = u.name COLLATE "C" RETURNING 1
"""

USED = """
    SELECT unnest(p.chunks) AS name FROM page p
    UNION ALL
    SELECT unnest(v.chunks) FROM page p JOIN item_version v ON v.item_id = p.id
"""

USED_WHEN_PRUNED = f"""
    SELECT unnest(i.chunks) AS name FROM page i WHERE ({LONG_DELETED}) IS NOT TRUE
    UNION ALL
    SELECT unnest(s.chunks) FROM {HISTORY}
        WHERE ({LONG_DELETED}) IS NOT TRUE AND ({TOO_OLD}) IS NOT TRUE
"""

SPARE_PAGE = f"""
    WITH page AS ({PAGE}), used AS ({USED}), spared AS ({SPARE})
    SELECT revision, id FROM ({LAST}) last
"""

SPARE_PAGE_WHEN_PRUNED = f"""
    WITH page AS ({PAGE}), used AS ({USED_WHEN_PRUNED}), spared AS ({SPARE})
    SELECT revision, id FROM ({LAST}) last
"""

# Of an item that has changed since its page was read, or would have been, the
# earlier versions count as well.
CHANGED_SINCE = """
    SELECT i.* FROM item i
    WHERE i.workspace_id = %(workspace)s AND i.revision > %(since)s
"""

SPARE_CHANGED = f"""
    WITH page AS ({CHANGED_SINCE}), used AS ({USED}), spared AS ({SPARE})
    SELECT latest_revision FROM workspace WHERE id = %(workspace)s
"""

SPARE_UPLOADS = f"""
    WITH used AS (SELECT unnest(chunks) AS name FROM upload WHERE workspace_id = %(workspace)s
        AND (%(now)s IS NULL OR expires_at > %(now)s))
    {SPARE}
"""

# Chunks that another container has yet to get from this one, or this one from another.
COPIED = """
    SELECT c.name FROM workspace w JOIN chunk_copy c ON c.source = w.container
    WHERE w.id = %(workspace)s
    UNION
    SELECT c.name FROM workspace w JOIN chunk_copy c ON c.container = w.container
    WHERE w.id = %(workspace)s
"""

SPARE_COPIED = f"WITH used AS ({COPIED}) {SPARE}"

COPIED_OF = f"SELECT name FROM ({COPIED}) copied WHERE name = ANY (%(names)s)"

DOOM = """
    WITH there AS (SELECT id FROM workspace WHERE id = %s FOR KEY SHARE)
    INSERT INTO doomed_chunk (workspace_id, name)
        SELECT t.id, unnest(%s::text[]) FROM there t ON CONFLICT DO NOTHING
"""

USED_SINCE = f"""
    WITH page AS ({CHANGED_SINCE}), used AS ({USED})
    SELECT DISTINCT name FROM used WHERE name = ANY (%(names)s)
"""

Remove = Callable[[Sequence[str]], Awaitable[Sequence[str]]]
"""Removes objects that are still old; the names that are dealt with, for there may be no time."""


class GarbageTable:
    """The old chunks of one workspace at a time, and the table ``doomed_chunk``."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def begin(self, workspace_id: UUID) -> int | None:
        """Forget the chunks of the workspace before.

        :returns: the revision up to which :meth:`spare_page` has to go; ``None``:
            the workspace is gone.
        """
        await self._session.query(OLD_CHUNKS)
        await self._session.query("TRUNCATE old_chunk")
        rows = await self._session.query(
            "SELECT latest_revision FROM workspace WHERE id = %s", [workspace_id]
        )
        return rows[0][0] if rows else None

    async def add(self, chunks: Sequence[BlobInfo]) -> None:
        """Note old objects."""
        await self._session.query(
            "INSERT INTO old_chunk SELECT * FROM unnest(%s::text[], %s::bigint[])"
            " ON CONFLICT DO NOTHING",
            [[chunk.name for chunk in chunks], [chunk.size for chunk in chunks]],
        )

    async def spare_page(
        self, workspace_id: UUID, latest: int, after: Place, pruned: Limits | None = None
    ) -> Place | None:
        """Take out what a page of items refers to; where it ended, ``None`` after the last.

        :param latest: items that have changed after this revision are :meth:`spare_changed`'s.
        :param pruned: look at the items as they will be when this has been applied.
        """
        rows = await self._session.query(
            SPARE_PAGE if pruned is None else SPARE_PAGE_WHEN_PRUNED,
            {
                **(pruned.arguments if pruned is not None else {}),
                **after.after(ITEMS_PER_PAGE),
                "workspace": workspace_id,
                "latest": latest,
            },
        )
        return Place(*rows[0]) if rows else None

    async def spare_changed(self, workspace_id: UUID, since: int) -> int | None:
        """Take out what items refer to that have changed after a revision.

        :returns: the revision up to which that is done; ``None``: the workspace is gone.
        """
        rows = await self._session.query(SPARE_CHANGED, {"workspace": workspace_id, "since": since})
        return rows[0][0] if rows else None

    async def spare_uploads(self, workspace_id: UUID, now: datetime | None = None) -> None:
        """Take out what uploads refer to.

        Later ones refresh each chunk that they refer to, so this is done once.

        :param now: leave out those that have expired by then.
        """
        await self._session.query(SPARE_UPLOADS, {"workspace": workspace_id, "now": now})

    async def spare_copied(self, workspace_id: UUID) -> None:
        """Take out what is to be copied from this container, or into it.

        What comes to be copied later is looked for in :meth:`remove` again.
        """
        await self._session.query(SPARE_COPIED, {"workspace": workspace_id})

    async def old(self, after: str, most: int) -> list[tuple[str, int]]:
        """The next names, in byte order, with their objects' sizes."""
        rows = await self._session.query(
            "SELECT name, size FROM old_chunk WHERE name > %s ORDER BY name LIMIT %s", [after, most]
        )
        return [(row[0], row[1]) for row in rows]

    async def doom(self, workspace_id: UUID, names: Sequence[str]) -> None:
        """List chunks for removal; from now on, who needs one takes it off the list.

        Lists nothing for a workspace that is gone.
        """
        await self._session.query(DOOM, [workspace_id, list(names)])

    async def reprieve(self, workspace_id: UUID) -> None:
        """Take everything off the list, which an interrupted collection may have left there."""
        await self._session.query(
            "DELETE FROM doomed_chunk WHERE workspace_id = %s", [workspace_id]
        )

    async def remove(
        self, workspace_id: UUID, names: Sequence[str], since: int, remove: Remove
    ) -> Sequence[str]:
        """Have those removed that are still on the list and that nothing refers to.

        Commits to the workspace wait meanwhile, and so does who needs one of them.

        :param since: the revision up to which references have been looked for.
        :returns: the names that are dealt with, be they removed or spared.
        """

        async def work(transaction: Transaction) -> Sequence[str]:
            rows = await transaction.query(
                "SELECT latest_revision FROM workspace WHERE id = %s FOR NO KEY UPDATE",
                [workspace_id],
            )
            if not rows:
                return names
            arguments = {"workspace": workspace_id, "names": list(names), "since": since}
            doomed = await transaction.query(
                "SELECT name FROM doomed_chunk WHERE workspace_id = %(workspace)s"
                " AND name = ANY (%(names)s) ORDER BY name FOR UPDATE",
                arguments,
            )
            left = {name for (name,) in doomed}
            if rows[0][0] > since:
                left -= {name for (name,) in await transaction.query(USED_SINCE, arguments)}
            # Who moves items in or out has had this lock, or waits for it.
            left -= {name for (name,) in await transaction.query(COPIED_OF, arguments)}
            spared = [name for name in names if name not in left]
            done = [*spared, *await remove([name for name in names if name in left])]
            await transaction.query(
                "DELETE FROM doomed_chunk WHERE workspace_id = %s AND name = ANY (%s)",
                [workspace_id, done],
            )
            return done

        return await self._session.transaction(work)
