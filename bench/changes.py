"""Listing what is in a workspace, through both protocols and by psql alone."""

from __future__ import annotations

import re
from collections.abc import Sequence
from contextlib import closing
from statistics import median
from typing import Any

import psycopg2
from attrs import asdict

from bench.client_programs import ProgramFailed, run_program
from bench.driver import Measured, run_driver
from bench.stage import Stage
from bench.users import User, ask
from bench.wire import MODIFIED, chunk_names
from stacksync.db.items import changes_statement
from stacksync.protocols.amqp.methods.changes import SHAPE

FILES_PER_FOLDER = 9
ITEMS_PER_COMMIT = 1000
DRIVER_SECONDS = 120.0
PSQL_SECONDS = 60.0

_TIME = re.compile(r"^Time: ([\d.]+) ms", re.MULTILINE)


def measure_changes(
    stage: Stage, readers: Sequence[User], sizes: Sequence[int], samples: int
) -> dict[str, Measured]:
    """Milliseconds to list workspaces of these sizes: median of ``samples``, by size.

    Each size has a reader, whose workspace is empty so far.

    ``amqp`` is ``getChanges``, ``http`` ``/changes?since=0``, ``psql`` the
    SELECT of the former with its output thrown away.
    """
    return {
        str(size): measure(stage, reader, size, samples)
        for reader, size in zip(readers, sizes, strict=True)
    }


def measure(stage: Stage, user: User, size: int, samples: int) -> Measured:
    fill(stage, user, size)
    stage.execute("VACUUM ANALYZE item")
    job = {
        "user": asdict(user),
        "amqp_url": stage.amqp_url,
        "http_port": int(stage.server.http_url.rpartition(":")[2]),
        "size": size,
        "samples": samples,
    }
    by_psql = psql_times(stage, user, samples)
    measured = run_driver("changes_driver", job, DRIVER_SECONDS)
    return {**measured, "psql": median(by_psql)}


def fill(stage: Stage, user: User, size: int) -> None:
    """Commit so many items: folders with nine files each."""
    for start in range(0, size, ITEMS_PER_COMMIT):
        items = [tree_item(number) for number in range(start, min(size, start + ITEMS_PER_COMMIT))]
        path = f"/api/workspaces/{user.workspace_id}/commits"
        answer = ask(
            *(stage.server.http_url, user, "POST", path),
            {"device_id": user.device_id, "items": items},
        )
        refused = [outcome for outcome in answer["items"] if not outcome["committed"]]
        if refused:
            raise RuntimeError(f"an item of the workspace to list was refused: {refused[0]}")


def tree_item(number: int) -> dict[str, Any]:
    """An item of a commit that starts with a folder."""
    place = number % (FILES_PER_FOLDER + 1)
    common = {"version": 1, "status": "NEW", "modified_at": MODIFIED}
    if place == 0:
        name = f"folder {number}"
        return common | {"temp_id": -1 - number, "filename": name, "is_folder": True}
    return common | {
        "parent_id": -1 - (number - place),
        "filename": f"document {number}.txt",
        "is_folder": False,
        "size": 4096 * place,
        "checksum": 3_141_592_653,
        "mimetype": "text/plain",
        "chunks": chunk_names((place - 1) % 8 + 1),
    }


def psql_times(stage: Stage, user: User, samples: int) -> list[float]:
    """Milliseconds that psql takes for the SELECT of ``getChanges``, rows thrown away."""
    with closing(psycopg2.connect(stage.cluster.url())) as connection:
        arguments = {"workspace": user.workspace_id, "since": None}
        statement = connection.cursor().mogrify(changes_statement(SHAPE), arguments).decode()
    script = "\\timing on\n" + f"{statement};\n" * (samples + 1)
    told = run_program(
        *(stage, "stacksync", "psql", "--no-psqlrc", "--quiet", "--output=/dev/null"),
        text=script,
        seconds=PSQL_SECONDS,
    )
    _, *times = [float(found) for found in _TIME.findall(told)]
    if len(times) != samples:
        raise ProgramFailed(f"psql told {len(times)} times instead of {samples}: {told[:200]}")
    return times
