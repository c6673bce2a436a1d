"""Announces what an instance has committed but could not announce any more.

Looks now and then at the workspaces touched lately: a revision that no
instance is known to have announced is announced.
"""

from __future__ import annotations

from typing import Any

from twisted.logger import Logger

from stacksync.db.commits import CommitTable
from stacksync.db.workspaces import WorkspaceTable
from stacksync.engine.notifier import Notifier
from stacksync.engine.recurring import Recurring
from stacksync.events import Committed

log = Logger()

GRACE = 2.0
"""Seconds that a commit's own instance has to announce it."""

OVERLAP = 60.0
"""Seconds looked back beyond the last sweep that succeeded."""


class Sweep:
    """Runs every ``interval`` seconds."""

    def __init__(
        self,
        reactor: Any,
        workspaces: WorkspaceTable,
        commits: CommitTable,
        notifier: Notifier,
        interval: float,
    ) -> None:
        self._reactor = reactor
        self._workspaces = workspaces
        self._commits = commits
        self._notifier = notifier
        self._last_success = reactor.seconds()
        self._recurring = Recurring(reactor, "sweep", interval, self._turn)

    def start(self) -> None:
        self._recurring.start()

    def stop(self) -> None:
        self._recurring.stop()

    def soon(self) -> None:
        """Sweep at once: hints of other instances may have been missed."""
        self._recurring.soon()

    async def sweep(self) -> int:
        """Announce what nobody has; how many workspaces that were.

        :raises Unavailable: the database or a front-end is away.
        """
        started = self._reactor.seconds()
        oldest = started - self._last_success + OVERLAP
        behind = 0
        for workspace_id, revision in await self._workspaces.committed_between(oldest, GRACE):
            announced = self._notifier.announced(workspace_id)
            if announced is None:
                announced = revision - 1
            if announced >= revision:
                continue
            behind += 1
            told = announced
            for result in await self._commits.results_since(workspace_id, announced):
                await self._notifier.announce(Committed(result))
                told = max(told, result.revision)
            if told < revision:
                # Its items of that revision have gone elsewhere, or have changed since.
                self._notifier.touched(workspace_id, revision)
        self._last_success = started
        self._notifier.forget_old()
        return behind

    async def _turn(self) -> None:
        behind = await self.sweep()
        if behind:
            log.info("sweep: announced the latest of {behind} workspaces", behind=behind)
