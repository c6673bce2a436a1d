"""Statements that compare what versions refer to with what was found in the store.

The chunks of one workspace at a time are gathered in a temporary table, each
once, however many versions have it; what was found out about each is noted
there, and then held against the versions.
"""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from attrs import frozen

from stacksync.db.item_pages import EVERY_REVISION, LAST, PAGE, Place
from stacksync.db.session import Session

ITEMS_PER_PAGE = 2000

NAMED = 3
"""So many of the bad chunks of a version are told by name."""

CHECKED_CHUNKS = """
    CREATE TEMPORARY TABLE IF NOT EXISTS checked_chunk (
        name text COLLATE "C" PRIMARY KEY, size bigint, problem text)
"""

GATHER = f"""
    WITH page AS ({PAGE}),
    gathered AS (
        INSERT INTO checked_chunk (name)
            SELECT DISTINCT unnest(v.chunks) FROM page p JOIN item_version v ON v.item_id = p.id
            ON CONFLICT DO NOTHING)
    SELECT revision, id FROM ({LAST}) last
"""

# A version that came after the gathering has chunks that nobody has looked at.
FAULTY = f"""
    WITH page AS ({PAGE}),
    found AS (
        SELECT v.item_id, v.version, v.size, v.status, v.version = i.version AS is_newest,
            sum(c.size)::bigint AS together,
            bool_and(u.name IS NULL OR c.size IS NOT NULL) AS known,
            count(c.problem) AS bad,
            (array_agg(c.name || ' ' || c.problem ORDER BY u.place)
                FILTER (WHERE c.problem IS NOT NULL))[1:{NAMED}] AS problems,
            array_agg(DISTINCT c.name) FILTER (WHERE c.problem IS NOT NULL) AS chunks
        FROM page i JOIN item_version v ON v.item_id = i.id
        LEFT JOIN LATERAL unnest(v.chunks) WITH ORDINALITY u (name, place) ON true
        LEFT JOIN checked_chunk c ON c.name = u.name COLLATE "C"
        WHERE NOT v.is_folder
        GROUP BY v.item_id, v.version, i.version)
    SELECT last.revision, last.id, f.item_id, f.version, f.size, coalesce(f.together, 0), f.bad,
        f.problems, f.chunks[1:{NAMED}], f.is_newest
    FROM ({LAST}) last
    LEFT JOIN found f
        ON f.bad > 0 OR %(sizes)s AND f.known AND coalesce(f.together, 0) <> f.size
    ORDER BY f.item_id, f.version
"""

BAD = """
    SELECT DISTINCT c.name FROM item_version v, unnest(v.chunks) u (name)
    JOIN checked_chunk c ON c.name = u.name COLLATE "C"
    WHERE v.item_id = %s AND v.version = %s AND c.problem IS NOT NULL
"""

WHOLE = """
    SELECT max(v.version) FROM item_version v
    WHERE v.item_id = %(item)s AND v.version < %(version)s AND v.status <> 'DELETED'
        AND NOT EXISTS (SELECT FROM unnest(v.chunks) u (name)
            LEFT JOIN checked_chunk c ON c.name = u.name COLLATE "C"
            WHERE c.name IS NULL OR c.problem IS NOT NULL)
        AND (NOT %(sizes)s OR v.size = coalesce((SELECT sum(coalesce(c.size, v.size))
            FROM unnest(v.chunks) u (name)
            JOIN checked_chunk c ON c.name = u.name COLLATE "C"), 0))
"""


@frozen
class Faulty:
    """A version whose content is not what it should be.

    :ivar size: bytes that it should have.
    :ivar together: bytes that its chunks have.
    :ivar bad: how many of them are bad; ``problems`` tells of the first,
        ``chunks`` has names of bad ones.
    """

    item_id: int
    version: int
    size: int
    together: int
    bad: int
    problems: Sequence[str]
    chunks: Sequence[str]
    is_newest: bool


class ChunkCheckTable:
    """The chunks of one workspace at a time."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def begin(self) -> None:
        """Forget the chunks of the workspace before."""
        await self._session.query(CHECKED_CHUNKS)
        await self._session.query("TRUNCATE checked_chunk")

    async def gather(self, workspace_id: UUID, place: Place) -> Place | None:
        """Note what a page of items refers to; where it ended, ``None`` after the last."""
        rows = await self._session.query(GATHER, page_arguments(workspace_id, place))
        return Place(*rows[0]) if rows else None

    async def count(self) -> int:
        """How many chunks were noted."""
        count: int = (await self._session.query("SELECT count(*) FROM checked_chunk"))[0][0]
        return count

    async def names(self, after: str, most: int) -> list[str]:
        """The next chunks to look at, in byte order."""
        rows = await self._session.query(
            "SELECT name FROM checked_chunk WHERE name > %s ORDER BY name LIMIT %s", [after, most]
        )
        return [name for (name,) in rows]

    async def note(
        self, names: Sequence[str], sizes: Sequence[int | None], problems: Sequence[str | None]
    ) -> None:
        """Write down what was found: plain size, if that is known, and what is wrong, if it is."""
        await self._session.query(
            """
            UPDATE checked_chunk c SET size = f.size, problem = f.problem
            FROM unnest(%s::text[], %s::bigint[], %s::text[]) f (name, size, problem)
            WHERE c.name = f.name COLLATE "C"
            """,
            [list(names), list(sizes), list(problems)],
        )

    async def faulty(
        self, workspace_id: UUID, place: Place, *, sizes: bool
    ) -> tuple[Place, list[Faulty]] | None:
        """The faulty versions of a page of items; ``None`` after the last.

        :param sizes: whether the chunks' sizes have to make up the version's.
        """
        rows = await self._session.query(
            FAULTY, {**page_arguments(workspace_id, place), "sizes": sizes}
        )
        if not rows:
            return None
        found = [Faulty(*row[2:]) for row in rows if row[2] is not None]
        return Place(*rows[0][:2]), found

    async def bad(self, faulty: Faulty) -> list[str]:
        """All bad chunks of a version; none if that is forgotten by now."""
        rows = await self._session.query(BAD, [faulty.item_id, faulty.version])
        return [name for (name,) in rows]

    async def whole_before(self, faulty: Faulty, *, sizes: bool) -> int | None:
        """The newest earlier version of the same item whose content is whole."""
        rows = await self._session.query(
            WHOLE, {"item": faulty.item_id, "version": faulty.version, "sizes": sizes}
        )
        number: int | None = rows[0][0]
        return number


def page_arguments(workspace_id: UUID, place: Place) -> dict[str, object]:
    return {
        **place.after(ITEMS_PER_PAGE),
        "workspace": workspace_id,
        "latest": EVERY_REVISION,
    }
