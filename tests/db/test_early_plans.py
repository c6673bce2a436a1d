"""What a session has planned on an empty database is still good when that has filled up.

The plans of the functions are kept; a workspace that grows must not be read as
a whole for each change.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest
from pytest_twisted import ensureDeferred

from stacksync.model import Item
from tests.db.builders import User, World, change, delete, folder, move, new, rename
from tests.db.conftest import StartDatabase
from tests.db.observation import Psql

ITEMS = 5000
MOST = 100
"""Rows that a commit of a few items may read, whatever else is in the workspace."""

GROW = f"""
    INSERT INTO item (workspace_id, parent_id, name, is_folder, status, version, revision,
            created_revision, size, checksum, chunks, device_id, modified_at)
        SELECT %s, CASE WHEN n %% 2 = 0 THEN %s END, 'item ' || n, n %% 7 = 0,
            CASE WHEN n %% 5 = 0 THEN 'DELETED' ELSE 'NEW' END, 1, 1, 1, 0, 1, '{{}}', %s, now()
        FROM generate_series(1, {ITEMS}) n
"""


class Session:
    """One session with plans that are kept, and how much it reads."""

    def __init__(self, world: World, psql: Psql) -> None:
        self.world, self.psql = world, psql
        self.turns = 0

    async def all_kinds(self, user: User, parent: Item, most: int | None = None) -> None:
        """Every kind of change of a few items, each of which may read ``most`` rows."""
        self.turns += 1
        prefix, world = f"turn {self.turns} ", self.world
        made: list[Item] = []

        async def create() -> None:
            made[:] = await world.items(
                user, folder(f"{prefix}docs", parent), folder("inner"), new("a"), new("b", parent),
                new(f"{prefix}c"), parents={1: 0, 2: 1},
            )  # fmt: skip

        async def again(item: Item, **fields: object) -> None:
            (made[0], *_) = await world.items(user, change(item, **fields))

        async def go() -> None:
            (made[0], *_) = await world.items(user, delete(made[0]))

        steps: dict[str, Callable[[], Awaitable[object]]] = {
            "create": create,
            "change": lambda: world.items(user, change(made[2], size=11)),
            "rename": lambda: world.items(user, rename(made[4], f"{prefix}d")),
            "move": lambda: world.items(user, move(made[1], None, name=f"{prefix}inner")),
            "move back": lambda: world.items(user, move(made[1], made[0], version=3)),
            "refuse": lambda: world.commit(user, new("x", 2**62), change(made[3], version=9)),
            "delete a file": lambda: world.items(user, delete(made[3])),
            "delete a folder": go,
            "restore it": lambda: again(made[0], restores=True),
            "delete it again": go,
            "restore it alone": lambda: again(made[0]),
        }
        for name, step in steps.items():
            before = await self._read()
            await step()
            read = await self._read() - before
            assert most is None or read <= most, f"{name} reads {read} items"

    async def _read(self) -> int:
        await self.world.database.query("flush", "SELECT pg_stat_force_next_flush()")
        return int(
            self.psql.value(
                "SELECT seq_tup_read + idx_tup_fetch FROM pg_stat_user_tables"
                " WHERE relname = 'item'"
            )
        )


@pytest.mark.parametrize("filled", [False, True], ids=["empty", "filled"])
@ensureDeferred
async def test_plans_of_an_empty_database_do_for_a_large_workspace(
    start_database: StartDatabase, database_dsn: str, filled: bool
) -> None:
    psql = Psql(database_dsn)
    psql.rows("ALTER TABLE item SET (autovacuum_enabled = off)")
    world = World(start_database(database_dsn, pool_size=1))
    anna = await world.user()
    docs = await world.item(anna, folder("docs"))
    session = Session(world, psql)
    if not filled:
        await session.all_kinds(anna, docs)
    psql.rows(GROW, str(anna.workspace_id), docs.id, str(anna.device_id))
    await session.all_kinds(anna, docs, MOST)
    psql.close()
