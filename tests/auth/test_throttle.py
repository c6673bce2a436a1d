"""Guessers are slowed down; who knows the password is not."""

from __future__ import annotations

from contextlib import suppress

import pytest
from twisted.internet.task import Clock

from stacksync.auth import throttle
from stacksync.auth.throttle import Throttle
from stacksync.errors import TooManyRequests

ANNA = "anna@example.org"
HOME = "192.0.2.1"
ELSEWHERE = "198.51.100.7"


@pytest.fixture
def slow(clock: Clock) -> Throttle:
    return Throttle(clock, 0.5)


def fail(slow: Throttle, email: str = ANNA, address: str = HOME) -> float:
    return slow.failed(slow.admit(email, address))


def test_each_failure_waits_twice_as_long_as_the_last_up_to_a_limit(
    slow: Throttle, clock: Clock
) -> None:
    delays = []
    for _ in range(7):
        delays.append(fail(slow))
        clock.advance(delays[-1])

    assert delays == [0.5, 1, 2, 4, 8, 8, 8]


def test_thousands_of_failures_wait_no_longer(slow: Throttle, clock: Clock) -> None:
    for _ in range(3000):
        clock.advance(fail(slow))

    assert fail(slow) == 8


def test_failures_of_one_account_from_many_addresses_add_up(slow: Throttle) -> None:
    delays = [fail(slow, address=f"192.0.2.{host}") for host in range(4)]

    assert delays == [0.5, 1, 2, 4]


def test_failures_from_one_address_at_many_accounts_add_up(slow: Throttle) -> None:
    delays = [fail(slow, email=f"{name}@example.org") for name in "abcd"]

    assert delays == [0.5, 1, 2, 4]


def test_the_case_of_an_e_mail_makes_no_other_account(slow: Throttle) -> None:
    fail(slow, ANNA, HOME)

    assert fail(slow, ANNA.upper(), ELSEWHERE) == 1


def test_old_failures_are_forgotten(slow: Throttle, clock: Clock) -> None:
    for _ in range(5):
        clock.advance(fail(slow))
    clock.advance(throttle.FORGET_AFTER + 1)

    assert fail(slow) == 0.5


def test_many_guesses_at_once_are_refused_before_they_are_checked(slow: Throttle) -> None:
    attempts = [slow.admit(ANNA, HOME) for _ in range(throttle.BUSY_PER_TALLY)]
    with pytest.raises(TooManyRequests):
        slow.admit(ANNA, HOME)
    for attempt in attempts:
        slow.failed(attempt)

    with pytest.raises(TooManyRequests) as refused:
        slow.admit(ANNA, HOME)

    assert refused.value.retry_after == 8


def test_hanging_up_does_not_free_a_place_but_time_does(slow: Throttle, clock: Clock) -> None:
    for _ in range(throttle.BUSY_PER_TALLY):
        fail(slow)
    clock.advance(0.4)
    with pytest.raises(TooManyRequests):
        slow.admit(ANNA, HOME)
    clock.advance(0.2)

    slow.admit(ANNA, HOME)


def test_an_address_without_failures_may_try_many_accounts_at_once(slow: Throttle) -> None:
    """An office behind one address, all clients starting at the same time."""
    attempts = [slow.admit(f"{number}@example.org", HOME) for number in range(100)]

    for attempt in attempts:
        slow.succeeded(attempt)


def test_an_attack_from_elsewhere_does_not_keep_the_owner_out(slow: Throttle) -> None:
    slow.succeeded(slow.admit(ANNA, HOME))
    for _ in range(throttle.BUSY_PER_TALLY):
        fail(slow, address=ELSEWHERE)
    with pytest.raises(TooManyRequests):
        slow.admit(ANNA, ELSEWHERE)

    attempt = slow.admit(ANNA, HOME)
    assert slow.failed(attempt) == 0.5, "and a slip of the owner's counts for itself"


def test_an_owner_from_a_new_place_gets_in_once_a_failure_is_waited_out(
    slow: Throttle, clock: Clock
) -> None:
    for _ in range(throttle.BUSY_PER_TALLY):
        fail(slow, address=ELSEWHERE)
    with pytest.raises(TooManyRequests):
        slow.admit(ANNA, HOME)
    clock.advance(8)

    slow.succeeded(slow.admit(ANNA, HOME))


def test_a_known_address_is_slowed_down_as_well_when_it_guesses(
    slow: Throttle, clock: Clock
) -> None:
    slow.succeeded(slow.admit(ANNA, HOME))
    delays = [fail(slow) for _ in range(throttle.BUSY_PER_TALLY)]

    assert delays == [0.5, 1, 2, 4, 8, 8, 8, 8]
    with pytest.raises(TooManyRequests):
        slow.admit(ANNA, HOME)


def test_a_success_forgives_the_failures_of_a_known_address(slow: Throttle, clock: Clock) -> None:
    slow.succeeded(slow.admit(ANNA, HOME))
    for _ in range(3):
        clock.advance(fail(slow))
    slow.succeeded(slow.admit(ANNA, HOME))

    assert fail(slow) == 0.5


