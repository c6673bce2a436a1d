"""The tables are aligned, and say what was missed and what spoilt the figures."""

from __future__ import annotations

import json
from pathlib import Path

from bench.figure import Figure
from bench.report import figure_table, keep, number, table, warnings

MACHINE = {"file_system": "ext4"}


def test_columns_are_aligned() -> None:
    told = table([("", "value"), ("short", "1"), ("much longer", "1,000")], frozenset({1}))
    assert told.splitlines() == [
        "             value",
        "-----------  -----",
        "short            1",
        "much longer  1,000",
    ]


def test_a_missed_target_is_seen() -> None:
    told = figure_table([Figure("p50", 3.0, "ms", target="2 ms", met=False)])
    assert told.endswith("NOT MET")


def test_numbers_have_three_digits_that_mean_something() -> None:
    assert [number(n) for n in (4210.4, 12.34, 0.567, None)] == ["4,210", "12.3", "0.57", ""]


def test_company_is_told() -> None:
    busy = {"commits": {"amqp": {"cores": {"others": 1.2, "stolen": 0.1}}}}
    quiet = {"commits": {"amqp": {"cores": {"others": 0.02, "stolen": 0.0}}}}
    assert "1.3 cores" in warnings(MACHINE, busy)[0]
    assert warnings(MACHINE, quiet) == []


def test_a_database_in_memory_is_told() -> None:
    assert "in memory" in warnings({"file_system": "tmpfs"}, {})[0]


def test_what_is_kept_can_be_read(tmp_path: Path) -> None:
    path = tmp_path / "results" / "run.json"
    keep(path, "full", MACHINE, {"memory": {}}, [Figure("p50", 3.0, "ms")])
    kept = json.loads(path.read_text())
    assert kept["figures"][0]["name"] == "p50"
    assert kept["machine"] == MACHINE
