"""``getVersions`` and ``restoreVersion``."""

from __future__ import annotations

from typing import Any

from attrs import evolve

from stacksync.engine.files import Files
from stacksync.engine.versions import Versions
from stacksync.protocols.amqp.methods.items import ITEM_METADATA
from stacksync.protocols.amqp.methods.method import Call, Method, Methods
from stacksync.protocols.fields import identity, integer, required

NAMES = {"request_id": "requestId"}


class VersionMethods:
    """The methods about what an item was."""

    def __init__(self, versions: Versions, files: Files) -> None:
        self._versions = versions
        self._files = files

    def methods(self) -> Methods:
        return {
            "getVersions": Method(self._get),
            "restoreVersion": Method(self._restore, names=NAMES, encode=ITEM_METADATA.encode),
        }

    async def _get(self, call: Call) -> list[dict[str, Any]]:
        item_id = required(integer(call.fields, "itemId"), "itemId")
        versions = await self._versions.of(call.principal, item_id)
        return [ITEM_METADATA.encode(version) for version in versions]

    async def _restore(self, call: Call) -> Any:
        fields, principal = call.fields, call.principal
        device_id = identity(fields, "deviceId")
        if device_id is not None:
            principal = evolve(principal, device_id=device_id)
        return await self._files.restore_version(
            principal,
            required(integer(fields, "itemId"), "itemId"),
            required(integer(fields, "version"), "version"),
            request_id=call.request_id,
        )
