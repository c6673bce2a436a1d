"""Devices: what a person signs in from, and what every version says who made it."""

from __future__ import annotations

from uuid import UUID, uuid5

from stacksync.db.devices import DeviceTable
from stacksync.engine import validation
from stacksync.errors import DeviceNotFound
from stacksync.model import Device, DeviceDescription, Principal

NAMELESS = "unnamed device"

IMPLICIT = "HTTP"
"""What an account's device is called that stands for requests without one."""

REMEMBERED = 10_000
"""Of how many accounts it is known that they have that device."""


class Devices:
    """Operations on a principal's own devices."""

    def __init__(self, table: DeviceTable) -> None:
        self._table = table
        self._implicit: dict[UUID, UUID] = {}

    async def register(
        self,
        principal: Principal,
        description: DeviceDescription,
        *,
        request_id: str | None = None,
    ) -> Device:
        """Add a device.

        :param request_id: the same registration with the same one again is the
            same device; without one, each is a device of its own.
        :raises InvalidRequest: a part of the description cannot be stored.
        :raises AccountNotFound: the principal's account is gone.
        """
        validation.check_device(description)
        device_id = None
        if request_id is not None:
            validation.check_request_id(request_id)
            device_id = identity_of(principal.account_id, request_id, description)
        return await self._table.insert(
            principal.account_id, description.name or NAMELESS, description, device_id
        )

    async def update(
        self, principal: Principal, device_id: UUID, description: DeviceDescription
    ) -> Device:
        """Change what is not ``None``.

        :raises DeviceNotFound: no such device, or not the principal's.
        :raises InvalidRequest: a part of the description cannot be stored.
        """
        validation.check_device(description)
        device = await self._table.update(principal.account_id, device_id, description)
        if device is None:
            raise DeviceNotFound(device_id)
        return device

    async def list(self, principal: Principal) -> tuple[Device, ...]:
        """The principal's devices, oldest first."""
        return await self._table.of_account(principal.account_id)

    async def acting(self, principal: Principal) -> UUID:
        """The device that makes what this principal commits.

        A principal that has not said which is given its account's device
        "HTTP", which is registered when it is first needed.

        :raises AccountNotFound: the principal's account is gone.
        """
        if principal.device_id is not None:
            return principal.device_id
        account_id = principal.account_id
        known = self._implicit.get(account_id)
        if known is None:
            device = await self._table.insert(
                account_id, IMPLICIT, DeviceDescription(), uuid5(account_id, IMPLICIT)
            )
            known = self._implicit[account_id] = device.id
            if len(self._implicit) > REMEMBERED:
                del self._implicit[next(iter(self._implicit))]
        return known

    async def check_acting(self, principal: Principal) -> None:
        """See whether the device is the principal's that it has named, if it has.

        :raises DeviceNotFound: it is not.
        """
        if principal.device_id is None:
            return
        own = await self._table.of_account(principal.account_id)
        if principal.device_id not in [device.id for device in own]:
            raise DeviceNotFound(principal.device_id)

    async def own(self, principal: Principal) -> UUID:
        """What :meth:`acting` tells, for what no commit function will check.

        :raises DeviceNotFound: the principal has named a device that is not its own.
        """
        await self.check_acting(principal)
        return await self.acting(principal)

    def forget(self, principal: Principal) -> None:
        """The device "HTTP" of this account turned out not to be there: register it anew."""
        self._implicit.pop(principal.account_id, None)


def identity_of(account_id: UUID, request_id: str, description: DeviceDescription) -> UUID:
    """The id of the device that a registration makes, however often it is delivered."""
    told = (description.name, description.os, description.ip, description.app_version)
    return uuid5(account_id, repr((request_id, told)))
