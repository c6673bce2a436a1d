"""A run as tables on the terminal, and as JSON that is kept."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from attrs import asdict

from bench.course import Results
from bench.figure import Figure

RESULTS = Path(__file__).parent / "results"
PARTS = ("server", "broker", "database", "driver")
COMPANY_CORES = 0.15
"""How much of a core others may use before the report says that the figures suffered."""


def table(rows: Sequence[Sequence[str]], right: frozenset[int] = frozenset()) -> str:
    """Aligned columns under a header; the columns in ``right`` are set to the right."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    header, *others = [
        "  ".join(
            text.rjust(width) if column in right else text.ljust(width)
            for column, (text, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]
    return "\n".join([header, "  ".join("-" * width for width in widths), *others])


def number(value: float | None) -> str:
    """As many digits as mean something."""
    if value is None:
        return ""
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def figure_table(figures: Sequence[Figure]) -> str:
    words = {True: "met", False: "NOT MET", None: ""}
    rows = [("", "value", "unit", "ratio", "to", "target", "")]
    rows += [
        (
            *(figure.name, number(figure.value), figure.unit, number(figure.ratio)),
            *(figure.ratio_to, figure.target, words[figure.met]),
        )
        for figure in figures
    ]
    return table(rows, frozenset({1, 3}))


def processor_table(results: Results) -> str | None:
    """What a commit costs each part, and what the machine did meanwhile."""
    measured = {
        f"{'one commit' if part == 'latency' else part} through {via.upper()}": told
        for part in ("commits", "latency", "batch")
        for via, told in results.get(part, {}).items()
    }
    if not measured:
        return None
    machine = ("idle", "stolen", "others")
    rows = [
        ("processor time", *(f"{part}, µs" for part in PARTS), *(f"{m}, cores" for m in machine))
    ]
    rows += [
        (
            name,
            *(f"{told['processor_microseconds_each'][part]:,.0f}" for part in PARTS),
            *(f"{told['cores'][other]:.2f}" for other in machine),
        )
        for name, told in measured.items()
    ]
    return table(rows, frozenset(range(1, len(rows[0]))))


def warnings(machine: dict[str, Any], results: Results) -> list[str]:
    """What makes the figures less than they seem."""
    told = []
    measured = [one for part in ("commits", "latency") for one in results.get(part, {}).values()]
    company = max((one["cores"]["others"] + one["cores"]["stolen"] for one in measured), default=0)
    if company > COMPANY_CORES:
        told.append(
            f"The machine was not ours alone: others kept up to {company:.1f} cores busy. "
            "Ratios of throughput bear that, times don't."
        )
    if machine["file_system"] in ("tmpfs", "ramfs"):
        told.append("The database was in memory: flushing cost nothing.")
    return told


def machine_line(machine: dict[str, Any]) -> str:
    return (
        f"{machine['cores']} cores, {machine['processor']}, {machine['memory_gb']:g} GB, "
        f"{machine['file_system']}; Python {machine['python']}, "
        f"PostgreSQL {machine['postgresql']}, RabbitMQ {machine['rabbitmq']}"
    )


def text(machine: dict[str, Any], results: Results, figures: Sequence[Figure]) -> str:
    parts = [machine_line(machine), figure_table(figures), processor_table(results)]
    return "\n\n".join([*(part for part in parts if part), *warnings(machine, results)])


def keep(
    path: Path, name: str, machine: dict[str, Any], results: Results, figures: Sequence[Figure]
) -> None:
    """Write everything as JSON."""
    told = {
        "measured_at": datetime.now().astimezone().isoformat(timespec="seconds"),
        "extent": name,
        "machine": machine,
        "figures": [asdict(figure) for figure in figures],
        "results": results,
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(told, indent=2, ensure_ascii=False) + "\n")


def default_path(name: str, suffix: str = ".json") -> Path:
    """Where a run is kept: ``bench/results/2026-11-21-1130-full.json``."""
    return RESULTS / f"{datetime.now():%Y-%m-%d-%H%M}-{name}{suffix}"
