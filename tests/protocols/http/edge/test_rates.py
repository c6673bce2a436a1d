"""Token buckets: what they let through, and how much they remember."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from twisted.internet.task import Clock

from stacksync.errors import TooManyRequests
from stacksync.protocols.http.edge import rates
from stacksync.protocols.http.edge.rates import Buckets


def buckets(clock: Any, rate: int = 10, burst: int = 5) -> Buckets:
    return Buckets(clock, rate, burst, "from this address")


def taken(found: Buckets, name: str = "a", tries: int = 1) -> int:
    """How many of so many tries succeed."""
    count = 0
    for _ in range(tries):
        try:
            found.take(name)
        except TooManyRequests:
            continue
        count += 1
    return count


def test_a_full_bucket_has_the_burst_and_fills_at_the_rate() -> None:
    clock = Clock()
    found = buckets(clock)

    assert taken(found, tries=20) == 5
    clock.advance(0.31)
    assert taken(found, tries=20) == 3
    clock.advance(1000)
    assert taken(found, tries=20) == 5


def test_who_is_refused_is_told_when_to_come_again() -> None:
    clock = Clock()
    found = buckets(clock, rate=4, burst=2)
    taken(found, tries=2)
    clock.advance(0.1)

    with pytest.raises(TooManyRequests, match="too many requests from this address: 4") as refused:
        found.take("a")

    assert refused.value.retry_after == pytest.approx(0.15, abs=0.001)
    clock.advance(0.148)
    assert not taken(found)
    clock.advance(0.003)
    assert taken(found)


def test_everybody_has_a_bucket_of_their_own() -> None:
    found = buckets(Clock(), burst=1)

    assert [taken(found, name, 3) for name in "abc"] == [1, 1, 1]


def test_a_rate_of_nought_refuses_nobody_and_keeps_nothing() -> None:
    found = buckets(Clock(), rate=0)

    assert taken(found, tries=1000) == 1000
    assert len(found) == 0


def test_of_too_many_buckets_those_go_that_were_asked_least_lately(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(rates, "BUCKETS_MAX", 3)
    found = buckets(Clock(), burst=1)
    for name in "abc":
        found.take(name)
    assert not taken(found, "a")

    found.take("d")

    assert len(found) == 3
    assert not taken(found, "a")
    assert taken(found, "b")


@given(
    st.integers(1, 50),
    st.integers(1, 20),
    st.lists(st.tuples(st.floats(0, 2, width=32), st.integers(1, 30)), max_size=30),
)
def test_never_more_than_the_burst_and_the_rate_since_any_moment(
    rate: int, burst: int, asked: list[tuple[float, int]]
) -> None:
    clock = Clock()
    found = buckets(clock, rate, burst)
    let_through: list[float] = []
    for pause, tries in asked:
        clock.advance(pause)
        before = len(let_through)
        let_through += [clock.seconds()] * taken(found, tries=tries)
        # Who kept to the rate is never refused.
        if tries <= pause * rate - 1e-6:
            assert len(let_through) - before >= min(tries, burst)
    for place, began in enumerate(let_through):
        for count, moment in enumerate(let_through[place:], start=1):
            assert count <= burst + rate * (moment - began) + 2 * rates.ROUNDING
