"""The limit: what the database does when nothing but pgbench asks it.

Twice: a plain transaction that writes the same data as a plain application
would, and our commit function.  In a database of its own on the same server.
"""

from __future__ import annotations

import re
from pathlib import Path

from bench.client_programs import ProgramFailed, run_program
from bench.stage import Stage
from stacksync.db.migrations import migrate

DATABASE = "reference"
HERE = Path(__file__).parent
THREADS = 2

_PER_SECOND = re.compile(r"^tps = ([\d.]+)", re.MULTILINE)
_FAILED = re.compile(r"^number of failed transactions: ([1-9]\d*)", re.MULTILINE)


class Reference:
    """The database that pgbench works on, made when this is."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        stage.execute(f"CREATE DATABASE {DATABASE}")
        migrate(stage.cluster.url(DATABASE))
        stage.execute((HERE / "reference.sql").read_text(), DATABASE)

    def plain(self, seconds: float) -> float:
        """Plain transactions per second, of 8 clients."""
        return self._pgbench("plain.pgbench", 8, seconds)

    def commit_items(self, clients: int, seconds: float) -> float:
        """Calls of ``commit_items`` per second, one new file of four chunks each."""
        return self._pgbench("commit_items.pgbench", clients, seconds)

    def commit_batch(self, items: int, seconds: float) -> float:
        """Calls of ``commit_items`` per second with so many new files each, of one client."""
        return self._pgbench("commit_batch.pgbench", 1, seconds, f"--define=items={items}")

    def _pgbench(self, script: str, clients: int, seconds: float, *more: str) -> float:
        self._stage.settle()
        options = ["--protocol=prepared", "--no-vacuum", f"--client={clients}"]
        options += [f"--jobs={min(clients, THREADS)}", f"--time={max(1, round(seconds))}", *more]
        told = run_program(
            self._stage, DATABASE, "pgbench", *options, f"--file={HERE / script}", seconds=seconds
        )
        found = _PER_SECOND.search(told)
        if found is None or _FAILED.search(told):
            raise ProgramFailed(f"pgbench did not count what we wanted:\n{told}")
        return float(found[1])
