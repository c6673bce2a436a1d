"""Tells devices on the broker what happened: ``notifyCommit``, ``notifyUpdateWorkspace``.

A workspace's fanout exchange reaches the devices of all its members, a user's
those of one (contracts/objectmq.md, *Notifications*).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any
from uuid import UUID

from twisted.logger import Logger
from zope.interface import implementer

from stacksync.errors import Unavailable
from stacksync.events import Committed, Event, WorkspaceUpdated
from stacksync.interfaces import IEventSink
from stacksync.protocols.amqp.items import commit_notification
from stacksync.protocols.amqp.messages import encode_notification
from stacksync.protocols.amqp.publisher import MessageRefused, Publisher

log = Logger()


@implementer(IEventSink)
class Notifications:
    """The sink that publishes to the broker.

    :param publisher: gives the publisher of the present connection, if there is one.
    """

    name = "AMQP"

    def __init__(self, publisher: Callable[[], Publisher | None]) -> None:
        self._publisher = publisher

    async def announce(self, event: Event) -> None:
        """See :meth:`stacksync.interfaces.IEventSink.announce`."""
        if isinstance(event, Committed):
            result = event.result
            parameter = commit_notification(result)
            await self._notify(result.workspace_id, result.request_id, "notifyCommit", parameter)
        elif isinstance(event, WorkspaceUpdated):
            workspace = event.workspace
            parameter = {
                "requestId": event.request_id,
                "workspaceId": workspace.id,
                "folderName": workspace.name,
                "parentItemId": workspace.parent_item_id,
            }
            await self._notify(
                event.account_id, event.request_id, "notifyUpdateWorkspace", parameter
            )

    async def _notify(
        self, target: UUID, request_id: str, method: str, parameter: Mapping[str, Any]
    ) -> None:
        publisher = self._publisher()
        if publisher is None:
            raise Unavailable("broker", "not connected")
        name = str(target)
        properties = {"app_id": name, "correlation_id": request_id, "type": "gson"}
        body = encode_notification(request_id, method, parameter)
        try:
            await publisher.to_fanout(f"multi#{name}", properties, body)
        except MessageRefused as error:
            # Somebody's queue or exchange is at fault: who misses it sees the gap.
            log.warn("{method} did not reach all: {problem}", method=method, problem=str(error))
