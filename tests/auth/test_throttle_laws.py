"""What holds however guessers go about it: whom they slow down, and how many guesses they get."""

from __future__ import annotations

from collections.abc import Iterator

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.internet.task import Clock

from stacksync.auth.throttle import (
    BUSY_AFTER_MANY,
    BUSY_PER_TALLY,
    LONGEST_DELAY,
    MANY_FAILURES,
    Throttle,
)
from stacksync.errors import TooManyRequests

OWNER, OTHERS = "owner@example.org", [f"{name}@example.org" for name in "abcd"]
HOME, NEW = "192.0.2.1", "203.0.113.9"
GUESSERS = [f"198.51.100.{host}" for host in range(1, 7)]

guess = st.tuples(st.sampled_from([OWNER, *OTHERS]), st.sampled_from(GUESSERS))
pauses = st.sampled_from([0.0, 0.01, 0.5, 2.0, 8.0, 60.0])
few = settings(max_examples=25, deadline=None)
campaigns = st.lists(st.tuples(guess, pauses), max_size=60)


def guesses(slow: Throttle, clock: Clock, campaign: list[tuple[tuple[str, str], float]]) -> int:
    """Play wrong guesses; how many were checked at all."""
    checked = 0
    for (email, address), pause in campaign:
        checked += try_to_guess(slow, email, address)
        clock.advance(pause)
    return checked


def try_to_guess(slow: Throttle, email: str, address: str) -> bool:
    try:
        slow.failed(slow.admit(email, address))
    except TooManyRequests:
        return False
    return True


@given(campaigns)
def test_who_is_known_is_let_in_at_once_whatever_goes_on_elsewhere(
    campaign: list[tuple[tuple[str, str], float]],
) -> None:
    clock = Clock()
    slow = Throttle(clock, 0.5)
    slow.succeeded(slow.admit(OWNER, HOME))

    guesses(slow, clock, campaign)

    assert slow.knows(OWNER, HOME)
    attempt = slow.admit(OWNER, HOME)
    assert slow.failed(attempt) == 0.5, "and a slip waits as if nobody else were there"
    slow.succeeded(slow.admit(OWNER, NEW, "what was right before"))


@given(campaigns)
def test_nobody_waits_longer_than_the_longest_delay_and_all_places_come_back(
    campaign: list[tuple[tuple[str, str], float]],
) -> None:
    clock = Clock()
    slow = Throttle(clock, 0.5)

    guesses(slow, clock, campaign)
    clock.advance(LONGEST_DELAY)

    assert slow._all.busy == 0
    assert not any(tally.busy for tally in slow._tallies.values())
    slow.succeeded(slow.admit(OWNER, NEW))


@few
@given(st.lists(st.sampled_from(GUESSERS), min_size=1), st.sampled_from([0.1, 0.5]))
def test_however_many_addresses_guess_an_account_gets_few_guesses(
    addresses: list[str], pause: float
) -> None:
    clock = Clock()
    slow = Throttle(clock, 0.5)
    seconds = 300.0
    campaign = [
        ((OWNER, addresses[number % len(addresses)]), pause)
        for number in range(int(seconds / pause))
    ]

    checked = guesses(slow, clock, campaign)

    assert checked <= MANY_FAILURES + 2 * BUSY_PER_TALLY + BUSY_AFTER_MANY * seconds / LONGEST_DELAY


@few
@given(st.lists(st.sampled_from(OTHERS), min_size=1), st.sampled_from([0.1, 0.5]))
def test_however_many_accounts_an_address_guesses_at_it_gets_few_guesses(
    emails: list[str], pause: float
) -> None:
    clock = Clock()
    slow = Throttle(clock, 0.5)
    seconds = 60.0
    campaign = [
        ((emails[number % len(emails)], GUESSERS[0]), pause)
        for number in range(int(seconds / pause))
    ]

    assert guesses(slow, clock, campaign) <= 2 * BUSY_PER_TALLY + BUSY_PER_TALLY * seconds / 8


@few
@given(st.integers(1, 15), st.floats(0.1, 0.9), st.integers(0, 150))
def test_guessers_can_make_an_owner_from_nowhere_known_wait_but_not_for_good(
    networks: int, pace: float, before: int
) -> None:
    clock = Clock()
    slow = Throttle(clock, 0.5)
    for number in range(before):
        if number % 8 == 0:
            clock.advance(LONGEST_DELAY)
        try_to_guess(slow, OWNER, f"10.0.0.{number % networks}")
    attack = crowd(networks)
    asks_again = clock.seconds() + 1.0
    # Each network before him has a turn at the most, and then those who have gone are waited for.
    latest = clock.seconds() + 60.0 + LONGEST_DELAY * (networks + 8) / 2

    while clock.seconds() < latest:
        for _ in range(networks):
            try_to_guess(slow, OWNER, next(attack))
        if clock.seconds() >= asks_again:
            try:
                slow.succeeded(slow.admit(OWNER, NEW))
            except TooManyRequests as refused:
                asks_again = clock.seconds() + refused.retry_after
            else:
                return
        clock.advance(pace)
    raise AssertionError(f"after {latest:g} s still not in")


def crowd(networks: int) -> Iterator[str]:
    while True:
        yield from (f"10.0.0.{number}" for number in range(networks))
