"""With 100,000 items every statement still finds its few rows by an index.

Looks at how many rows PostgreSQL has read in sequence, whoever read them: a
statement of ours or one in a function.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from psycopg2.sql import SQL
from pytest_twisted import ensureDeferred

from stacksync.db.items import ItemTable, changes_statement
from stacksync.model import Item, ItemShape
from tests.db.builders import User, World, change, delete, folder, move, new, rename
from tests.db.conftest import StartDatabase
from tests.db.observation import Psql

ITEMS = 100_000
WORKSPACES = 50
SHAPE = ItemShape({"id": "id", "parent_id": "parent", "name": "filename", "chunks": "chunks"})

LOAD = f"""
    INSERT INTO account (email, name, quota_limit)
        SELECT 'crowd-' || n, 'crowd', 1000 FROM generate_series(1, {WORKSPACES}) n;
    INSERT INTO workspace (owner_id, container, latest_revision)
        SELECT id, id::text, {ITEMS} FROM account WHERE name = 'crowd';
    INSERT INTO membership (account_id, workspace_id, role, mount_name)
        SELECT owner_id, w.id, 'owner', 'all' FROM workspace w JOIN account a ON a.id = owner_id
        WHERE name = 'crowd';
    INSERT INTO device (account_id, name) SELECT id, 'crowd' FROM account WHERE name = 'crowd';
    WITH place AS (
        SELECT row_number() OVER () - 1 AS number, w.id AS workspace_id, d.id AS device_id
        FROM workspace w JOIN device d ON d.account_id = w.owner_id WHERE d.name = 'crowd')
    INSERT INTO item (id, workspace_id, parent_id, name, is_folder, status, version, revision,
            created_revision, size, checksum, chunks, device_id, modified_at)
        SELECT 1000000 + n, workspace_id, CASE WHEN n > 5000 THEN 1000001 + (n - 1) % 5000 END,
            'item ' || n, n <= 5000, CASE WHEN n % 10 = 0 THEN 'DELETED' ELSE 'NEW' END, 1, n,
            n, 1, 1, '{{}}', device_id, now()
        FROM generate_series(1, {ITEMS}) n JOIN place ON place.number = n % {WORKSPACES};
    INSERT INTO item_version (item_id, version, workspace_id, revision, parent_id, name, is_folder,
            status, size, checksum, chunks, device_id, modified_at, request_id, ordinal)
        SELECT id, version, workspace_id, revision, parent_id, name, is_folder, status, size,
            checksum, chunks, device_id, modified_at, 'crowd ' || id, 0
        FROM item WHERE id > 1000000;
