"""Checks the tree: live items are in live folders, nothing is in itself, names are unique."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from attrs import define

from stacksync.db.checks import CheckTable, Misplaced, Namesake
from stacksync.db.item_pages import Place
from stacksync.db.known_workspaces import KnownWorkspace
from stacksync.engine.check.findings import Finding, Findings
from stacksync.engine.check.recovery import Recovery
from stacksync.model import ItemStatus


@define
class TreeCheck:
    """Looks through one workspace at a time.

    :param recovery: to repair with; ``None``: only look.
    """

    _table: CheckTable
    _findings: Findings
    _recovery: Recovery | None

    async def check(self, workspace: KnownWorkspace) -> None:
        """Look, and move what is lost to the root under a free name."""
        place = Place()
        seen: set[int] = set()
        while (page := await self._table.misplaced(workspace.id, place)) is not None:
            place, found = page
            for item in found:
                # What could not be moved, and what others have, comes again at the end.
                if item.id not in seen:
                    seen.add(item.id)
                    await self._misplaced(workspace, item)
        await self._cycles(workspace)
        await self._names(workspace)

    async def _misplaced(self, workspace: KnownWorkspace, item: Misplaced) -> None:
        path = await self._table.path(item.id)
        finding = self._finding(
            workspace, "misplaced", item.id, f"{path}: the folder that it is in {item.reason}"
        )
        await self._move(workspace, finding, item.version, item.name, item.is_folder)

    async def _cycles(self, workspace: KnownWorkspace) -> None:
        folders = {each.id: each for each in await self._table.unreached(workspace.id)}
        for cycle in cycles({each.id: each.parent_id for each in folders.values()}):
            path = await self._table.path(cycle[0])
            finding = self._finding(
                workspace,
                "cycle",
                cycle[0],
                f"{path}: it is in itself"
                + (f", by way of {len(cycle)} folders" if len(cycle) > 1 else ""),
            )
            item = folders[cycle[0]]
            await self._move(workspace, finding, item.version, item.name, True)

    async def _move(
        self, workspace: KnownWorkspace, finding: Finding, version: int, name: str, is_folder: bool
    ) -> None:
        if self._recovery is None or finding.item_id is None:
            self._findings.add(finding)
            return
        free, problem = await self._recovery.move_to_root(
            workspace, finding.item_id, version, name, is_folder
        )
        if problem is None:
            self._findings.repaired(finding, f"moved to the root as {free}")
        else:
            self._findings.unrepaired(finding, f"could not be moved to the root: {problem}")

    async def _names(self, workspace: KnownWorkspace) -> None:
        seen: set[int] = set()
        while found := await self._table.namesakes(workspace.id):
            fresh = [item for item in found if item.id not in seen]
            for item in fresh:
                await self._rename(workspace, item)
            seen.update(item.id for item in fresh)
            # What is only looked at, or could not be renamed, would be found for ever.
            if self._recovery is None or not fresh:
                return

    async def _rename(self, workspace: KnownWorkspace, item: Namesake) -> None:
        path = await self._table.path(item.id)
        finding = self._finding(
            workspace, "same-name", item.id, f"{path}: another item in the folder has this name"
        )
        if self._recovery is None:
            self._findings.add(finding)
            return
        free = await self._recovery.free_name(
            workspace, item.parent_id, item.name, item.is_folder, item.id
        )
        problem = await self._recovery.commit(
            workspace, item.id, item.version, ItemStatus.RENAMED, free, item.parent_id
        )
        if problem is None:
            self._findings.repaired(finding, f"renamed to {free}")
        else:
            self._findings.unrepaired(finding, f"could not be renamed: {problem}")

    def _finding(self, workspace: KnownWorkspace, kind: str, item_id: int, message: str) -> Finding:
        return Finding(kind, message, workspace.owner_email, workspace.id, item_id)


def cycles(parents: Mapping[int, int]) -> Iterable[list[int]]:
    """The cycles among items, each with the one of the smallest id first.

    :param parents: items that all are in cycles or below, with the item that each is in.
    """
    settled: set[int] = set()
    for start in sorted(parents):
        walked: dict[int, None] = {}
        item = start
        while item in parents and item not in settled and item not in walked:
            walked[item] = None
            item = parents[item]
        if item in walked:
            ring = list(walked)
            ring = ring[ring.index(item) :]
            smallest = ring.index(min(ring))
            yield ring[smallest:] + ring[:smallest]
        settled.update(walked)
