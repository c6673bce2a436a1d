"""What a piece of work changes is locked, or the work is begun anew."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

import pytest
from pytest_twisted import ensureDeferred

from stacksync.db.database import Transaction
from stacksync.db.locks import TRIES, Locks, with_locks
from stacksync.errors import Overloaded
from tests.db.builders import World


@ensureDeferred
async def test_work_that_needs_another_workspace_by_then_is_begun_anew_and_undone(
    world: World,
) -> None:
    before, after = await world.user(), await world.user()
    expected = iter([[before.workspace_id], [before.workspace_id, after.workspace_id]])
    begun: list[frozenset[UUID]] = []

    async def expect() -> Iterable[UUID]:
        return next(expected)

    async def work(transaction: Transaction, locks: Locks) -> str:
        begun.append(locks.workspace_ids)
        await transaction.query(
            "UPDATE account SET name = name || '!' WHERE id = %s", [before.account.id]
        )
        locks.check(before.workspace_id, after.workspace_id)
        return "done"

    assert await with_locks(world.database, "test", expect, work) == "done"
    assert begun == [
        {before.workspace_id},
        {before.workspace_id, after.workspace_id},
    ]
    rows = await world.database.query(
        "read", "SELECT name FROM account WHERE id = %s", [before.account.id]
    )
    assert rows[0][0] == f"{before.account.name}!"


@ensureDeferred
async def test_work_that_never_finds_what_it_needs_is_given_up(world: World) -> None:
    user, other = await world.user(), await world.user()
    begun: list[UUID] = []

    async def expect() -> Iterable[UUID]:
        return [user.workspace_id]

    async def work(_: Transaction, locks: Locks) -> None:
        begun.append(user.workspace_id)
        locks.check(other.workspace_id)

    with pytest.raises(Overloaded, match="test: what it is about kept moving"):
        await with_locks(world.database, "test", expect, work)
    assert len(begun) == TRIES
