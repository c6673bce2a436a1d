"""Targets are judged as they are written down."""

from __future__ import annotations

from typing import Any

import pytest

from bench.figure import Figure
from bench.figures import figures

MEMORY = {"memory": {"now": 80.0, "peak": 120.0}}
REFERENCE = {
    "plain": [3900.0, 4000.0, 4400.0],
    "commit_items": {"1": 1000.0, "8": 4800.0, "32": 4700.0},
    "commit_batch": 200.0,
}


def judged(**results: Any) -> dict[str, Figure]:
    return {figure.name: figure for figure in figures(MEMORY | results)}


def commits(rate: float) -> dict[str, Any]:
    return {"per_second": rate, "window": 64}


@pytest.mark.parametrize(("rate", "met"), [(2000.0, True), (1999.0, False)])
def test_amqp_is_compared_with_the_middle_one_of_the_references(rate: float, met: bool) -> None:
    told = judged(reference=REFERENCE, commits={"amqp": commits(rate)})
    figure = told["commits through AMQP, 64 in flight"]
    assert figure.ratio == rate / 4000
    assert figure.met is met


@pytest.mark.parametrize(("rate", "met"), [(1000.0, True), (999.0, False)])
def test_http_is_compared_with_amqp(rate: float, met: bool) -> None:
    told = judged(commits={"amqp": commits(2000.0), "http": commits(rate)})
    assert told["commits through HTTP, 64 connections"].met is met


@pytest.mark.parametrize(("rate", "met"), [(900.0, True), (899.0, False)])
def test_many_in_flight_are_compared_with_few(rate: float, met: bool) -> None:
    few = {"per_second": 1000.0, "window": 8}
    told = judged(**{"commits": {"amqp": commits(rate)}, "few commits": {"amqp": few}})
    figure = told["commits through AMQP, 64 to 8 at a time"]
    assert (figure.ratio, figure.met) == (rate / 1000.0, met)


def test_without_the_reference_there_is_no_verdict() -> None:
    figure = judged(commits={"amqp": commits(2000.0)})["commits through AMQP, 64 in flight"]
    assert (figure.ratio, figure.met) == (None, None)


@pytest.mark.parametrize(("p99", "met"), [(8.0, True), (8.1, False)])
def test_latency_has_a_most(p99: float, met: bool) -> None:
    told = judged(latency={"amqp": {"milliseconds": {"p50": 1.5, "p95": 4.0, "p99": p99}}})
    assert told["one commit, AMQP, publish to notification, p50"].met
    assert told["one commit, AMQP, publish to notification, p99"].met is met


def test_a_large_commit_is_compared_with_the_function_alone() -> None:
    batch = {"amqp": {"milliseconds": {"p50": 9.0}, "items": 100}}
    figure = judged(reference=REFERENCE, batch=batch)["one commit of 100 files, AMQP"]
    assert figure.ratio == pytest.approx(9.0 / 5.0)
    assert figure.met


@pytest.mark.parametrize(
    ("amqp", "psql", "met"), [(59.0, 30.0, True), (61.0, 40.0, False), (50.0, 20.0, False)]
)
def test_changes_have_a_most_and_a_ratio(amqp: float, psql: float, met: bool) -> None:
    told = judged(changes={"10000": {"amqp": amqp, "http": 1.0, "psql": psql}})
    assert told["changes, 10000 items, AMQP"].met is met


def test_smaller_workspaces_have_no_target() -> None:
    told = judged(changes={"100": {"amqp": 9.0, "http": 1.0, "psql": 1.0}})
    assert told["changes, 100 items, AMQP"].met is None
