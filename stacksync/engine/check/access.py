"""Checks that who may reach a container in the store is who takes part in its workspace."""

from __future__ import annotations

from collections.abc import Iterable

from attrs import define

from stacksync.db.container_access import ContainerAccessTable
from stacksync.db.known_workspaces import KnownWorkspace
from stacksync.db.sharing_checks import SharingCheckTable
from stacksync.engine.check.findings import Finding, Findings
from stacksync.errors import ContainerNotFound
from stacksync.interfaces import IAccessControl
from stacksync.model import ContainerAccess

LEFT_TO_A_JOB = "a job was left that puts it right (stacksync-admin jobs list)"


@define
class AccessCheck:
    """Looks at one container at a time.

    :param repairing: leave a job for each one that is not as it should be.
    :ivar waiting: containers that a job is to be done on, which were not looked at.
    """

    _table: SharingCheckTable
    _memberships: ContainerAccessTable
    _access: IAccessControl
    _findings: Findings
    _repairing: bool
    waiting: int = 0

    async def check(self, workspace: KnownWorkspace) -> None:
        """Look.

        :raises Unavailable: the database or the store is away.
        """
        problems = await self._problems(workspace)
        if problems:
            # Somebody may have joined or left between two looks.
            problems = await self._problems(workspace)
        if not problems:
            return
        finding = Finding(
            "access",
            f"container {workspace.container}: {'; '.join(problems)}",
            workspace.owner_email,
            workspace.id,
        )
        if self._repairing:
            await self._table.leave_job(workspace.id, workspace.container)
            self._findings.repaired(finding, LEFT_TO_A_JOB)
        else:
            self._findings.add(finding)

    async def _problems(self, workspace: KnownWorkspace) -> list[str]:
        try:
            actual = await self._access.access(workspace.container)
        except ContainerNotFound:
            actual = None
        found = await self._memberships.of(workspace.id)
        if found is None:
            return []
        if await self._table.is_waiting(workspace.container):
            self.waiting += 1
            return []
        if actual is None:
            return ["it is not there"]
        return await self._differences(actual, found[1])

    async def _differences(self, actual: ContainerAccess, wanted: ContainerAccess) -> list[str]:
        rights = (
            ("read", actual.readers, wanted.readers),
            ("write", actual.writers, wanted.writers),
        )
        problems = []
        for right, has, should in rights:
            if should - has:
                problems.append(f"{await self._named(should - has)} cannot {right} it")
            if has - should:
                problems.append(f"{await self._named(has - should)} can {right} it, and should not")
        if actual.quota is not None and actual.quota != wanted.quota:
            problems.append(f"its quota is {actual.quota} bytes instead of {wanted.quota}")
        return problems

    async def _named(self, identities: Iterable[str]) -> str:
        """E-mails, and the bare ids of those who have no account."""
        ids = sorted(identities)
        emails = await self._table.emails(ids)
        return ", ".join(emails.get(each, f"user {each}") for each in ids)