def test_an_own_account_does_not_wash_an_address_clean(slow: Throttle, clock: Clock) -> None:
    for name in "abcd":
        clock.advance(fail(slow, email=f"{name}@example.org"))
    slow.succeeded(slow.admit("guesser@example.org", HOME))

    assert fail(slow, email="e@example.org") == 8


def test_an_attempt_that_could_not_be_checked_counts_as_nothing(slow: Throttle) -> None:
    for _ in range(100):
        slow.abandoned(slow.admit(ANNA, HOME))

    assert fail(slow) == 0.5


def test_the_waiting_failures_of_all_are_bounded(
    slow: Throttle, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(throttle, "BUSY_MAX", 20)
    slow.succeeded(slow.admit(ANNA, HOME))
    for number in range(20):
        fail(slow, f"{number}@example.org", f"192.0.2.{number + 10}")

    with pytest.raises(TooManyRequests):
        slow.admit("new@example.org", ELSEWHERE)
    slow.succeeded(slow.admit(ANNA, HOME))
    clock.advance(8)
    slow.admit("new@example.org", ELSEWHERE)


def test_who_guesses_from_a_thousand_networks_keeps_nobody_else_out_for_good(
    slow: Throttle, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(throttle, "BUSY_MAX", 16)
    again = 30.0
    for second in range(90):
        for number in range(40):
            with suppress(TooManyRequests):
                fail(slow, f"{second}.{number}@example.org", f"2001:db8:1:{number}::1")
        if second >= again:
            try:
                slow.succeeded(slow.admit(ANNA, ELSEWHERE))
                break
            except TooManyRequests as error:
                again = second + error.retry_after
        clock.advance(1)

    assert slow.knows(ANNA, ELSEWHERE)


def test_no_way_to_write_an_e_mail_makes_another_account(slow: Throttle) -> None:
    # PostgreSQL takes the last of them for an i.
    ways = enumerate("iI\N{LATIN CAPITAL LETTER I WITH DOT ABOVE}")

    assert [fail(slow, f"m{i}m{i}@x.org", f"192.0.2.{n}") for n, i in ways] == [0.5, 1, 2]


def test_what_is_remembered_is_bounded(
    slow: Throttle, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(throttle, "TALLIES_MAX", 50)
    for number in range(500):
        clock.advance(fail(slow, f"{number}@example.org", f"192.0.{number // 250}.{number % 250}"))
        slow.succeeded(slow.admit(f"{number}@example.com", "203.0.113.9"))
    fail(slow, "x" * 100_000, HOME)

    assert len(slow._tallies) == 50
    assert len(slow._pairs) == 50
    assert max(len(name) for _, name in slow._tallies) == throttle.EMAIL_KEPT


def test_after_many_failures_the_pace_goes_down_but_not_to_nothing(
    slow: Throttle, clock: Clock
) -> None:
    for _ in range(throttle.MANY_FAILURES):
        clock.advance(fail(slow, address=ELSEWHERE))
    attempts = [slow.admit(ANNA, ELSEWHERE) for _ in range(throttle.BUSY_AFTER_MANY)]
    with pytest.raises(TooManyRequests):
        slow.admit(ANNA, ELSEWHERE)
    for attempt in attempts:
        slow.abandoned(attempt)

    slow.succeeded(slow.admit(ANNA, HOME))


def test_what_was_right_before_waits_behind_nobody_wherever_it_comes_from(slow: Throttle) -> None:
    for host in range(throttle.BUSY_PER_TALLY):
        fail(slow, address=f"192.0.2.{host}")
    with pytest.raises(TooManyRequests):
        slow.admit(ANNA, "203.0.113.1")

    slow.succeeded(slow.admit(ANNA, "203.0.113.1", "proof"))


def test_what_was_right_before_and_is_no_more_is_a_guess_like_any_other(
    slow: Throttle, clock: Clock
) -> None:
    fail(slow)
    assert slow.failed(slow.admit(ANNA, ELSEWHERE, "proof")) == 1
    clock.advance(8)
    assert fail(slow) == 2
    assert slow.knows(ANNA, ELSEWHERE) is False


def test_a_proof_can_be_checked_a_few_times_at_once_only(slow: Throttle) -> None:
    for _ in range(throttle.BUSY_PER_TALLY):
        slow.admit(ANNA, HOME, "proof")
    with pytest.raises(TooManyRequests):
        slow.admit(ANNA, ELSEWHERE, "proof")


def test_an_account_with_many_addresses_makes_nobody_else_s_be_forgotten(slow: Throttle) -> None:
    slow.succeeded(slow.admit(ANNA, HOME))
    for number in range(2 * throttle.TALLIES_MAX // 100):
        address = f"2001:db8:0:{number:x}::1"
        slow.succeeded(slow.admit("guesser@example.org", address, "own password"))

    assert slow.knows(ANNA, HOME)
    assert len(slow._pairs["guesser@example.org"]) == throttle.PAIRS_PER_ACCOUNT
