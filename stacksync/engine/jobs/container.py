"""Sees to it that a workspace's container is there and open to its members, and to nobody else."""

from __future__ import annotations

from typing import Protocol
from uuid import UUID

from attrs import frozen

from stacksync.engine.jobs.handler import Tell
from stacksync.errors import ContainerNotFound
from stacksync.interfaces import IAccessControl, IBlobStore
from stacksync.model import ContainerAccess, Job


class WorkspaceAccess(Protocol):
    """What the memberships say; :mod:`stacksync.db.container_access` has it."""

    async def of(self, workspace_id: UUID) -> tuple[str, ContainerAccess] | None: ...


@frozen
class ContainerJobs:
    """Does jobs of the kind ``container``.

    :param access: the store again, if people can reach its containers themselves.
    """

    _table: WorkspaceAccess
    _store: IBlobStore
    _access: IAccessControl | None

    async def run(self, job: Job, tell: Tell) -> None:
        """See :class:`~stacksync.engine.jobs.handler.JobHandler`.

        The container of a workspace that is gone is open to nobody any more.
        """
        found = await self._table.of(UUID(job.arguments["workspace_id"]))
        if found is None:
            await self._close(job.arguments.get("container"))
            return
        container, access = found
        await self._store.create_container(container)
        if self._access is not None:
            await self._access.set_access(container, access)

    async def _close(self, container: str | None) -> None:
        if self._access is None or container is None:
            return
        try:
            await self._access.set_access(
                container, ContainerAccess(readers=frozenset(), writers=frozenset())
            )
        except ContainerNotFound:
            pass
