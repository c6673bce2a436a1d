"""Notes the steps that a program of ours takes, and kills it at one of them.

In the program's process (:mod:`tests.servers.nursery`).  Every step goes through a method that
is wrapped here from outside: the product knows nothing of it.  A step is what
changes something that outlives the process: a statement or transaction, a
request to Keystone or to the store, a message.  What only reads is none, for to
be killed before it is to be killed after the step before.

The directory is where test and program meet (:mod:`tests.servers.doomed`).
``order.json`` is read anew at every step; its steps are counted from the
moment that it names another story.
"""

from __future__ import annotations

import json
import os
import re
import signal
from collections import Counter
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

ORDER = "order.json"

Method = Callable[..., Coroutine[Any, Any, Any]]
Naming = Callable[..., str | None]

BACKGROUND = {
    "remove expired tokens",
    *("claim jobs", "send hints", "renew claims", "release jobs", "health check"),
    *("write audit", "prune audit"),
}
"""Statements that come when it is time for them, whatever a story does."""

FINISH = "statement finish job"

READING = {"list workspaces"}
"""Transactions that only read."""

HARMLESS = {"GET", "HEAD", "OPTIONS"}

IDENTITY = re.compile(r"[0-9a-f]{32,}")


class Steps:
    """Counts steps, writes down their names, and ends the process at the one that is ordered.

    :ivar job: the kind of job that is being done, one at a time.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._story = ""
        self._taken: Counter[str] = Counter()
        self.job = ""

    def before(self, name: str) -> int:
        """A step begins; the how manieth of its name it is."""
        order = self._order()
        if order is None:
            return 0
        self._taken[name] += 1
        with (self._directory / f"{self._story}.steps").open("a") as file:
            file.write(f"{name}\n")
        number = self._taken[name]
        self._die_if(order, name, number, "before")
        return number

    def after(self, name: str, number: int) -> None:
        """A step has succeeded."""
        order = self._order()
        if order is not None:
            self._die_if(order, name, number, "after")

    def _order(self) -> dict[str, Any] | None:
        try:
            order: dict[str, Any] = json.loads((self._directory / ORDER).read_text())
        except FileNotFoundError:
            return None
        if order["story"] != self._story:
            self._story = order["story"]
            self._taken.clear()
        return order

    def _die_if(self, order: dict[str, Any], name: str, number: int, moment: str) -> None:
        here = {"name": name, "number": number, "moment": moment}
        if order["deadly"] == here:
            os.kill(os.getpid(), signal.SIGKILL)


def watched(steps: Steps, owner: type, method: str, naming: Naming) -> None:
    """Make calls of a method steps.

    :param naming: the step's name from the arguments; ``None``: this call is none.
    """
    original: Method = getattr(owner, method)

    async def step(*arguments: Any, **options: Any) -> Any:
        action = naming(*arguments, **options)
        if action is None:
            return await original(*arguments, **options)
        name = f"{steps.job}: {action}" if steps.job else action
        number = steps.before(name)
        result = await original(*arguments, **options)
        steps.after(name, number)
        if action == FINISH:
            steps.job = ""
        return result

    setattr(owner, method, step)


def watch_all(steps: Steps) -> None:
    """Wrap whatever the steps of provisioning and sharing go through."""
    from stacksync.db.database import Database
    from stacksync.db.jobs import JobTable
    from stacksync.protocols.amqp.notifications import Notifications
    from stacksync.storage.keystone import Keystone
    from stacksync.storage.swift.client import SwiftClient

    watched(steps, Database, "transaction", transaction)
    watched(steps, Database, "query", statement)
    watched(steps, Keystone, "request", keystone_request)
    watched(steps, SwiftClient, "ask", swift_request)
    watched(steps, Notifications, "announce", announcement)
    claim: Method = JobTable.claim

    async def claimed(*arguments: Any, **options: Any) -> Any:
        jobs = await claim(*arguments, **options)
        # How often there was nothing to be claimed is a matter of luck.
        for job in jobs:
            steps.job = str(job.kind)
            steps.after(f"{job.kind}: claim", steps.before(f"{job.kind}: claim"))
        return jobs

    setattr(JobTable, "claim", claimed)  # noqa: B010


def transaction(database: Any, label: str, *_: Any, **__: Any) -> str | None:
    return None if label in BACKGROUND | READING else f"transaction {label}"


def statement(
    database: Any, label: str, sql: Any, *_: Any, repeatable: bool = False, **__: Any
) -> str | None:
    only_reads = repeatable and str(sql).lstrip().startswith("SELECT")
    return None if label in BACKGROUND or only_reads else f"statement {label}"


def keystone_request(keystone: Any, method: str, path: str, **_: Any) -> str | None:
    return None if method in HARMLESS else f"keystone {method} {IDENTITY.sub('ID', path)}"


def swift_request(client: Any, request: Any, *_: Any, **__: Any) -> str | None:
    if request.method in HARMLESS:
        return None
    return f"swift {request.method} {'object' if request.path.count('/') > 1 else 'container'}"


def announcement(sink: Any, event: Any) -> str | None:
    kind = type(event).__name__
    # What is not repeated by a job is only a hint, and comes when there is time.
    return f"broker {kind}" if kind in ("ShareProposed", "Unshared", "WorkspaceUpdated") else None


def watch(directory: Path) -> None:
    """Note the steps of this process, and die of them, as ordered in a directory."""
    watch_all(Steps(directory))
