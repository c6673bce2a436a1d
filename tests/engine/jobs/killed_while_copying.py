"""A process that does copy jobs and stops in the middle of one, to be killed there.

Run with the database's URL, the store's directory and how many chunks to copy
before it says ``in the middle`` and copies no more.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from attrs import evolve
from twisted.internet import reactor
from twisted.internet.defer import Deferred

from stacksync.config import Config, DatabaseConfig
from stacksync.db.chunk_copies import ChunkCopyTable
from stacksync.db.database import Database
from stacksync.db.jobs import JobTable
from stacksync.engine.jobs import Jobs
from stacksync.engine.jobs.copy import CopyJobs
from stacksync.metrics import Metrics
from stacksync.model import JobKind
from stacksync.storage import DiskStore


def main(url: str, root: str, most: int) -> None:
    database = Database(reactor, DatabaseConfig(url=url))
    database.start()
    store = DiskStore(reactor, Path(root))
    store.start()
    copied = 0
    copy = store.copy

    async def counted(*arguments: Any) -> Any:
        nonlocal copied
        copied += 1
        if copied > most:
            if copied == most + 1:
                print("in the middle", flush=True)
            await Deferred()
        return await copy(*arguments)

    store.copy = counted  # type: ignore[method-assign]
    metrics = Metrics()
    handler = CopyJobs(ChunkCopyTable(database), store, 4, metrics)
    settings = evolve(Config().jobs, poll=0.05)
    jobs = Jobs(reactor, JobTable(database), {JobKind.COPY: handler}, settings, metrics)
    jobs.start()
    reactor.run()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
