"""Other instances are hinted at whose workspaces and proposals are others now."""

from __future__ import annotations

from uuid import UUID

import pytest
from pytest_twisted import ensureDeferred
from twisted.internet.task import Clock

from stacksync.engine.notifier import Notifier
from stacksync.errors import Unavailable
from stacksync.events import Event, ShareProposed, SharesTouched, Unshared, WorkspaceUpdated
from tests.engine.conftest import Listener
from tests.engine.test_notifier import GATHER, A, B, Hints, clock, hints, notifier
from tests.protocols.amqp.builders import proposal, workspace

__all__ = ["clock", "hints", "notifier"]


def shares_of(*account_ids: UUID) -> list[Event]:
    """What can happen to the shares of the first account, and of the others with one."""
    proposed = ShareProposed("r", proposal(), account_ids)
    updated = WorkspaceUpdated(account_ids[0], "r", workspace())
    over = Unshared(account_ids[0], "r", A, 7, "Fotos", B, "Änne", "container", False)
    return [proposed, updated, over]


@pytest.mark.parametrize("event", shares_of(A, B), ids=lambda event: type(event).__name__)
@ensureDeferred
async def test_other_instances_hear_whose_shares_are_others_now(
    notifier: Notifier, hints: Hints, clock: Clock, event: Event
) -> None:
    for _ in range(3):
        await notifier.announce(event)
    assert hints.accounts == []
    clock.advance(GATHER)
    assert hints.accounts == [{A, B} if isinstance(event, ShareProposed) else {A}]
    assert hints.sent == hints.untold == []


@ensureDeferred
async def test_other_instances_hear_of_accounts_whatever_a_front_end_could_do(
    notifier: Notifier, hints: Hints, clock: Clock
) -> None:
    notifier.subscribe(Listener(failure=Unavailable("broker", "away")))
    with pytest.raises(Unavailable):
        await notifier.announce(shares_of(A)[1])
    clock.advance(GATHER)
    assert hints.accounts == [{A}]


@ensureDeferred
async def test_another_instances_account_is_told_and_not_hinted_at_again(
    notifier: Notifier, hints: Hints, clock: Clock
) -> None:
    listener = Listener()
    notifier.subscribe(listener)
    notifier.heard_account(A)
    assert listener.events == [SharesTouched(A)]
    clock.advance(1)
    assert hints.accounts == []


def test_who_leans_on_hints_is_told_when_some_may_be_missing(notifier: Notifier) -> None:
    looked: list[str] = []
    one, other = Listener(), Listener()
    notifier.subscribe(one, lambda: looked.append("one"))
    notifier.subscribe(other)
    notifier.missed()
    assert looked == ["one"]
    notifier.unsubscribe(one)
    notifier.missed()
    assert looked == ["one"]
