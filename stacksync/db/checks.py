"""Statements that look for what cannot be: in the tree, the versions and the quotas.

Each reads one snapshot, so what runs meanwhile is never taken for damage.
Nothing here changes anything; :mod:`.repairs` does.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from uuid import UUID

from attrs import frozen

from stacksync.db.item_pages import EVERY_REVISION, LAST, PAGE, Place
from stacksync.db.known_workspaces import COLUMNS, KnownWorkspace
from stacksync.db.session import Session

ITEMS_PER_PAGE = 2000
ACCOUNTS_PER_PAGE = 100
FOUND_PER_PAGE = 500

FIRST = UUID(int=0)

SAME = (
    "workspace_id, version, revision, parent_id, parent_version, name, is_folder, status, size,"
    " checksum, mimetype, chunks, device_id, modified_at"
)
"""The columns that an item has in common with its newest version."""

DIFFERENT = f"""
    WITH page AS ({PAGE})
    SELECT last.revision, last.id, found.id, found.version, found.newest
    FROM ({LAST}) last
    LEFT JOIN (
        SELECT i.id, i.version, n.version AS newest
        FROM page i
        LEFT JOIN LATERAL (
            SELECT * FROM item_version v WHERE v.item_id = i.id
            ORDER BY v.version DESC LIMIT 1) n ON true
        WHERE ({", ".join(f"i.{each}" for each in SAME.split(", "))})
            IS DISTINCT FROM ({", ".join(f"n.{each}" for each in SAME.split(", "))})
        ) found ON true
"""

WITHOUT_ITEM = f"""
    SELECT DISTINCT v.item_id, {COLUMNS} FROM item_version v
    JOIN workspace w ON w.id = v.workspace_id JOIN account a ON a.id = w.owner_id
    WHERE v.item_id > %s AND NOT EXISTS (SELECT FROM item i WHERE i.id = v.item_id)
    ORDER BY v.item_id LIMIT %s
"""

# The folder that an item says it is in, looked up for each: not a join with all
# items there are.
FOLDER = "LATERAL (SELECT * FROM item f WHERE f.id = i.parent_id LIMIT 1) p ON true"

NO_FOLDER = """
    (p.id IS NULL OR p.workspace_id <> i.workspace_id OR NOT p.is_folder OR p.status = 'DELETED')
"""

MISPLACED = f"""
    WITH page AS ({PAGE})
    SELECT last.revision, last.id, found.*
    FROM ({LAST}) last
    LEFT JOIN (
        SELECT i.id, i.version, i.name, i.is_folder,
            CASE WHEN p.id IS NULL THEN 'is not there' WHEN p.workspace_id <> i.workspace_id
                THEN 'is in another workspace' WHEN NOT p.is_folder THEN 'is no folder'
                ELSE 'is deleted' END
        FROM page i LEFT JOIN {FOLDER}
        WHERE i.status <> 'DELETED' AND i.parent_id IS NOT NULL AND {NO_FOLDER}) found ON true
    ORDER BY found.id
"""

# Everything has one parent, so what hangs neither from the root nor from
# something misplaced is in a cycle or below one.
UNREACHED = f"""
    WITH RECURSIVE reached AS (
        SELECT i.id FROM item i LEFT JOIN {FOLDER}
            WHERE i.workspace_id = %(workspace)s AND i.status <> 'DELETED'
                AND (i.parent_id IS NULL OR {NO_FOLDER})
        UNION
        SELECT i.id FROM item i JOIN reached r ON i.parent_id = r.id
            WHERE i.workspace_id = %(workspace)s AND i.status <> 'DELETED')
    SELECT i.id, i.parent_id, i.version, i.name FROM item i
    WHERE i.workspace_id = %(workspace)s AND i.status <> 'DELETED' AND i.is_folder
        AND NOT EXISTS (SELECT FROM reached r WHERE r.id = i.id)
"""

SAME_NAME = """
    SELECT i.id, i.version, i.name, i.is_folder, i.parent_id FROM (
        SELECT id, version, name, is_folder, parent_id,
            row_number() OVER (PARTITION BY parent_id, name ORDER BY id) AS place
        FROM item WHERE workspace_id = %s AND status <> 'DELETED') i
    WHERE i.place > 1 ORDER BY i.id LIMIT %s
"""

QUOTAS = """
    SELECT a.id, a.email, a.quota_used, coalesce((
        SELECT sum(i.size) FROM workspace w JOIN item i ON i.workspace_id = w.id
            WHERE w.owner_id = a.id AND i.status <> 'DELETED'), 0)::bigint
    FROM account a WHERE a.id > %s ORDER BY a.id LIMIT %s
