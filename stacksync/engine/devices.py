"""Devices: what a person signs in from, and what every version says who made it."""

from __future__ import annotations

from uuid import UUID, uuid5

from stacksync.db.database import Database, Transaction
from stacksync.db.devices import DeviceTable
from stacksync.db.tokens import TokenTable
from stacksync.engine import validation
from stacksync.engine.access import check_is_account_itself, check_is_device, check_scope
from stacksync.engine.audit import Audit
from stacksync.engine.sign_in.sign_ins import SignIns
from stacksync.errors import Conflict, DeviceNotFound
from stacksync.model import (
    AuditKind,
    Device,
    DeviceDescription,
    Principal,
    SignIn,
)

NAMELESS = "unnamed device"

IMPLICIT = "HTTP"
"""What an account's device is called that stands for requests without one."""

REMEMBERED = 10_000
"""Of how many accounts it is known that they have that device, and of how many devices whose."""


class Devices:
    """Operations on a principal's own devices, and for the operator on everybody's."""

    def __init__(
        self,
        database: Database,
        table: DeviceTable,
        tokens: TokenTable,
        sign_ins: SignIns,
        audit: Audit,
    ) -> None:
        self._database = database
        self._table = table
        self._tokens = tokens
        self._sign_ins = sign_ins
        self._audit = audit
        self._implicit: dict[UUID, UUID] = {}
        self._own: set[tuple[UUID, UUID]] = set()
        self._changes = 0
        sign_ins.subscribe(self._changed)

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
        :raises Conflict: the device that this registration has made was revoked.
        """
        check_scope(principal)
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

        :raises Forbidden: the principal has signed in by another device's token, whose thief
            could else pass the wrong one off as his own.
        :raises DeviceNotFound: no such device, or not the principal's.
        :raises InvalidRequest: a part of the description cannot be stored.
        """
        check_scope(principal)
        if principal.sign_in is SignIn.TOKEN and device_id != principal.device_id:
            # Of somebody else's device nobody is told that it is there.
            await self._check_own(principal.account_id, device_id)
            check_is_device(principal, device_id)
        validation.check_device(description)
        device = await self._table.update(principal.account_id, device_id, description)
        if device is None:
            raise DeviceNotFound(device_id)
        return device

    async def list(self, principal: Principal) -> tuple[Device, ...]:
        """The principal's devices, oldest first."""
        return await self._table.of_account(principal.account_id)

    async def revoke(self, principal: Principal, device_id: UUID) -> None:
        """Let a device do nothing any more, end its tokens, and what is open because of them.

        A token may revoke its own device.

        :raises DeviceNotFound: no such device, or not the principal's.
        :raises Forbidden: the principal has signed in by another device's token.
        :raises Conflict: it is the one that stands for requests without a device.
        """
        check_scope(principal)
        if principal.device_id != device_id or principal.sign_in is not SignIn.TOKEN:
            check_is_account_itself(principal, "to revoke devices")
        account_id = principal.account_id
        if device_id == implicit_of(account_id):
            raise Conflict(f'"{IMPLICIT}" stands for requests without a device: it is none to lose')

        async def work(transaction: Transaction) -> None:
            await self._sign_ins.lock(transaction, principal)
            device = await self._table.within(transaction, account_id, device_id)
            if device is None:
                raise DeviceNotFound(device_id)
            await self._table.revoke(transaction, device_id)
            ended = await self._tokens.remove_of_device(transaction, device_id)
            await self._sign_ins.changed(transaction, account_id)
            await self._audit.record_done(
                transaction,
                AuditKind.DEVICE_REVOKED,
                principal,
                device_id=device_id,
                name=device.name,
                tokens=ended,
            )

        await self._database.transaction("revoke device", work)

    async def of_all(self) -> tuple[Device, ...]:
        """Everybody's devices, for the operator."""
        return await self._table.all()

    async def revoke_as_operator(self, device_id: UUID) -> Device:
        """Let somebody's device do nothing any more.

        :raises DeviceNotFound: no such device.
        :raises Conflict: it is the one that stands for requests without a device.
        """
        device = await self._table.by_id(device_id)
        if device is None:
            raise DeviceNotFound(device_id)
        await self.revoke(Principal(device.account_id, SignIn.OPERATOR), device_id)
        return device

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
                account_id, IMPLICIT, DeviceDescription(), implicit_of(account_id)
            )
            known = self._implicit[account_id] = device.id
            if len(self._implicit) > REMEMBERED:
                del self._implicit[next(iter(self._implicit))]
        return known

    async def check_acting(self, principal: Principal) -> None:
        """See whether the device is the principal's that it has named, if it has.

        What was found is remembered until a device of the account is revoked.

        :raises DeviceNotFound: it is not, or not any more.
        """
        if principal.device_id is None or principal.sign_in is SignIn.TOKEN:
            # A device's token holds as long as the device does.
            return
        named = (principal.account_id, principal.device_id)
        if named in self._own:
            return
        changes = self._changes
        await self._check_own(*named)
        # Else it may have been revoked after we were told that it was there.
        if changes == self._changes:
            if len(self._own) >= REMEMBERED:
                self._own.clear()
            self._own.add(named)

    async def own(self, principal: Principal) -> UUID:
        """What :meth:`acting` tells, for what no commit function will check.

        :raises DeviceNotFound: the principal has named a device that is not its own.
        """
        await self.check_acting(principal)
        return await self.acting(principal)

    async def _check_own(self, account_id: UUID, device_id: UUID) -> None:
        device = await self._table.by_id(device_id)
        if device is None or device.account_id != account_id:
            raise DeviceNotFound(device_id)

    def _changed(self, account_id: UUID) -> None:
        self._changes += 1
        self._own = {each for each in self._own if each[0] != account_id}

    def forget(self, principal: Principal) -> None:
        """The device "HTTP" of this account turned out not to be there: register it anew."""
        self._implicit.pop(principal.account_id, None)


def implicit_of(account_id: UUID) -> UUID:
    """The device of an account that stands for requests without one."""
    return uuid5(account_id, IMPLICIT)


def identity_of(account_id: UUID, request_id: str, description: DeviceDescription) -> UUID:
    """The id of the device that a registration makes, however often it is delivered."""
    told = (description.name, description.os, description.ip, description.app_version)
    return uuid5(account_id, repr((request_id, told)))
