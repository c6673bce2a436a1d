"""Locks per container: one at a time, handed on, and gone when nobody needs them."""

from __future__ import annotations

import pytest
from pytest_twisted import ensureDeferred
from twisted.internet.defer import CancelledError, Deferred

from stacksync.storage.swift.container_locks import ContainerLocks


async def hold(
    locks: ContainerLocks, container: str, entered: list[str], until: Deferred[None]
) -> None:
    async with locks.of(container):
        entered.append(container)
        await until


@ensureDeferred
async def test_one_container_is_changed_by_one_at_a_time_and_another_meanwhile() -> None:
    locks = ContainerLocks()
    entered: list[str] = []
    ends: list[Deferred[None]] = [Deferred() for _ in range(3)]
    holding = [
        Deferred.fromCoroutine(hold(locks, container, entered, end))
        for container, end in zip(["a", "a", "b"], ends, strict=True)
    ]
    assert entered == ["a", "b"]
    assert len(locks) == 2

    ends[0].callback(None)
    assert entered == ["a", "b", "a"]
    for end in ends[1:]:
        end.callback(None)
    for each in holding:
        await each
    assert len(locks) == 0


@ensureDeferred
async def test_who_gives_up_waiting_leaves_nothing() -> None:
    locks = ContainerLocks()
    entered: list[str] = []
    end: Deferred[None] = Deferred()
    first = Deferred.fromCoroutine(hold(locks, "a", entered, end))
    second = Deferred.fromCoroutine(hold(locks, "a", entered, Deferred()))
    second.cancel()
    with pytest.raises(CancelledError):
        await second
    end.callback(None)
    await first

    assert entered == ["a"]
    assert len(locks) == 0
