"""The course of a run: what is measured, in which order, and what comes of it."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from bench.changes import measure_changes
from bench.commits import CommitBenchmark
from bench.content import measure_content
from bench.extent import Extent
from bench.processor import memory
from bench.profiling import read_collapsed
from bench.reference import Reference
from bench.sharing import measure_sharing
from bench.stage import Stage
from bench.users import make_users

USERS = 20
PARTS = ("reference", "amqp", "http", "latency", "batch", "changes", "sharing", "content")
CLIENTS = (1, 8, 32)
FEW = 8
"""Commits in flight, to compare with many."""

Results = dict[str, Any]


def measure(stage: Stage, extent: Extent, parts: set[str]) -> Results:
    """Measure these parts of :data:`PARTS`.

    The plain reference is measured before, between and after the commits, so
    that the ratio suffers less from what else the machine does.
    """
    results: Results = {}
    tell("users")
    readers = make_users(stage, len(extent.changes_sizes), "reader")
    commits = CommitBenchmark(stage, extent, make_users(stage, USERS))
    reference = Reference(stage) if "reference" in parts else None
    if reference is not None:
        results["reference"] = limits(reference, extent)
    for via in ("amqp", "http"):
        if via not in parts:
            continue
        tell(f"commits through {via.upper()}")
        results.setdefault("commits", {})[via] = commits.throughput(via)
        results.setdefault("few commits", {})[via] = commits.throughput(via, in_flight=FEW)
        if reference is not None:
            results["reference"]["plain"].append(reference.plain(extent.reference_again))
    for part, run in (("latency", commits.latency), ("batch", commits.batch)):
        if part in parts:
            tell(part)
            results[part] = {via: run(via) for via in ("amqp", "http")}
    if "changes" in parts:
        tell("changes")
        sizes, samples = extent.changes_sizes, extent.changes_samples
        results["changes"] = measure_changes(stage, readers, sizes, samples)
    results["memory"] = memory(stage.server.pid)
    if "sharing" in parts:
        tell("sharing")
        results["sharing"] = measure_sharing(stage, extent)
    if "content" in parts:
        tell("content")
        (uploader,) = make_users(stage, 1, "uploader")
        results["content"] = measure_content(stage, extent, uploader)
    return results


def limits(reference: Reference, extent: Extent) -> Results:
    """What pgbench reaches, per second."""
    tell("plain transaction by pgbench")
    plain = [reference.plain(extent.reference)]
    tell("commit_items by pgbench")
    seconds = extent.reference
    return {
        "plain": plain,
        "commit_items": {str(n): reference.commit_items(n, seconds) for n in CLIENTS},
        "commit_batch": reference.commit_batch(extent.batch_items, extent.reference_again),
    }


def profile(stage: Stage, extent: Extent, parts: set[str], seconds: float) -> dict[str, str]:
    """Tables of where the server's time goes during commits, by protocol."""
    tell("users")
    commits = CommitBenchmark(stage, extent, make_users(stage, USERS))
    tables: dict[str, str] = {}
    for via in ("amqp", "http"):
        if via not in parts:
            continue
        tell(f"profile of commits through {via.upper()}")
        collapsed: Path = stage.directory / f"{via}.collapsed"
        measured = commits.throughput(via, seconds, collapsed)
        with collapsed.open() as stacks:
            table = read_collapsed(stacks).table()
        tables[via] = f"{via.upper()}, {measured['per_second']:.0f} commits/s\n\n{table}"
    return tables


def tell(what: str) -> None:
    print(f"… {what}", file=sys.stderr, flush=True)
