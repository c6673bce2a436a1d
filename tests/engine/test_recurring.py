"""What is done again and again goes on whatever happens in a turn, until it is stopped."""

from __future__ import annotations

from twisted.internet.task import Clock
from twisted.logger import LogLevel

from stacksync.engine.recurring import Recurring
from stacksync.errors import Unavailable
from tests.db.observation import CapturedLog


class Turns:
    """Counts its turns; each may be made to fail."""

    count = 0
    failure: Exception | None = None

    async def turn(self) -> None:
        self.count += 1
        if self.failure is not None:
            raise self.failure


def recurring(clock: Clock, turns: Turns) -> Recurring:
    return Recurring(clock, "tea", 10.0, turns.turn)


def test_a_turn_comes_every_so_often_until_it_is_stopped() -> None:
    clock, turns = Clock(), Turns()
    tea = recurring(clock, turns)
    tea.stop()  # there is nothing yet
    tea.start()
    assert turns.count == 0
    for count in (1, 2, 3):
        clock.advance(10)
        assert turns.count == count

    tea.stop()
    clock.pump([10, 10])

    assert turns.count == 3
    assert not clock.getDelayedCalls()


def test_the_first_turn_may_come_at_once() -> None:
    turns = Turns()

    recurring(Clock(), turns).start(now=True)

    assert turns.count == 1


def test_who_wants_one_soon_has_the_next_an_interval_later() -> None:
    clock, turns = Clock(), Turns()
    tea = recurring(clock, turns)
    tea.soon()
    assert turns.count == 0, "it does not run yet"
    tea.start()
    clock.advance(9)
    tea.soon()
    assert turns.count == 1
    clock.advance(9)
    assert turns.count == 1
    clock.advance(1)
    assert turns.count == 2


def test_a_turn_that_fails_is_told_and_the_next_one_comes(logged: CapturedLog) -> None:
    clock, turns = Clock(), Turns()
    recurring(clock, turns).start()
    turns.failure = Unavailable("database", "away")
    clock.advance(10)
    assert "tea: database: away" in logged.lines(LogLevel.debug)
    assert not logged.errors

    turns.failure = ZeroDivisionError("a mistake of ours")
    clock.advance(10)
    assert len(logged.errors) == 1

    turns.failure = None
    clock.advance(10)
    assert turns.count == 3
