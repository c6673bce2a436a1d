"""Checks the history: each item is what its newest version says, at a revision that was reached."""

from __future__ import annotations

from attrs import define, frozen

from stacksync.db.checks import CheckTable, Different
from stacksync.db.item_pages import Place
from stacksync.db.known_workspaces import KnownWorkspace
from stacksync.db.repairs import RepairTable
from stacksync.engine.check.findings import Finding, Findings
from stacksync.engine.check.recovery import Recovery
from stacksync.engine.upkeep import Progress
from stacksync.model import ItemStatus


@frozen
class VersionRepair:
    """What to repair with."""

    table: RepairTable
    recovery: Recovery


@define
class VersionCheck:
    """Looks through one workspace at a time, and then for what is not in any.

    :param repair: ``None``: only look.
    """

    _table: CheckTable
    _findings: Findings
    _repair: VersionRepair | None
    _progress: Progress

    async def check(self, workspace: KnownWorkspace) -> None:
        """Look, and restore what is not its newest version."""
        place = Place()
        seen: set[int] = set()
        while (page := await self._table.different(workspace.id, place)) is not None:
            place, found = page
            self._progress(
                f"{workspace.owner_email}: looking at items, up to revision {place.revision}"
                f" of {workspace.latest_revision}"
            )
            for item in found:
                # What was repaired has moved to the end of the pages.
                if item.id not in seen:
                    seen.add(item.id)
                    await self._different(workspace, item)
        await self._revision(workspace)

    async def check_missing(self) -> None:
        """Look for items that are gone though there are versions of them."""
        after = 0
        while found := await self._table.without_item(after):
            for item_id, workspace in found:
                finding = Finding(
                    "missing-item",
                    f"item {item_id} is missing, but there are versions of it",
                    workspace.owner_email,
                    workspace.id,
                    item_id,
                )
                await self._restore(workspace, finding, item_id)
            after = found[-1][0]

    async def _different(self, workspace: KnownWorkspace, item: Different) -> None:
        path = await self._table.path(item.id)
        if item.newest is not None and item.newest >= item.version:
            finding = Finding(
                "not-newest-version",
                f"{path}: it is not what its newest version, {item.newest}, says",
                workspace.owner_email,
                workspace.id,
                item.id,
                item.newest,
            )
            await self._restore(workspace, finding, item.id)
            return
        finding = Finding(
            "missing-version",
            f"{path}: its newest version, {item.version}, is not in its history",
            workspace.owner_email,
            workspace.id,
            item.id,
            item.version,
        )
        if self._repair is None:
            self._findings.add(finding)
        else:
            await self._repair.table.record(workspace.id, item.id)
            self._findings.repaired(finding, "written into it")

    async def _restore(self, workspace: KnownWorkspace, finding: Finding, item_id: int) -> None:
        newest = await self._repair.table.newest(item_id) if self._repair is not None else None
        if self._repair is None or newest is None:
            self._findings.add(finding)
            return
        table, recovery = self._repair.table, self._repair.recovery
        name, status = newest.name, ItemStatus.CHANGED
        if newest.is_deleted:
            await table.restore(workspace.id, item_id, name)
            self._findings.repaired(finding, "restored from that version")
            return
        if await table.is_taken(workspace.id, newest.parent_id, name, item_id):
            status = ItemStatus.RENAMED
            name = await recovery.free_name(
                workspace, newest.parent_id, name, newest.is_folder, item_id
            )
        await table.restore(workspace.id, item_id, name)
        # A version of its own, for devices that were told something else.
        problem = await recovery.commit(
            workspace, item_id, newest.version, status, name, newest.parent_id
        )
        outcome = f"restored from version {newest.version}"
        outcome += f" as {name}" if status is ItemStatus.RENAMED else ""
        outcome += f"; devices may not hear of it ({problem})" if problem is not None else ""
        self._findings.repaired(finding, outcome)

    async def _revision(self, workspace: KnownWorkspace) -> None:
        latest, reached = await self._table.revisions(workspace.id)
        if reached <= latest:
            return
        finding = Finding(
            "revision-ahead",
            f"an item is at revision {reached}, but the workspace only at {latest}",
            workspace.owner_email,
            workspace.id,
        )
        if self._repair is None:
            self._findings.add(finding)
        else:
            await self._repair.table.raise_revision(workspace.id)
            self._findings.repaired(finding, f"the workspace is at {reached} now")
