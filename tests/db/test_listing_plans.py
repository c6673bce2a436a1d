"""A page of a large folder, or of a large trash, costs what is on the page.

Looks at how PostgreSQL runs the very statements: by which index, how many rows
it has read for them, and whether it had to sort.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from attrs import evolve, frozen
from psycopg2.sql import SQL, Composed
from pytest_twisted import ensureDeferred

from stacksync.db.cursors import Position
from stacksync.db.database import Database
from stacksync.db.listings import (
    Listings,
    contents_statement,
    trash_statement,
)
from stacksync.model import ItemShape, Order, Paging
from tests.db.conftest import StartDatabase
from tests.db.observation import Psql, until

ITEMS = 100_000
ENTRIES = 20_000
LIMIT = 1000
WORKSPACE = UUID(int=7)
SHAPE = ItemShape({"id": "id", "parent_id": "parent", "name": "filename", "chunks": "chunks"})
DIRECTIONS = pytest.mark.parametrize("descending", [False, True], ids=["up", "down"])

# Folder 1 has 20,000 live entries and as many deleted, the root as many of
# both; the last 20,000 went with folder 1's deletion in another workspace.
LOAD = f"""
    INSERT INTO item (id, workspace_id, parent_id, name, is_folder, status, version, revision,
            created_revision, size, checksum, chunks, device_id, modified_at, deleted_with)
        SELECT 1000000 + n, %s, CASE n %% 5 WHEN 0 THEN 1 WHEN 1 THEN 1 WHEN 4 THEN 2 END,
            'item ' || n, n <= 5, CASE WHEN n %% 5 IN (1, 3, 4) THEN 'DELETED' ELSE 'NEW' END,
            1, n, n, n, 1, '{{}}', %s, '2026-01-01'::timestamptz + n * interval '1 second',
            CASE WHEN n %% 5 = 4 THEN 2 END
        FROM generate_series(1, {ITEMS}) n;
