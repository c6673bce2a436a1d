"""Ten thousand items go to another workspace by index, among a hundred thousand of others'."""

from __future__ import annotations

from time import monotonic

import pytest
from pytest_twisted import ensureDeferred

from tests.db.builders import World, folder
from tests.db.conftest import StartDatabase
from tests.db.observation import Psql
from tests.db.test_moves import moved
from tests.db.test_plans import load


@ensureDeferred
@pytest.mark.parametrize("depth", [1, 1000])
async def test_ten_thousand_items_go_by_index(
    start_database: StartDatabase, module_database_dsn: str, psql: Psql, depth: int
) -> None:
    load(psql)
    world = World(start_database(module_database_dsn, statement_timeout=120.0))
    anna, berta = await world.user(), await world.user()
    top = await world.item(anna, folder("top"))
    first = 10**9 + depth * 10**6
    psql.rows(
        f"""
        INSERT INTO item (id, workspace_id, parent_id, name, is_folder, status, version, revision,
                created_revision, size, checksum, chunks, device_id, modified_at)
            SELECT %s + n, %s, CASE WHEN n > {depth} OR n = 1 THEN %s ELSE %s + n - 1 END,
                'f ' || n, n <= {depth}, 'NEW', 1, 1, 1, (n > {depth})::integer, 1,
                CASE WHEN n <= {depth} THEN '{{}}'::text[] ELSE ARRAY['chk-' || n] END, %s, now()
            FROM generate_series(1, 10000) n
        """,
        first, anna.workspace_id, top.id, first, anna.device_id,
    )  # fmt: skip
    psql.rows(
        """
        INSERT INTO item_version (item_id, version, workspace_id, revision, parent_id, name,
                is_folder, status, size, checksum, chunks, device_id, modified_at, request_id,
                ordinal)
            SELECT id, version, workspace_id, revision, parent_id, name, is_folder, status, size,
                checksum, chunks, device_id, modified_at, 'many', id - %s
            FROM item WHERE workspace_id = %s AND id > %s
        """,
        first + 1, anna.workspace_id, first,
    )  # fmt: skip
    psql.rows("UPDATE account SET quota_used = %s WHERE id = %s", 10000 - depth, anna.account.id)
    psql.rows("SELECT pg_stat_force_next_flush()")
    read = "SELECT sum(seq_tup_read) FROM pg_stat_user_tables WHERE relname LIKE 'item%'"
    before = psql.value(read)
    started = monotonic()
    answer = await moved(world, top, anna, berta)
    took = monotonic() - started
    await world.database.query("flush", "SELECT pg_stat_force_next_flush()")
    assert answer.items == 10001
    assert psql.value(read) == before
    assert took < 120
