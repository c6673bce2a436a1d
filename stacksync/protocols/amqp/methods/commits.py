"""``commit``."""

from __future__ import annotations

from stacksync.engine.commits import Commits
from stacksync.engine.validation import check_item_count
from stacksync.errors import InvalidRequest
from stacksync.model import CommitRequest, CommitResult
from stacksync.protocols.amqp.methods.items import ITEM_METADATA, commit_notification
from stacksync.protocols.amqp.methods.method import Call, Method, Methods
from stacksync.protocols.fields import identity, required

NAMES = {"request_id": "requestId"}


class CommitMethods:
    """The method that makes new versions.

    Old clients call it asynchronously and are answered by ``notifyCommit``; who
    calls it synchronously gets the same in the response, too.
    """

    def __init__(self, commits: Commits) -> None:
        self._commits = commits

    def methods(self) -> Methods:
        return {"commit": Method(self._commit, names=NAMES, encode=commit_notification)}

    async def _commit(self, call: Call) -> CommitResult:
        fields = call.fields
        items = required(fields.get("items"), "items")
        if type(items) is not list:
            raise InvalidRequest("items", "must be a list")
        check_item_count(len(items), self._commits.items_max)
        request = CommitRequest(
            workspace_id=required(identity(fields, "workspaceId"), "workspaceId"),
            device_id=required(identity(fields, "deviceId"), "deviceId"),
            request_id=call.request_id,
            changes=tuple(
                [
                    ITEM_METADATA.decode_change(value, f"items[{place}]")
                    for place, value in enumerate(items)
                ]
            ),
        )
        # Acknowledged only when every device can know: see the engine's promise 6.
        return await self._commits.commit(call.principal, request, until_announced=True)
