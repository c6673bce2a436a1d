"""A chunk that is found is there still at the commit, whatever the collector does."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

import pytest
from attrs import define, field
from pytest_twisted import ensureDeferred
from twisted.internet.defer import Deferred

from stacksync.db.database import Database, Transaction
from stacksync.db.doomed_chunks import DoomedChunkTable
from stacksync.engine.content.chunk_keeper import ChunkKeeper
from stacksync.model import Workspace
from stacksync.streams import BytesStream
from tests.db.conftest import database, start_database
from tests.db.observation import until
from tests.engine.content.builders import Doomed
from tests.storage.memory import MemoryStore

__all__ = ["database", "start_database"]

NAME = "chunk"


@define(eq=False)
class Collector:
    """Removes one chunk in the way that garbage collection does, step by step."""

    database: Database
    store: MemoryStore
    workspace: Workspace
    go_on: Deferred[None] = field(factory=Deferred)
    looked: bool = False
    removed: bool = False

    async def doom(self) -> None:
        await self.database.query(
            "doom",
            "INSERT INTO doomed_chunk (workspace_id, name) VALUES (%s, %s)",
            [self.workspace.id, NAME],
        )

    async def collect(self, old: Callable[[], bool]) -> None:
        """Lock, look, wait until told to go on, remove what was old, let go."""

        async def work(transaction: Transaction) -> None:
            rows = await transaction.query(
                "SELECT 1 FROM doomed_chunk WHERE workspace_id = %s AND name = %s FOR UPDATE",
                [self.workspace.id, NAME],
            )
            is_old = bool(rows) and old()
            self.looked = True
            await self.go_on
            if is_old:
                self.removed = await self.store.delete(self.workspace.container, NAME)
            await transaction.query(
                "DELETE FROM doomed_chunk WHERE workspace_id = %s AND name = %s",
                [self.workspace.id, NAME],
            )

        await self.database.transaction("collect", work)


@pytest.fixture
def doomed_table(database: Database) -> DoomedChunkTable:
    return DoomedChunkTable(database)


async def stored_workspace(database: Database, workspace: Workspace) -> Workspace:
    """The workspace, with the row that a doomed chunk must refer to."""
    await database.query(
        "add account",
        "INSERT INTO account (id, email, name, quota_limit) VALUES (%s, %s, 'Anna', 0)",
        [workspace.owner.id, f"{workspace.owner.id}@example.org"],
    )
    await database.query(
        "add workspace",
        "INSERT INTO workspace (id, owner_id, container) VALUES (%s, %s, %s)",
        [workspace.id, workspace.owner.id, workspace.container],
    )
    return workspace


@ensureDeferred
async def test_what_is_not_there_is_not_found_and_gets_a_container(
    memory: MemoryStore, doomed: Doomed, workspace: Workspace
) -> None:
    keeper = ChunkKeeper(memory, doomed)
    assert await keeper.present(workspace, NAME) is None
    await keeper.put(workspace, NAME, BytesStream(b"x"))
    assert doomed.claimed == []
    present = await keeper.present(workspace, NAME)
    assert present is not None
    assert present.size == 1
    assert doomed.claimed == [NAME]


@ensureDeferred
async def test_what_is_found_counts_as_young(
    memory: MemoryStore, doomed: Doomed, workspace: Workspace
) -> None:
    keeper = ChunkKeeper(memory, doomed)
    await memory.create_container(workspace.container)
    put = await keeper.put(workspace, NAME, BytesStream(b"x"))
    present = await keeper.present(workspace, NAME)
    assert present is not None
    assert present.modified_at > put.modified_at


@ensureDeferred
async def test_a_claim_tells_whether_the_chunk_was_doomed(
    database: Database, doomed_table: DoomedChunkTable, workspace: Workspace
) -> None:
    await stored_workspace(database, workspace)
    collector = Collector(database, MemoryStore(), workspace)
    assert await doomed_table.claim(workspace.id, NAME) is False
    await collector.doom()
    assert await doomed_table.claim(UUID(int=1), NAME) is False
    assert await doomed_table.claim(workspace.id, "other") is False
    assert await doomed_table.claim(workspace.id, NAME) is True
    assert await doomed_table.claim(workspace.id, NAME) is False


@pytest.mark.parametrize("looked_first", [True, False])
@ensureDeferred
async def test_a_chunk_that_is_being_collected_is_found_or_is_not_but_never_lost(
    database: Database,
    doomed_table: DoomedChunkTable,
    memory: MemoryStore,
    workspace: Workspace,
    looked_first: bool,
) -> None:
    await stored_workspace(database, workspace)
    keeper = ChunkKeeper(memory, doomed_table)
    await memory.create_container(workspace.container)
    put = await keeper.put(workspace, NAME, BytesStream(b"x"))
    collector = Collector(database, memory, workspace)
    await collector.doom()

    def is_old() -> bool:
        info, _ = memory.held[workspace.container][NAME]
        return info.modified_at == put.modified_at

    if looked_first:
        # It saw the chunk old; we find it before it is gone, and wait for the row.
        collecting = Deferred.fromCoroutine(collector.collect(is_old))
        await until(lambda: collector.looked)
        asking = Deferred.fromCoroutine(keeper.present(workspace, NAME))
        await until(lambda: memory.calls["refresh"] == 1)
        assert not asking.called
        collector.go_on.callback(None)
        assert await asking is None
        await collecting
        assert collector.removed
    else:
        asking = Deferred.fromCoroutine(keeper.present(workspace, NAME))
        collecting = Deferred.fromCoroutine(collector.collect(is_old))
        collector.go_on.callback(None)
        assert await asking is not None
        await collecting
        assert not collector.removed
        assert memory.objects(workspace.container) == {NAME: b"x"}