"""

PATH = """
    WITH RECURSIVE above AS (
        SELECT i.parent_id, i.name, 0 AS height, ARRAY[i.id] AS passed FROM item i WHERE i.id = %s
        UNION ALL
        SELECT p.parent_id, p.name, a.height + 1, a.passed || p.id
            FROM item p JOIN above a ON p.id = a.parent_id
            WHERE p.id <> ALL (a.passed) AND a.height < 1000)
    SELECT '/' || string_agg(name, '/' ORDER BY height DESC) FROM above
"""


@frozen
class Different:
    """An item that is not what its newest version says; ``newest``: that version, if any."""

    id: int
    version: int
    newest: int | None


@frozen
class Misplaced:
    """A live item that is where none can be; ``reason``: what is wrong with its folder."""

    id: int
    version: int
    name: str
    is_folder: bool
    reason: str


@frozen
class Unreached:
    """A live folder that is in a cycle or below one."""

    id: int
    parent_id: int
    version: int
    name: str


@frozen
class Namesake:
    """A live item whose name an older one in the same folder has."""

    id: int
    version: int
    name: str
    is_folder: bool
    parent_id: int | None


@frozen
class QuotaUse:
    """What an account is said to use, and what it does."""

    account_id: UUID
    email: str
    used: int
    sum: int


class CheckTable:
    """Looks through the database."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def different(
        self, workspace_id: UUID, place: Place
    ) -> tuple[Place, list[Different]] | None:
        """Of a page of items, those that are not their newest version; ``None`` after the last."""
        rows = await self._session.query(DIFFERENT, page_arguments(workspace_id, place))
        if not rows:
            return None
        return Place(*rows[0][:2]), [Different(*row[2:]) for row in rows if row[2] is not None]

    async def without_item(self, after: int) -> list[tuple[int, KnownWorkspace]]:
        """The next ids that have versions but no item, with the workspace that they were in."""
        rows = await self._session.query(WITHOUT_ITEM, [after, FOUND_PER_PAGE])
        return [(row[0], KnownWorkspace(*row[1:])) for row in rows]

    async def revisions(self, workspace_id: UUID) -> tuple[int, int]:
        """The workspace's latest revision, and the latest that one of its items has."""
        rows = await self._session.query(
            """
            SELECT latest_revision, coalesce((SELECT max(revision) FROM item
                WHERE workspace_id = w.id), 0)
            FROM workspace w WHERE id = %s
            """,
            [workspace_id],
        )
        return (rows[0][0], rows[0][1]) if rows else (0, 0)

    async def misplaced(
        self, workspace_id: UUID, place: Place
    ) -> tuple[Place, list[Misplaced]] | None:
        """Of a page of items, the live ones whose folder is none; ``None`` after the last."""
        rows = await self._session.query(MISPLACED, page_arguments(workspace_id, place))
        if not rows:
            return None
        return Place(*rows[0][:2]), [Misplaced(*row[2:]) for row in rows if row[2] is not None]

    async def unreached(self, workspace_id: UUID) -> list[Unreached]:
        """The folders that are in cycles or below."""
        rows = await self._session.query(UNREACHED, {"workspace": workspace_id})
        return [Unreached(*row) for row in rows]

    async def namesakes(self, workspace_id: UUID) -> list[Namesake]:
        """Some items that would have to be called something else."""
        rows = await self._session.query(SAME_NAME, [workspace_id, FOUND_PER_PAGE])
        return [Namesake(*row) for row in rows]

    async def quotas(self) -> AsyncIterator[QuotaUse]:
        """What each account uses."""
        after = FIRST
        while rows := await self._session.query(QUOTAS, [after, ACCOUNTS_PER_PAGE]):
            for row in rows:
                yield QuotaUse(*row)
            after = rows[-1][0]

    async def path(self, item_id: int) -> str:
        """Where an item is, as far up as it can be followed."""
        told: str | None = (await self._session.query(PATH, [item_id]))[0][0]
        return told or f"item {item_id}"

    async def leftovers(self) -> tuple[int, int, int]:
        """How many uploads have expired, chunks a collection left on its list, are to be copied."""
        rows = await self._session.query(
            "SELECT (SELECT count(*) FROM upload WHERE expires_at <= now()),"
            " (SELECT count(*) FROM doomed_chunk),"
            " (SELECT count(DISTINCT (c.container, c.name)) FROM chunk_copy c"
            " JOIN workspace w ON w.container = c.container)"
        )
        return rows[0][0], rows[0][1], rows[0][2]


def page_arguments(workspace_id: UUID, place: Place) -> dict[str, object]:
    return {
        **place.after(ITEMS_PER_PAGE),
        "workspace": workspace_id,
        "latest": EVERY_REVISION,
    }
