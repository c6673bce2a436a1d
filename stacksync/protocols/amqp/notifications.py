"""Tells devices on the broker what happened: ``notifyCommit``, ``notifyShareProposal``, ….

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
from stacksync.events import Committed, Event, ShareProposed, Unshared, WorkspaceUpdated
from stacksync.interfaces import IEventSink
from stacksync.protocols.amqp.messages import encode_notification
from stacksync.protocols.amqp.methods.items import commit_notification
from stacksync.protocols.amqp.methods.storage_place import NO_PLACE, StoragePlace, without_nulls
from stacksync.protocols.amqp.publisher import ExchangeBarred, MessageRefused, Publisher

log = Logger()


@implementer(IEventSink)
class Notifications:
    """The sink that publishes to the broker.

    :param publisher: gives the publisher of the present connection, if there is one.
    :param place: the object store, as notifications tell it.
    """

    name = "AMQP"

    def __init__(
        self, publisher: Callable[[], Publisher | None], place: StoragePlace = NO_PLACE
    ) -> None:
        self._publisher = publisher
        self._place = place

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

        elif isinstance(event, ShareProposed):
            parameter = self._proposed(event)
            for account_id in event.account_ids:
                await self._notify(account_id, event.request_id, "notifyShareProposal", parameter)
        elif isinstance(event, Unshared):
            parameter = self._unshared(event)
            await self._notify(event.account_id, event.request_id, "notifyUnshare", parameter)

    def _proposed(self, event: ShareProposed) -> dict[str, Any]:
        proposal = event.proposal
        return {
            "requestId": event.request_id,
            "proposalId": proposal.id,
            "workspaceId": proposal.workspace_id,
            "folderName": proposal.folder_name,
            "itemId": proposal.item_id,
            "ownerId": proposal.owner_id,
            "ownerName": proposal.owner_name,
            "swiftContainer": proposal.container,
            **without_nulls({"swiftURL": self._place.url}),
            "isEncrypted": proposal.is_encrypted,
        }

    def _unshared(self, event: Unshared) -> dict[str, Any]:
        return {
            "requestId": event.request_id,
            "workspaceId": event.workspace_id,
            "folderName": event.folder_name,
            "itemId": event.item_id,
            "ownerId": event.owner_id,
            "ownerName": event.owner_name,
            "swiftContainer": event.container,
            **without_nulls({"swiftURL": self._place.url}),
            "isEncrypted": event.is_encrypted,
        }

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
        except ExchangeBarred as error:
            # Told when it was barred; whose it is could fill the log else.
            log.debug("{method}: {problem}", method=method, problem=str(error))
        except MessageRefused as error:
            # Somebody's queue or exchange is at fault: who misses it sees the gap.
            log.warn("{method} did not reach all: {problem}", method=method, problem=str(error))
