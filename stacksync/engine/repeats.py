"""Requests that come again: what became of them the first time.

Asked before a body is read, so that a repeat need not send it once more.
"""

from __future__ import annotations

from stacksync.db.items import ItemTable
from stacksync.engine import validation
from stacksync.engine.devices import Devices
from stacksync.engine.tries import TRIES, identity_of
from stacksync.model import Item, Principal, Refusal


class Repeats:
    """Looks up what requests have made."""

    def __init__(self, table: ItemTable, devices: Devices) -> None:
        self._table = table
        self._devices = devices

    async def made(self, principal: Principal, request_id: str | None) -> Item | None:
        """The item that this request of the principal's device has made, if it came before.

        :param request_id: ``None``: nobody means to repeat it.
        :raises InvalidRequest: no request can have this id.
        """
        if request_id is None:
            return None
        validation.check_request_id(request_id)
        device_id = await self._devices.acting(principal)
        for attempt in range(TRIES):
            attempt_id = identity_of(request_id, attempt)
            assert attempt_id is not None
            outcome = await self._table.made_by(principal.account_id, device_id, attempt_id)
            if outcome is None:
                return None
            if outcome.refusal not in (Refusal.STALE, Refusal.NOT_FOUND):
                return outcome.item if outcome.committed else None
        return None
