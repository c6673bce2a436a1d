"""Every request is counted once, and percentiles are of the values that came."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.ledger import Ledger, milliseconds, percentile


def test_a_request_that_ends_is_timed() -> None:
    ledger = Ledger(measuring=True)
    ledger.begun(b"one", 10.0)
    assert ledger.ended(b"one", 10.5, as_wished=True)
    assert ledger.durations == [0.5]
    assert not any(ledger.faults.values())


def test_a_request_that_ends_twice_is_a_stray() -> None:
    ledger = Ledger(measuring=True)
    ledger.begun(b"one", 10.0)
    ledger.ended(b"one", 10.5, as_wished=True)
    assert not ledger.ended(b"one", 10.6, as_wished=True)
    assert ledger.faults == {"missing": 0, "strays": 1, "refused": 0}
    assert len(ledger.durations) == 1


def test_a_request_that_never_ends_is_missing() -> None:
    ledger = Ledger()
    ledger.begun(b"one", 10.0)
    assert ledger.faults["missing"] == 1


def test_a_refusal_is_told() -> None:
    ledger = Ledger()
    ledger.begun(b"one", 10.0)
    ledger.ended(b"one", 10.5, as_wished=False)
    assert ledger.faults == {"missing": 0, "strays": 0, "refused": 1}


def test_the_warm_up_is_not_timed() -> None:
    ledger = Ledger()
    ledger.begun(b"one", 10.0)
    ledger.ended(b"one", 10.5, as_wished=True)
    assert ledger.durations == []


def test_percentiles_are_values_that_came() -> None:
    values = [float(n) for n in range(100, 0, -1)]
    assert [percentile(values, part) for part in (0.5, 0.95, 0.99, 1.0)] == [50, 95, 99, 100]


@given(st.lists(st.floats(0, 1e6), min_size=1), st.floats(0.001, 1.0))
def test_at_least_that_part_is_not_above_the_percentile(values: list[float], part: float) -> None:
    found = percentile(values, part)
    assert found in values
    assert sum(value <= found for value in values) >= part * len(values)


def test_there_is_no_percentile_of_nothing() -> None:
    with pytest.raises(ValueError, match="no values"):
        percentile([], 0.5)


def test_seconds_become_milliseconds() -> None:
    assert milliseconds([0.001, 0.003]) == {
        "p50": 1.0,
        "p95": 3.0,
        "p99": 3.0,
        "max": 3.0,
        "samples": 2,
    }
