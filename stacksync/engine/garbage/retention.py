"""How much of the past is kept; forgets the rest.

The rule (``docs/operations.rst``, *What is kept*): an earlier version goes when
``keep_versions`` newer ones, or more, are there, or when it was superseded more
than ``keep_days`` ago; the newest version stays, and so does whatever is
younger than a day.  A deleted item goes, with all its versions, when it was
deleted more than ``keep_days`` ago.  What is in the store is not touched here.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Protocol

from attrs import define, evolve, field, frozen

from stacksync.db.item_pages import Place
from stacksync.db.known_workspaces import KnownWorkspace
from stacksync.db.retention import Limits, RetentionTable
from stacksync.engine.upkeep import Progress

REPEATED = timedelta(days=1)
"""So long a device may repeat a request whose answer it did not hear: the versions answer it."""


class RetentionSettings(Protocol):
    """What the operator wants to be kept; ``stacksync.config`` has it."""

    @property
    def keep_versions(self) -> int: ...
    @property
    def keep_days(self) -> int: ...


@frozen
class Forgotten:
    """How much of a workspace's past went, or would go."""

    versions: int = 0
    items: int = 0
    uploads: int = 0

    def __bool__(self) -> bool:
        return bool(self.versions or self.items or self.uploads)


@define
class Retention:
    """Forgets what is too old, in steps that no commit has to wait long for.

    :param repeated: versions that are younger than this stay whatever the settings say.
    """

    _table: RetentionTable
    _settings: RetentionSettings
    _progress: Progress
    _repeated: timedelta = REPEATED
    so_far: Forgotten = field(factory=Forgotten, init=False)
    """What has gone of the workspace that is, or was last, looked at."""

    async def limits(self) -> Limits:
        """What is too old now."""
        now = await self._table.now()
        days = self._settings.keep_days
        return Limits(
            now=now,
            versions=self._settings.keep_versions,
            horizon=now - timedelta(days=days) if days else None,
            repeated=now - self._repeated,
        )

    async def apply(
        self, workspace: KnownWorkspace, limits: Limits, *, dry_run: bool = False
    ) -> Forgotten:
        """Forget what is too old in a workspace, or with ``dry_run`` only count it.

        :raises Unavailable: the database is away; what was forgotten is forgotten.
        """
        self.so_far = Forgotten()
        if limits.versions or limits.horizon is not None:
            await self._prune(workspace, limits, dry_run)
        if limits.horizon is not None:
            await self._purge(workspace, limits, dry_run)
        uploads = await self._table.forget_uploads(workspace.id, limits, dry_run=dry_run)
        self.so_far = evolve(self.so_far, uploads=uploads)
        if not dry_run:
            await self._table.forget_answers(workspace.id, limits)
        return self.so_far

    async def _prune(self, workspace: KnownWorkspace, limits: Limits, dry_run: bool) -> None:
        place = Place()
        while True:
            self._tell(workspace, f"looking at versions, {self.so_far.versions} too old")
            page = await self._table.prune(
                workspace.id, workspace.latest_revision, limits, place, dry_run=dry_run
            )
            if page is None:
                return
            versions, place = page
            self.so_far = evolve(self.so_far, versions=self.so_far.versions + versions)

    async def _purge(self, workspace: KnownWorkspace, limits: Limits, dry_run: bool) -> None:
        if dry_run:
            items = await self._table.purgeable(workspace.id, limits)
            self.so_far = evolve(self.so_far, items=items)
            return
        while (more := await self._table.purge(workspace.id, limits)) is not None:
            self.so_far = evolve(self.so_far, items=self.so_far.items + more)
            self._tell(workspace, f"{self.so_far.items} deleted items forgotten")
        while await self._table.forget_departed(workspace.id, limits):
            self._tell(workspace, "what has left it long ago is forgotten")

    def _tell(self, workspace: KnownWorkspace, doing: str) -> None:
        self._progress(f"{workspace.owner_email}: {doing}")
