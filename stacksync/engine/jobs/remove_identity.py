"""Removes a user of the identity service that we have made, and that has no account any more."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from attrs import frozen
from twisted.logger import Logger

from stacksync.engine.jobs.handler import Tell
from stacksync.model import Job

log = Logger()

RemoveIdentity = Callable[[str], Awaitable[bool]]
"""Removes a user by its id, unless an account has it (again); whether it was removed."""


@frozen
class RemoveIdentityJobs:
    """Does jobs of the kind ``remove-identity``.

    :param remove: ``None``: there is no identity service.
    """

    _remove: RemoveIdentity | None

    async def run(self, job: Job, tell: Tell) -> None:
        """See :class:`~stacksync.engine.jobs.handler.JobHandler`."""
        user_id = job.arguments["user_id"]
        if self._remove is None:
            log.warn(
                "user {user_id} is not removed: no identity service is configured any more",
                user_id=user_id,
            )
        else:
            await self._remove(user_id)
