"""Who looks through one workspace does not read the others'."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from uuid import UUID

from attrs import define
from pytest_twisted import ensureDeferred
from twisted.internet import reactor

from stacksync.db.checks import CheckTable
from stacksync.db.chunk_checks import ChunkCheckTable
from stacksync.db.database import Database
from stacksync.db.garbage import GarbageTable
from stacksync.db.item_pages import Place
from stacksync.db.retention import Limits, RetentionTable
from stacksync.db.session import Session, opened
from stacksync.model import BlobInfo
from tests.db.observation import Psql
from tests.db.test_plans import ITEMS, WORKSPACES, load

NOW = datetime.now(UTC)
LIMITS = Limits(NOW, 3, NOW - timedelta(days=30), NOW - timedelta(days=1))
LATEST = ITEMS

MOST = 8 * ITEMS // WORKSPACES
"""An item and its version may be looked up in a few ways, but not those of 50 workspaces."""


@define
class Visit:
    """Everything that is done for one workspace, and what it reads for that."""

    session: Session
    psql: Psql
    workspace_id: UUID

    async def run(self) -> None:
        workspace_id = self.workspace_id
        retention, garbage = RetentionTable(self.session), GarbageTable(self.session)
        checks, chunks = CheckTable(self.session), ChunkCheckTable(self.session)
        await garbage.begin(workspace_id)
        await garbage.add([BlobInfo(f"chunk {number}", 1, NOW) for number in range(1000)])
        await chunks.begin()

        async def spare(pruned: Limits | None = None) -> None:
            await garbage.spare_page(workspace_id, LATEST, Place(), pruned)

        async def prune(dry_run: bool) -> None:
            await retention.prune(workspace_id, LATEST, LIMITS, Place(), dry_run=dry_run)

        async def remove() -> None:
            await garbage.doom(workspace_id, ["chunk 1"])
            await garbage.remove(workspace_id, ["chunk 1"], LATEST - 100, nothing)

        async def faulty() -> None:
            await chunks.faulty(workspace_id, Place(), sizes=True)

        steps: dict[str, Callable[[], Awaitable[object]]] = {
            "prune": lambda: prune(False),
            "count what would be pruned": lambda: prune(True),
            "purge": lambda: retention.purge(workspace_id, LIMITS),
            "count what would be purged": lambda: retention.purgeable(workspace_id, LIMITS),
            "forget uploads": lambda: retention.forget_uploads(workspace_id, LIMITS, dry_run=False),
            "forget answers": lambda: retention.forget_answers(workspace_id, LIMITS),
            "spare a page": spare,
            "spare a page as if pruned": lambda: spare(LIMITS),
            "spare what changed": lambda: garbage.spare_changed(workspace_id, LATEST - 100),
            "spare uploads": lambda: garbage.spare_uploads(workspace_id),
            "remove": remove,
            "check versions": lambda: checks.different(workspace_id, Place()),
            "check revisions": lambda: checks.revisions(workspace_id),
            "check parents": lambda: checks.misplaced(workspace_id, Place()),
            "check for cycles": lambda: checks.unreached(workspace_id),
            "check names": lambda: checks.namesakes(workspace_id),
            "gather chunks": lambda: chunks.gather(workspace_id, Place()),
            "compare chunks": faulty,
        }
        for name, step in steps.items():
            before = await self._rows_read()
            await step()
            read = await self._rows_read() - before
            assert read <= MOST, f"{name} reads {read} rows"

    async def _rows_read(self) -> int:
        """Rows, and entries of indexes, that were read of all workspaces' items and versions."""
        await self.session.query("SELECT pg_stat_force_next_flush()")
        rows: int = self.psql.value(
            """
            SELECT (SELECT sum(seq_tup_read) FROM pg_stat_user_tables
                    WHERE relname IN ('item', 'item_version'))
                + (SELECT sum(idx_tup_read) FROM pg_stat_user_indexes
                    WHERE relname IN ('item', 'item_version'))
            """
        )
        return rows


async def nothing(names: object) -> list[str]:
    return list(names)  # type: ignore[call-overload, no-any-return]


@ensureDeferred
async def test_nothing_is_read_from_end_to_end_for_one_workspace_of_many(
    database: Database, psql: Psql
) -> None:
    load(psql)
    psql.rows("ANALYZE")
    workspace_id = psql.value("SELECT workspace_id FROM item WHERE id = 1001000")
    async with opened(reactor, database.dsn) as session:
        await Visit(session, psql, workspace_id).run()