"""


@frozen
class Plans:
    """How the statements run in the loaded database."""

    psql: Psql
    database: Database

    @property
    def listings(self) -> Listings:
        return Listings(self.database)

    async def of(self, statement: Composed, after: Position | None, place: int | None) -> list[Any]:
        """The nodes of the plan of a statement that has been run."""
        arguments: dict[str, Any] = {
            "workspace": WORKSPACE, "folder": place, "rows": LIMIT + 1,
            **({"key": after.key, "id": after.id} if after else {}),
        }  # fmt: skip
        settings, select = statement.seq[0], Composed(statement.seq[1:])
        explain = SQL(" EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) ")
        rows = await self.database.query("explain", settings + explain + select, arguments)
        return list(nodes(rows[0][0][0]["Plan"]))

    async def rows_read(self) -> int:
        """How many rows of items were read up to now, however they were found."""
        # Sessions of the test before tell what they have read when they end.
        await until(lambda: len(self.psql.sessions()) == 1)
        await self.database.query("flush", "SELECT pg_stat_force_next_flush()")
        return int(
            self.psql.value(
                "SELECT seq_tup_read + idx_tup_fetch FROM pg_stat_user_tables"
                " WHERE relname = 'item'"
            )
        )


def nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for child in plan.get("Plans", ()):
        yield from nodes(child)


def scans(plan: list[dict[str, Any]]) -> dict[str, int]:
    """Rows that came from each index that was scanned."""
    found = {node["Index Name"]: node["Actual Rows"] for node in plan if "Index Name" in node}
    assert all(node["Node Type"] in ("Index Scan", "Limit", "Result", "Subquery Scan", "Append",
        "Merge Append", "Sort", "Incremental Sort") for node in plan), plan  # fmt: skip
    # What a filter has thrown away was read as well: at most what the page before ended with.
    assert all(node.get("Rows Removed by Filter", 0) <= 1 for node in plan), plan
    return found


def sorts(plan: list[dict[str, Any]]) -> list[int]:
    """How many rows each sort had to sort."""
    return [node["Plans"][0]["Actual Rows"] for node in plan if "Sort" in node["Node Type"]]


@pytest.fixture(scope="module", params=["before", "after"])
def loaded(request: pytest.FixtureRequest, module_database_dsn: str) -> str:
    """The database before and after PostgreSQL has looked at what is in the table."""
    with closing(Psql(module_database_dsn)) as psql:
        if not psql.rows("SELECT FROM item LIMIT 1"):
            psql.rows("ALTER TABLE item SET (autovacuum_enabled = off)")
            psql.rows(LOAD, str(WORKSPACE), str(UUID(int=8)))
        if request.param == "after":
            psql.rows("ANALYZE")
    return module_database_dsn


@pytest.fixture
def plans(start_database: StartDatabase, loaded: str, psql: Psql) -> Plans:
    return Plans(psql, start_database(loaded, pool_size=1))


MIDDLE = Position("item 50000", 1050000)
MIDDLE_MOMENT = Position(datetime(2026, 1, 1, 14, tzinfo=UTC), 1050000)


@DIRECTIONS
@pytest.mark.parametrize("after", [None, MIDDLE], ids=["first", "middle"])
@pytest.mark.parametrize("place", [1, None], ids=["folder", "root"])
@ensureDeferred
async def test_a_page_by_name_is_read_from_the_index_without_a_sort(
    plans: Plans, descending: bool, after: Position | None, place: int | None
) -> None:
    paging = Paging(LIMIT, descending=descending)
    statement = contents_statement(
        paging, SHAPE, after, in_root=place is None, include_deleted=False
    )
    plan = await plans.of(statement, after, place)
    assert scans(plan) == {"item_live_name": LIMIT + 1}
    assert sorts(plan) == []
    assert buffers(plan) < 3 * LIMIT


def buffers(plan: list[dict[str, Any]]) -> int:
    return int(plan[0]["Shared Hit Blocks"] + plan[0]["Shared Read Blocks"])


@DIRECTIONS
@pytest.mark.parametrize("after", [None, MIDDLE], ids=["first", "middle"])
@pytest.mark.parametrize("place", [1, None], ids=["folder", "root"])
@ensureDeferred
async def test_deleted_items_cost_as_much_again(
    plans: Plans, descending: bool, after: Position | None, place: int | None
) -> None:
    paging = Paging(LIMIT, descending=descending)
    statement = contents_statement(
        paging, SHAPE, after, in_root=place is None, include_deleted=True
    )
    plan = await plans.of(statement, after, place)
    read = scans(plan)
    assert read.keys() == {"item_live_name", "item_deleted_name"}
    assert max(read.values()) <= LIMIT + 1
    # The two come in order: what is sorted is no more than the two pages.
    assert sum(sorts(plan)) <= 2 * (LIMIT + 1)


@DIRECTIONS
@pytest.mark.parametrize("after", [None, MIDDLE_MOMENT], ids=["first", "middle"])
@ensureDeferred
async def test_the_trash_is_read_by_time_past_what_went_along(
    plans: Plans, descending: bool, after: Position | None
) -> None:
    paging = Paging(LIMIT, order=Order.MODIFIED, descending=descending)
    plan = await plans.of(trash_statement(paging, SHAPE, after), after, None)
    assert scans(plan) == {"item_trash": LIMIT + 1}
    assert sorts(plan) == []


@DIRECTIONS
@pytest.mark.parametrize("order", [Order.SIZE, Order.MODIFIED])
@ensureDeferred
async def test_another_order_sorts_the_folder_and_reads_nothing_else(
    plans: Plans, descending: bool, order: Order
) -> None:
    paging = Paging(LIMIT, order=order, descending=descending)
    statement = contents_statement(paging, SHAPE, None, in_root=False, include_deleted=False)
    plan = await plans.of(statement, None, 1)
    assert [node["Index Name"] for node in plan if "Index Name" in node] == ["item_live_name"]
    assert max(node["Actual Rows"] for node in plan) == ENTRIES


@ensureDeferred
async def test_all_pages_together_read_the_folder_once(plans: Plans) -> None:
    paging = Paging(LIMIT)
    count = pages = 0
    before = await plans.rows_read()
    while True:
        page = await plans.listings.contents(WORKSPACE, 1, paging, SHAPE)
        count, pages = count + page.count, pages + 1
        if page.next is None:
            break
        paging = evolve(paging, after=page.next)
    assert (count, pages) == (ENTRIES, ENTRIES // LIMIT)
    # Two more than a page has: one that it ended with before, one that tells of the next.
    assert await plans.rows_read() - before <= pages * (LIMIT + 2)
