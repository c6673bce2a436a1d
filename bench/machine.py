"""What the figures were measured on, without saying whose machine it is."""

from __future__ import annotations

import os
import platform
import re
from pathlib import Path
from typing import Any

import psutil

from bench.client_programs import run_program
from bench.stage import Stage

_RABBITMQ = re.compile(r"RabbitMQ (\d+\.\d+\.\d+)")


def describe(stage: Stage) -> dict[str, Any]:
    """Processor, memory, file system and versions; for the report and the JSON."""
    version = run_program(stage, "stacksync", "postgres", "--version")
    log = _RABBITMQ.search(stage.node.log.read_text(errors="replace"))
    return {
        "cores": os.cpu_count(),
        "processor": processor(),
        "memory_gb": round(psutil.virtual_memory().total / 1024**3, 1),
        "file_system": file_system(stage.directory),
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "postgresql": version.split()[-1],
        "rabbitmq": log[1] if log else None,
        "load_before": os.getloadavg()[0],
    }


def processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        name, _, value = line.partition(":")
        if name.strip() == "model name":
            return value.strip()
    return platform.machine()


def file_system(path: Path) -> str | None:
    """Of the directory that the database is in: on ``tmpfs`` nothing is ever flushed."""
    found: tuple[int, str | None] = (0, None)
    for partition in psutil.disk_partitions(all=True):
        if path.is_relative_to(partition.mountpoint):
            found = max(found, (len(partition.mountpoint), partition.fstype))
    return found[1]
