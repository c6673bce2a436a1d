"""The figures that a run is judged by: value, ratio to the limit, target."""

from __future__ import annotations

from collections.abc import Iterator
from statistics import median
from typing import Any

from bench.content_figures import content_figures
from bench.course import Results
from bench.figure import Figure
from bench.sharing_figures import sharing_figures

AMQP_OF_PLAIN = 0.5
HTTP_OF_AMQP = 0.5
MANY_CLIENTS = 0.9
"""Of the rate of 8 clients; a tenth is left to chance."""

MANY_IN_FLIGHT = 0.9
"""Of the rate of few in flight; a tenth is left to chance."""

LATENCY_MS = {"p50": 2.0, "p99": 8.0}
BATCH_MS = 10.0
CHANGES_MS = {"10000": 60.0}
CHANGES_OF_PSQL = 2.0
MEMORY_MB = 100.0


def figures(results: Results) -> list[Figure]:
    """All figures that can be told from what was measured."""
    return [
        *reference_figures(results),
        *commit_figures(results),
        *latency_figures(results),
        *batch_figures(results),
        *changes_figures(results),
        *sharing_figures(results),
        *content_figures(results),
        Figure(
            *("server, resident memory", results["memory"]["now"], "MB"),
            target=f"under {MEMORY_MB:g}",
            met=results["memory"]["now"] < MEMORY_MB,
        ),
        Figure("server, most resident memory", results["memory"]["peak"], "MB"),
    ]


def reference_figures(results: Results) -> Iterator[Figure]:
    reference = results.get("reference")
    if reference is None:
        return
    plain, rates = median(reference["plain"]), reference["commit_items"]
    yield Figure("plain transaction, pgbench, 8 clients", plain, "/s", 1.0, "plain")
    for clients, rate in rates.items():
        name = f"commit_items, pgbench, {clients} client{'s' if clients != '1' else ''}"
        yield Figure(name, rate, "/s", rate / plain, "plain")
    ratio = rates["32"] / rates["8"]
    yield Figure(
        *("commit_items, 32 clients to 8", rates["32"], "/s", ratio, "8 clients"),
        target=f"{MANY_CLIENTS:g}",
        met=ratio >= MANY_CLIENTS,
    )


def commit_figures(results: Results) -> Iterator[Figure]:
    rates = {via: told["per_second"] for via, told in results.get("commits", {}).items()}
    windows = {via: told["window"] for via, told in results.get("commits", {}).items()}
    if "amqp" in rates:
        name = f"commits through AMQP, {windows['amqp']} in flight"
        if "reference" in results:
            ratio = rates["amqp"] / median(results["reference"]["plain"])
            target, met = f"{AMQP_OF_PLAIN:g}, aim 0.75", ratio >= AMQP_OF_PLAIN
            yield Figure(name, rates["amqp"], "/s", ratio, "plain", target, met)
        else:
            yield Figure(name, rates["amqp"], "/s")
    if "http" in rates:
        name = f"commits through HTTP, {windows['http']} connections"
        if "amqp" in rates:
            ratio = rates["http"] / rates["amqp"]
            target, met = f"{HTTP_OF_AMQP:g}", ratio >= HTTP_OF_AMQP
            yield Figure(name, rates["http"], "/s", ratio, "AMQP", target, met)
        else:
            yield Figure(name, rates["http"], "/s")
    for via, told in results.get("few commits", {}).items():
        few, ratio = told["window"], rates[via] / told["per_second"]
        yield Figure(
            f"commits through {via.upper()}, {windows[via]} to {few} at a time",
            *(rates[via], "/s", ratio, f"{few} at a time", f"{MANY_IN_FLIGHT:g}"),
            met=ratio >= MANY_IN_FLIGHT,
        )


def latency_figures(results: Results) -> Iterator[Figure]:
    limit = limit_ms(results, "commit_items", "1")
    ends = {"amqp": "publish to notification", "http": "request to answer"}
    for via, told in results.get("latency", {}).items():
        for mark in ("p50", "p95", "p99"):
            value = told["milliseconds"][mark]
            name = f"one commit, {via.upper()}, {ends[via]}, {mark}"
            most = LATENCY_MS.get(mark) if via == "amqp" else None
            yield below(name, value, limit if mark == "p50" else None, "commit_items", most)


def batch_figures(results: Results) -> Iterator[Figure]:
    limit = limit_ms(results, "commit_batch")
    for via, told in results.get("batch", {}).items():
        name = f"one commit of {told['items']} files, {via.upper()}"
        most = BATCH_MS if via == "amqp" else None
        yield below(name, told["milliseconds"]["p50"], limit, "commit_items", most)


def changes_figures(results: Results) -> Iterator[Figure]:
    for size, told in results.get("changes", {}).items():
        yield Figure(f"changes, {size} items, psql", told["psql"], "ms", 1.0, "psql")
        for via in ("amqp", "http"):
            ratio, most = told[via] / told["psql"], CHANGES_MS.get(size)
            target, met = "", None
            if most is not None:
                target = f"{most:g} ms, {CHANGES_OF_PSQL:g} times psql"
                met = told[via] <= most and ratio <= CHANGES_OF_PSQL
            name = f"changes, {size} items, {via.upper()}"
            yield Figure(name, told[via], "ms", ratio, "psql", target, met)


def limit_ms(results: Results, *path: str) -> float | None:
    """How long a call takes that pgbench makes so often per second with one client."""
    rate: Any = results.get("reference")
    for step in path:
        rate = rate and rate[step]
    return 1000 / rate if rate else None


def below(
    name: str, value: float, limit: float | None, limit_name: str, most: float | None
) -> Figure:
    """A duration that should not be more than so many milliseconds."""
    return Figure(
        *(name, value, "ms"),
        ratio=None if limit is None else value / limit,
        ratio_to="" if limit is None else limit_name,
        target="" if most is None else f"{most:g} ms",
        met=None if most is None else value <= most,
    )
