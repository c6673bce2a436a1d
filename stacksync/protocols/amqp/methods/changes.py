"""``getChanges``."""

from __future__ import annotations

import orjson

from stacksync.engine.changes import ChangeLog
from stacksync.protocols.amqp.methods.items import ITEM_METADATA
from stacksync.protocols.amqp.methods.method import Call, Method, Methods
from stacksync.protocols.fields import identity, integer, required

SHAPE = ITEM_METADATA.shape
NAMES = {"since": "sinceRevision"}


class ChangeMethods:
    """The method for devices that were away."""

    def __init__(self, changes: ChangeLog) -> None:
        self._changes = changes

    def methods(self) -> Methods:
        return {"getChanges": Method(self._get_changes, names=NAMES)}

    async def _get_changes(self, call: Call) -> orjson.Fragment:
        workspace_id = required(identity(call.fields, "workspaceId"), "workspaceId")
        since = integer(call.fields, "sinceRevision")
        changes = await self._changes.since(call.principal, workspace_id, since, SHAPE)
        return orjson.Fragment(changes.items)
