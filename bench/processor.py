"""Processor time that each part has used, what the rest of the machine did, and memory."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from time import perf_counter

import psutil
from attrs import frozen


@frozen
class Usage:
    """Seconds of processor time so far, at one moment."""

    at: float
    parts: Mapping[str, float]
    idle: float
    stolen: float

    @classmethod
    def now(cls, process_ids: Mapping[str, int]) -> Usage:
        """:param process_ids: the root process of each part, by name."""
        machine = psutil.cpu_times()
        return cls(
            at=perf_counter(),
            parts={name: used(process_id) for name, process_id in process_ids.items()},
            idle=machine.idle + machine.iowait,
            stolen=machine.steal,
        )

    def cores_since(self, earlier: Usage) -> dict[str, float]:
        """How many cores each part kept busy, and where the machine's other ones were.

        ``others`` is what was neither ours nor idle nor stolen by the hypervisor:
        a large figure means that the measurement had company.
        """
        took = self.at - earlier.at
        cores = {
            name: (seconds - earlier.parts[name]) / took for name, seconds in self.parts.items()
        }
        ours = sum(cores.values())
        cores["idle"] = (self.idle - earlier.idle) / took
        cores["stolen"] = (self.stolen - earlier.stolen) / took
        rest = (os.cpu_count() or 1) - ours - cores["idle"] - cores["stolen"]
        cores["others"] = max(0.0, rest)
        return cores


def used(process_id: int) -> float:
    """Seconds of a process, of what it started, and of what of that has ended."""
    root = psutil.Process(process_id)
    total = 0.0
    for process in (root, *root.children(recursive=True)):
        try:
            times = process.cpu_times()
        except psutil.NoSuchProcess:
            continue
        total += times.user + times.system + times.children_user + times.children_system
    return total


def memory(process_id: int) -> dict[str, float]:
    """Resident memory now and at its highest, in MB (2^20 bytes)."""
    status = Path(f"/proc/{process_id}/status").read_text().splitlines()
    kilobytes = {name: value.split() for name, _, value in (x.partition(":") for x in status)}
    return {"now": int(kilobytes["VmRSS"][0]) / 1024, "peak": int(kilobytes["VmHWM"][0]) / 1024}


def reset_peak(process_id: int) -> None:
    """Let the highest resident memory count from now on (proc(5), ``clear_refs``)."""
    Path(f"/proc/{process_id}/clear_refs").write_text("5")
