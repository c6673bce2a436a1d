"""Closes an account's connections to the broker, so that it asks anew what that may.

What is still open was allowed at a time when the account could do more.  So was
what its queues hear: those that outlive a connection are removed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol
from uuid import UUID

from attrs import define, field
from twisted.logger import Logger

from stacksync.engine.jobs.handler import Tell
from stacksync.interfaces import IBrokerConnections
from stacksync.model import Job

log = Logger()

REASON = "StackSync: what this login may do has changed; log in again"


class KnownDevices(Protocol):
    """Knows what an account's queues may be called by; :mod:`stacksync.db.broker_access` does."""

    async def devices(self, account_id: UUID) -> Sequence[UUID]: ...


FindConnections = Callable[[], IBrokerConnections | None]


@define(eq=False)
class DisconnectJobs:
    """Does jobs of the kind ``disconnect``.

    :param connections: gives who can do it; ``None``: nobody.
    """

    _devices: KnownDevices
    _connections: FindConnections
    _is_told: bool = field(init=False, default=False)

    async def run(self, job: Job, tell: Tell) -> None:
        """See :class:`~stacksync.engine.jobs.handler.JobHandler`."""
        connections = self._connections()
        if connections is None:
            self._tell_once()
            return
        for login in job.arguments["logins"]:
            if login is not None:
                await connections.close(login, REASON)
        account_id = UUID(job.arguments["account_id"])
        ids = [account_id, *await self._devices.devices(account_id)]
        await connections.remove_queues([str(each) for each in ids])

    def _tell_once(self) -> None:
        if not self._is_told:
            self._is_told = True
            log.warn(
                "devices that may do less now keep their connections to the broker until they"
                " end them: amqp.management_url does not say where they can be closed"
            )
