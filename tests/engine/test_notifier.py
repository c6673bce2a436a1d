"""What happened is told to every front-end once it is sure, and hinted at to other instances."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from uuid import UUID

import pytest
from pytest_twisted import ensureDeferred
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.logger import LogLevel
from zope.interface import implementer

from stacksync.engine.notifier import REMEMBERED, Notifier
from stacksync.errors import Unavailable
from stacksync.events import Committed, Event, WorkspaceTouched
from stacksync.interfaces import IEventSink
from stacksync.model import CommitResult, ItemOutcome, Refusal
from tests.db.observation import CapturedLog
from tests.engine.conftest import Listener

A, B = UUID(int=1), UUID(int=2)
GATHER = 0.015


class Hints:
    """The other instances."""

    def __init__(self) -> None:
        self.sent: list[dict[UUID, int]] = []
        self.untold: list[dict[UUID, int]] = []
        self.accounts: list[set[UUID]] = []
        self.failure: Exception | None = None

    async def send(self, revisions: Mapping[UUID, int], *, told: bool) -> None:
        if self.failure is not None:
            raise self.failure
        (self.sent if told else self.untold).append(dict(revisions))

    async def send_accounts(self, account_ids: Collection[UUID]) -> None:
        if self.failure is not None:
            raise self.failure
        self.accounts.append(set(account_ids))


@implementer(IEventSink)
class Slow:
    """A front-end that takes its time."""

    name = "slow"

    def __init__(self) -> None:
        self.telling: list[Deferred[None]] = []

    async def announce(self, event: Event) -> None:
        self.telling.append(Deferred())
        await self.telling[-1]


@pytest.fixture
def clock() -> Clock:
    clock = Clock()
    clock.advance(1000)
    return clock


@pytest.fixture
def hints() -> Hints:
    return Hints()


@pytest.fixture
def notifier(clock: Clock, hints: Hints) -> Notifier:
    return Notifier(clock, hints, GATHER)


def commit(workspace_id: UUID, revision: int, refusal: Refusal | None = None) -> Committed:
    return Committed(
        CommitResult(
            workspace_id=workspace_id,
            request_id="r",
            device_id=UUID(int=3),
            revision=revision,
            outcomes=(ItemOutcome(refusal, None, None),),
            quota_limit=1,
            quota_used=0,
        )
    )


def announcing(notifier: Notifier, event: Event) -> Deferred[None]:
    return Deferred.fromCoroutine(notifier.announce(event))


@ensureDeferred
async def test_every_front_end_hears_it_until_it_leaves(notifier: Notifier) -> None:
    one, other = Listener(), Listener()
    await notifier.announce(commit(A, 1))
    notifier.subscribe(one)
    await notifier.announce(commit(A, 2))
    notifier.subscribe(other)
    await notifier.announce(commit(A, 3))
    notifier.unsubscribe(one)
    notifier.unsubscribe(one)
    await notifier.announce(commit(A, 4))
    assert [result.revision for result in one.results] == [2, 3]
    assert [result.revision for result in other.results] == [3, 4]


@ensureDeferred
async def test_it_is_announced_when_the_slowest_has_told_it(
    notifier: Notifier, hints: Hints, clock: Clock
) -> None:
    slow = Slow()
    for sinks, sink in enumerate((slow, Listener()), start=1):
        notifier.subscribe(sink)
        telling = announcing(notifier, commit(A, sinks))
        clock.advance(1)
        assert not telling.called
        assert hints.sent == [{A: 1}][: sinks - 1]
        slow.telling[-1].callback(None)
        await telling
        assert notifier.announced(A) == sinks
        clock.advance(1)
    assert hints.sent == [{A: 1}, {A: 2}]


@ensureDeferred
async def test_who_cannot_tell_it_is_an_error_after_all_others_have(
    notifier: Notifier, hints: Hints, clock: Clock
) -> None:
    broken, slow, well = Listener(failure=Unavailable("broker", "away")), Slow(), Listener()
    for sink in (broken, slow, well):
        notifier.subscribe(sink)
    telling = announcing(notifier, commit(A, 1))
    assert well.results
    assert not telling.called
    slow.telling[0].callback(None)
    with pytest.raises(Unavailable, match="broker: away"):
        await telling
    assert notifier.announced(A) is None
    clock.advance(1)
    assert hints.sent == []


@ensureDeferred
async def test_what_is_announced_later_is_nobodys_error(
    notifier: Notifier, logged: CapturedLog
) -> None:
    listener = Listener(failure=Unavailable("broker", "away"))
    notifier.subscribe(listener)
    notifier.announce_later(commit(A, 1))
    assert logged.lines(LogLevel.info) == ["not announced now: broker: away"]
    assert not logged.errors
    listener.failure = ZeroDivisionError("a mistake of ours")
    notifier.announce_later(commit(A, 1))
    assert len(logged.errors) == 1
    listener.failure = None
    notifier.announce_later(commit(A, 2))
    assert [result.revision for result in listener.results] == [2]


@ensureDeferred
async def test_hints_are_gathered_and_sent_once_with_the_newest_revisions(
    notifier: Notifier, hints: Hints, clock: Clock
) -> None:
    for workspace_id, revision in ((A, 1), (A, 3), (B, 1), (A, 2)):
        await notifier.announce(commit(workspace_id, revision))
    clock.advance(GATHER - 0.001)
    assert hints.sent == []
    clock.advance(0.001)
    assert hints.sent == [{A: 3, B: 1}]
    await notifier.announce(commit(B, 2))
    clock.advance(GATHER)
    assert hints.sent == [{A: 3, B: 1}, {B: 2}]
    clock.advance(10)
    assert len(hints.sent) == 2


@ensureDeferred
async def test_there_is_no_hint_of_what_changed_nothing(
    notifier: Notifier, hints: Hints, clock: Clock
) -> None:
    listener = Listener()
    notifier.subscribe(listener)
    await notifier.announce(commit(A, 5, Refusal.STALE))
    clock.advance(1)
    assert len(listener.results) == 1
    assert hints.sent == []
    assert notifier.announced(A) is None


@ensureDeferred
async def test_hints_that_cannot_be_sent_are_a_line_in_the_log(
    notifier: Notifier, hints: Hints, clock: Clock, logged: CapturedLog
) -> None:
    hints.failure = Unavailable("database", "away")
    await notifier.announce(commit(A, 1))
    clock.advance(GATHER)
    assert logged.lines(LogLevel.info) == ["hints not sent: database: away"]
    hints.failure = None
    await notifier.announce(commit(A, 2))
    clock.advance(GATHER)
    assert hints.sent == [{A: 2}]
    assert not logged.errors


@ensureDeferred
async def test_another_instances_hint_is_told_and_not_hinted_at_again(
    notifier: Notifier, hints: Hints, clock: Clock
) -> None:
    listener = Listener()
    notifier.subscribe(listener)
    notifier.heard(A, 7, told=True)
    assert listener.events == [WorkspaceTouched(A, 7)]
    assert notifier.announced(A) == 7
    clock.advance(1)
    assert hints.sent == hints.untold == []


@ensureDeferred
async def test_a_hint_of_what_not_everybody_knows_is_told_and_left_to_the_sweep(
    notifier: Notifier,
) -> None:
    listener = Listener()
    notifier.subscribe(listener)
    notifier.heard(A, 7, told=False)
    assert listener.events == [WorkspaceTouched(A, 7)]
    assert notifier.announced(A) is None


@ensureDeferred
async def test_other_instances_hear_of_what_a_front_end_could_not_tell(
    notifier: Notifier, hints: Hints, clock: Clock
) -> None:
    failing = Slow()
    notifier.subscribe(failing)
    announced = announcing(notifier, commit(A, 3))
    failing.telling[0].errback(Unavailable("broker", "not connected"))
    with pytest.raises(Unavailable, match="not connected"):
        await announced
    clock.advance(GATHER)
    assert (hints.sent, hints.untold) == ([], [{A: 3}])
    assert notifier.announced(A) is None


def test_the_newest_announced_revision_is_remembered_for_a_while(
    notifier: Notifier, clock: Clock
) -> None:
    notifier.remember(A, 5)
    notifier.remember(A, 3)
    notifier.remember(B, 1)
    assert (notifier.announced(A), notifier.announced(B)) == (5, 1)
    clock.advance(REMEMBERED - 1)
    notifier.remember(B, 2)
    notifier.forget_old()
    assert (notifier.announced(A), notifier.announced(B)) == (5, 2)
    clock.advance(2)
    notifier.forget_old()
    assert (notifier.announced(A), notifier.announced(B)) == (None, 2)


@ensureDeferred
async def test_a_stopped_notifier_leaves_no_timer(notifier: Notifier, clock: Clock) -> None:
    await notifier.announce(commit(A, 1))
    notifier.stop()
    notifier.stop()
    assert clock.getDelayedCalls() == []
