"""An exchange may close our channel a few times, and not for ever."""

from __future__ import annotations

from twisted.internet.task import Clock

from stacksync.protocols.amqp.spoilt_exchanges import MOST, WITHIN, SpoiltExchanges

TEXT = "404 NOT_FOUND - no exchange 'multi#1' in vhost '/'"


def test_the_one_that_the_broker_names_is_to_blame() -> None:
    spoilt = SpoiltExchanges(Clock())

    assert spoilt.blame(["multi#2", "multi#1"], TEXT) == "multi#1"
    assert spoilt.blame(["multi#2", "multi#11"], TEXT) is None


def test_it_is_barred_when_it_has_closed_the_channel_too_often_until_a_while_has_passed() -> None:
    clock = Clock()
    spoilt = SpoiltExchanges(clock)

    told = []
    for _ in range(MOST):
        spoilt.blame(["multi#1"], TEXT)
        told.append(spoilt.is_barred("multi#1"))
    assert told == [False] * (MOST - 1) + [True]
    assert not spoilt.is_barred("multi#2")

    clock.advance(WITHIN)
    assert not spoilt.is_barred("multi#1")
    spoilt.blame(["multi#1"], TEXT)
    assert not spoilt.is_barred("multi#1")
