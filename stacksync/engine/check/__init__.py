"""The check of everything: tree, versions, quotas, shares, chunks; the repair of what can be.

Only the operator runs it; the service may run meanwhile.  A repair is made of
transactions of their own, so it may be ended at any moment.
"""

from __future__ import annotations

from typing import Any, cast

from attrs import define, field

from stacksync.db.checks import CheckTable
from stacksync.db.chunk_checks import ChunkCheckTable
from stacksync.db.chunk_copies import ChunkCopyTable
from stacksync.db.commits import CommitTable
from stacksync.db.container_access import ContainerAccessTable
from stacksync.db.database import Database
from stacksync.db.known_workspaces import known_workspaces
from stacksync.db.repairs import RepairTable
from stacksync.db.session import Session, alone, opened
from stacksync.db.sharing_checks import SharingCheckTable
from stacksync.engine.check.access import AccessCheck
from stacksync.engine.check.chunks import ChunkCheck
from stacksync.engine.check.findings import Finding, Findings
from stacksync.engine.check.quota import QuotaCheck
from stacksync.engine.check.recovery import Recovery
from stacksync.engine.check.sharing import SharingCheck
from stacksync.engine.check.tree import TreeCheck
from stacksync.engine.check.versions import VersionCheck, VersionRepair
from stacksync.engine.content.fallback import FallbackStore
from stacksync.engine.content.threads import ContentThreads
from stacksync.engine.devices import Devices
from stacksync.engine.upkeep import Progress, nobody_watches
from stacksync.interfaces import IAccessControl, IBlobStore

__all__ = ["Check", "Finding", "Findings"]


@define
class Check:
    """One check of everything.

    :param devices: for the device that repairs are committed by.
    :param repair: put right what can be put right.
    :param content: read every chunk; without it, only see whether they are there.
    :ivar findings: what was found so far.
    :ivar notes: what is no fault, but worth knowing.
    :ivar workspaces: how many were looked through.
    """

    _reactor: Any
    _database: Database
    _store: IBlobStore
    _threads: ContentThreads
    _devices: Devices
    _repair: bool = False
    _content: bool = True
    _progress: Progress = nobody_watches
    findings: Findings = field(factory=Findings, init=False)
    notes: list[str] = field(factory=list, init=False)
    workspaces: int = field(default=0, init=False)
    chunks: int = field(default=0, init=False)
    bytes: int = field(default=0, init=False)

    async def run(self) -> None:
        """Look through everything.

        :raises Conflict: with ``repair``: another repair or collection is under way.
        :raises Unavailable: the database or the store is away.
        """
        begin = alone if self._repair else opened
        async with begin(self._reactor, self._database.dsn) as session:
            table = CheckTable(session)
            await self._look_through(session, table)
            uploads, doomed, copies = await table.leftovers()
            if uploads:
                self.notes.append(f"{uploads} expired uploads are left for gc to remove")
            if doomed:
                self.notes.append(f"{doomed} chunks are on the list of a gc that was interrupted")
            if copies:
                self.notes.append(f"{copies} chunks are still to be copied")

    async def _look_through(self, session: Session, table: CheckTable) -> None:
        repairs = RepairTable(session) if self._repair else None
        recovery = None
        versions_repair = None
        if repairs is not None:
            recovery = Recovery(repairs, CommitTable(self._database), self._devices)
            versions_repair = VersionRepair(repairs, recovery)
        versions = VersionCheck(table, self.findings, versions_repair, self._progress)
        tree = TreeCheck(table, self.findings, recovery)
        sharing = SharingCheck(SharingCheckTable(session), self.findings)
        # What comes back takes part in the rest of the check.
        await versions.check_missing()
        async for workspace in known_workspaces(session):
            await versions.check(workspace)
            self._progress(f"{workspace.owner_email}: looking at the tree")
            await tree.check(workspace)
            await sharing.check(workspace)
        await QuotaCheck(table, self.findings, repairs, self._progress).check()
        chunks = ChunkCheck(
            ChunkCheckTable(session),
            table,
            FallbackStore(self._store, ChunkCopyTable(self._database)),
            self._threads,
            self.findings,
            self._progress,
            self._content,
            self._repair,
        )
        await self._look_at_access(session)
        async for workspace in known_workspaces(session):
            try:
                await chunks.check(workspace)
            finally:
                self.chunks, self.bytes = chunks.chunks, chunks.bytes
            self.workspaces += 1

    async def _look_at_access(self, session: Session) -> None:
        access = cast("IAccessControl | None", IAccessControl(self._store, None))
        if access is None:
            return
        check = AccessCheck(
            SharingCheckTable(session),
            ContainerAccessTable(self._database),
            access,
            self.findings,
            self._repair,
        )
        async for workspace in known_workspaces(session):
            self._progress(f"{workspace.owner_email}: looking who may reach the container")
            await check.check(workspace)
        if check.waiting:
            self.notes.append(f"{check.waiting} containers wait for a job and were not looked at")
