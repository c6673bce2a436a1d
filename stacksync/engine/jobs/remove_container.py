"""Removes a container that no workspace has and that nobody needs anything of any more."""

from __future__ import annotations

from attrs import frozen

from stacksync.db.chunk_copies import ChunkCopyTable
from stacksync.engine.jobs.handler import Tell
from stacksync.errors import Conflict
from stacksync.interfaces import IBlobStore
from stacksync.model import Job


@frozen
class RemoveContainerJobs:
    """Does jobs of the kind ``remove-container``.

    No workspace can get the container meanwhile: each has one by its own id.
    """

    _table: ChunkCopyTable
    _store: IBlobStore

    async def run(self, job: Job, tell: Tell) -> None:
        """See :class:`~stacksync.engine.jobs.handler.JobHandler`.

        :raises Conflict: the container is needed still.
        """
        container = job.arguments["container"]
        owner = await self._table.workspace_with(container)
        if owner is not None:
            raise Conflict(f"container {container} is not removed: workspace {owner} has it")
        owed = await self._table.owed(container)
        if owed:
            raise Conflict(
                f"container {container} is not removed yet: {owed} chunks are still to be copied"
                " out of it"
            )
        await self._store.delete_container(container)
        await self._table.forget(container)