"""


class Day:
    """What happens on a busy day, by one session, whose plans are kept."""

    def __init__(self, world: World, user: User, psql: Psql) -> None:
        self.world, self.user, self._psql = world, user, psql
        self.items = ItemTable(world.database)
        self.mornings = 0

    async def run(self, *, watched: bool = True) -> None:
        """Do everything once; watched, see after each that it read nothing in sequence."""
        self.mornings += 1
        world, user, prefix = self.world, self.user, f"day {self.mornings} "
        made: list[Item] = []

        async def create() -> None:
            changes = [folder(f"{prefix}f")]
            changes += [new(f"{prefix}{n}") for n in range(20)]
            parents = {n: 0 for n in range(1, 21) if n % 2}
            made[:] = await world.items(
                user, *changes, parents=parents, request_id=f"{prefix}create"
            )

        async def repeat() -> None:
            answer = await world.try_to(user, *changes_again, request_id=f"{prefix}create")
            assert getattr(answer, "reason", None) == "reused"

        changes_again = [new("another")]
        steps: dict[str, Callable[[], Awaitable[object]]] = {
            "create": create,
            "repeat": repeat,
            "refuse": lambda: world.commit(user, new(f"{prefix}2"), new("x", 2**62)),
            "change": lambda: world.items(user, change(made[2], size=11)),
            "rename": lambda: world.items(user, rename(made[4], f"{prefix}new name")),
            "move": lambda: world.items(user, move(made[6], made[0])),
            "move a folder": lambda: world.items(user, move(made[0], None)),
            "delete a folder": lambda: world.items(user, delete(made[0], version=3)),
            "restore": lambda: world.items(user, change(made[1], version=3, parent_id=None)),
            "restore a folder": lambda: world.items(
                user, change(made[0], version=4, restores=True, name=f"{prefix}g")
            ),
            "delete it again": lambda: world.items(user, delete(made[0], version=5)),
            "restore it alone": lambda: world.items(user, change(made[0], version=6)),
            "read item": lambda: self.items.held(user.account.id, made[0].id),
            "read version": lambda: self.items.version(user.account.id, made[0].id, 2),
            "read request": lambda: self.items.made_by(
                user.account.id, user.device_id, f"{prefix}create"
            ),
            "find by name": lambda: self.items.live_named(user.workspace_id, made[0].id, "x"),
            "find in the root": lambda: self.items.live_named(user.workspace_id, None, "x"),
            "read default workspace": lambda: world.workspaces.default_of(user.account.id),
            "read latest changes": lambda: self.items.changed(user.workspace_id, 1, SHAPE),
            "read all": lambda: self.items.changed(user.workspace_id, 0, SHAPE),
            "read all and what was": lambda: self.items.changed(user.workspace_id, None, SHAPE),
            "read versions": lambda: self.items.versions(user.account.id, made[0].id),
            "read commits": lambda: world.commits.results_since(user.workspace_id, 1),
            "list workspaces": lambda: world.workspaces.of_account(user.account.id),
            "list devices": lambda: world.devices.of_account(user.account.id),
        }
        for name, step in steps.items():
            before = await self._read_in_sequence()
            await step()
            after = await self._read_in_sequence()
            assert after == before or not watched, f"{name} reads tables from end to end"

    async def _read_in_sequence(self) -> dict[str, int]:
        await self.world.database.query("flush", "SELECT pg_stat_force_next_flush()")
        rows = self._psql.rows(
            "SELECT relname, seq_tup_read FROM pg_stat_user_tables"
            " WHERE relname IN ('item', 'item_version')"
        )
        return dict(rows)  # type: ignore[arg-type]


def load(psql: Psql) -> None:
    if not psql.rows("SELECT FROM account WHERE name = 'crowd'"):
        for table in ("item", "item_version"):
            psql.rows(f"ALTER TABLE {table} SET (autovacuum_enabled = off)")
        psql.rows(LOAD)
        # What was read for that is told now, and not in the midst of what is measured.
        psql.rows("SELECT pg_stat_force_next_flush()")


@ensureDeferred
async def test_nothing_is_read_from_end_to_end_before_and_after_statistics_are_there(
    start_database: StartDatabase, module_database_dsn: str, psql: Psql
) -> None:
    world = World(start_database(module_database_dsn, pool_size=1))
    # One day on the empty database: its plans are in the session from now on.
    await Day(world, await world.user(), psql).run(watched=False)
    load(psql)
    day = Day(world, await world.user(), psql)
    await day.run()
    psql.rows("ANALYZE")
    await day.run()


@ensureDeferred
async def test_changes_are_an_index_range_scan(
    start_database: StartDatabase, module_database_dsn: str, psql: Psql
) -> None:
    load(psql)
    psql.rows("ANALYZE")
    database = start_database(module_database_dsn, pool_size=1)
    workspace_id = psql.value("SELECT workspace_id FROM item WHERE id = 1001000")
    for since in (None, 0, 50_000, 99_900):
        rows = await database.query(
            "explain",
            SQL("EXPLAIN ") + changes_statement(SHAPE),
            {"workspace": workspace_id, "since": since},
        )
        plan = "\n".join(line for (line,) in rows)
        assert "item_changes" in plan, plan
        assert "Seq Scan on item" not in plan, plan
