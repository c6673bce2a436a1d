"""A container goes when no workspace has it, and nothing is needed from it any more."""

from __future__ import annotations

import pytest
from pytest_twisted import ensureDeferred

from stacksync.db.chunk_copies import ChunkCopyTable
from stacksync.engine.jobs.remove_container import RemoveContainerJobs
from stacksync.model import JobKind
from tests.engine.jobs.pending import Move, move

__all__ = ["move"]


@pytest.fixture
def removal(move: Move) -> RemoveContainerJobs:
    return RemoveContainerJobs(ChunkCopyTable(move.yard.database), move.store)


@ensureDeferred
async def test_a_container_is_removed_when_nothing_is_needed_from_it(
    move: Move, removal: RemoveContainerJobs
) -> None:
    await move.add(1)
    remove = await move.yard.add(f"container:{move.source}", JobKind.REMOVE_CONTAINER,
        container=move.source)  # fmt: skip
    removing = move.yard.jobs(removal, [JobKind.REMOVE_CONTAINER])

    (waiting,) = await removing.run_until_idle()

    assert (waiting.id, waiting.problem) == (
        remove,
        "container before is not removed yet: 1 chunks are still to be copied out of it",
    )
    await move.copy()
    move.yard.psql.rows("UPDATE job SET run_at = now()")
    assert await removing.run_until_idle() == ()
    assert set(move.store.held) == {move.container}


@ensureDeferred
async def test_no_workspace_loses_its_container(move: Move, removal: RemoveContainerJobs) -> None:
    await move.store.create_container(move.container)
    await move.yard.add(kind=JobKind.REMOVE_CONTAINER, container=move.container)

    (kept,) = await move.yard.jobs(removal, [JobKind.REMOVE_CONTAINER]).run_until_idle()

    assert kept.problem is not None
    assert kept.problem.startswith(f"container {move.container} is not removed: workspace ")
    assert move.container in move.store.held


@ensureDeferred
async def test_with_a_container_goes_what_it_was_to_get(
    move: Move, removal: RemoveContainerJobs
) -> None:
    await move.add(1)
    move.yard.psql.rows("DELETE FROM workspace WHERE container = %s", move.container)
    for container in (move.source, move.container):
        await move.yard.add(kind=JobKind.REMOVE_CONTAINER, container=container)

    removing = move.yard.jobs(removal, [JobKind.REMOVE_CONTAINER])

    assert await removing.run_until_idle() == ()
    assert move.store.held == {}
    assert move.listed == 0
