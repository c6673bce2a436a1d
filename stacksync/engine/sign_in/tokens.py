"""Tokens: what devices and applications keep instead of a password.

A device's is made here, with a secret that is told once and kept as a hash.
Applications come to theirs by way of OAuth; listed and revoked are all alike.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from hashlib import sha256
from typing import Protocol
from uuid import UUID

from attrs import frozen

from stacksync.db.database import Database, Transaction
from stacksync.db.devices import DeviceTable
from stacksync.db.tokens import FoundToken, TokenTable
from stacksync.engine import validation
from stacksync.engine.access import check_is_account_itself
from stacksync.engine.audit import Audit
from stacksync.engine.devices import NAMELESS
from stacksync.engine.sign_in.sign_ins import SignIns
from stacksync.errors import Conflict, DeviceNotFound, InvalidRequest, TokenNotFound
from stacksync.model import (
    AuditKind,
    DeviceDescription,
    NewToken,
    Principal,
    Scope,
    SignIn,
    Token,
)

PREFIX = "stk_"
"""So that people and programs that look for leaked secrets know one when they see it."""

SECRET_BYTES = 32
SECRET_CHARACTERS = 47

ANOTHER = "to make or revoke tokens"


class TokenSettings(Protocol):
    """What the operator allows; ``stacksync.config`` has it."""

    @property
    def lifetime(self) -> float: ...
    @property
    def max_per_account(self) -> int: ...


@frozen
class TokenOrder:
    """A token that somebody wants.

    :ivar name: what to call it; ``None``: like its device.
    :ivar device_id: whose it is to be; ``None``: the principal's device, or else a new one.
    :ivar device: what a new device is like; ``None``: there is none to be registered, unless
        nobody says which it is.
    :ivar expires_in: seconds; ``None``: as long as tokens may last.
    """

    name: str | None = None
    scope: Scope = Scope.SYNC
    device_id: UUID | None = None
    device: DeviceDescription | None = None
    expires_in: int | None = None


class Tokens:
    """Operations on a principal's tokens, and for the operator on everybody's."""

    def __init__(
        self,
        database: Database,
        table: TokenTable,
        devices: DeviceTable,
        sign_ins: SignIns,
        audit: Audit,
        settings: TokenSettings,
    ) -> None:
        self._database = database
        self._table = table
        self._devices = devices
        self._sign_ins = sign_ins
        self._audit = audit
        self._settings = settings

    async def make(self, principal: Principal, order: TokenOrder) -> NewToken:
        """Make a token for a device, which is registered if it is new.

        :raises Forbidden: the principal has signed in by a token itself.
        :raises InvalidRequest: no token can be like that.
        :raises DeviceNotFound: no such device, or not the principal's.
        :raises Conflict: the account has as many tokens as it may have.
        :raises AccountNotFound: the principal's account is gone.
        :raises NotAuthenticated: its password has just been changed.
        """
        check_is_account_itself(principal, ANOTHER)
        lifetime = self._check(order)
        secret = PREFIX + secrets.token_urlsafe(SECRET_BYTES)
        account_id = principal.account_id

        async def work(transaction: Transaction) -> Token:
            await self._sign_ins.lock(transaction, principal)
            most = self._settings.max_per_account
            if await self._table.count(transaction, account_id) >= most:
                raise Conflict(f"the account has {most} tokens, and may have no more: revoke some")
            device_id, device_name = await self._device(transaction, principal, order)
            made = await self._table.insert(
                transaction,
                account_id,
                device_id,
                order.name or device_name,
                order.scope,
                hash_of(secret),
                lifetime,
            )
            await self._audit.record_done(
                transaction, AuditKind.TOKEN_CREATED, principal, **described(made)
            )
            return made

        return NewToken(await self._database.transaction("make token", work), secret)

    async def list(self, principal: Principal) -> Sequence[Token]:
        """What the principal may revoke, oldest first: all, or the token that it is itself."""
        tokens = await self._table.list(principal.account_id)
        if principal.is_account_itself:
            return tokens
        return tuple(each for each in tokens if each.id == principal.grant_id)

    async def revoke(self, principal: Principal, token_id: UUID) -> None:
        """End a token, and what is open because of it.

        :raises TokenNotFound: no such token, or not the principal's.
        :raises Forbidden: the principal has signed in by another token.
        """
        if token_id != principal.grant_id:
            check_is_account_itself(principal, ANOTHER)

        async def work(transaction: Transaction) -> None:
            await self._sign_ins.lock(transaction, principal)
            ended = await self._table.remove(transaction, principal.account_id, token_id)
            if ended is None:
                raise TokenNotFound(token_id)
            await self._sign_ins.changed(transaction, principal.account_id)
            await self._audit.record_done(
                transaction, AuditKind.TOKEN_REVOKED, principal, **described(ended)
            )

        await self._database.transaction("revoke token", work)

    async def revoke_all(self, principal: Principal) -> int:
        """End all tokens of the principal's account; how many there were.

        What was allowed to applications that have not fetched their token yet ends as well.

        :raises Forbidden: the principal has signed in by a token itself.
        """
        check_is_account_itself(principal, ANOTHER)

        async def work(transaction: Transaction) -> int:
            await self._sign_ins.lock(transaction, principal)
            ended = await self._table.remove_all(transaction, principal.account_id)
            if ended:
                await self._sign_ins.changed(transaction, principal.account_id)
                await self._audit.record_done(
                    transaction, AuditKind.TOKEN_REVOKED, principal, tokens=ended
                )
            return ended

        return await self._database.transaction("revoke tokens", work)

    async def of_all(self) -> Sequence[Token]:
        """Everybody's tokens, for the operator."""
        return await self._table.list()

    async def revoke_as_operator(self, token_id: UUID) -> Token:
        """End somebody's token.

        :raises TokenNotFound: no such token.
        """
        found = await self._table.by_id(token_id)
        if found is None:
            raise TokenNotFound(token_id)
        await self.revoke(Principal(found.account_id, SignIn.OPERATOR), token_id)
        return found

    async def shown(self, secret: str) -> FoundToken | None:
        """The live token that has this secret; for signing in."""
        return await self._table.by_hash(hash_of(secret))

    def _check(self, order: TokenOrder) -> float:
        """How many seconds the token is to last."""
        validation.check_text("name", order.name)
        if order.device is not None:
            validation.check_device(order.device, "device.")
            if order.device_id is not None:
                raise InvalidRequest("device", "is a new one; device_id names another")
        longest = self._settings.lifetime
        if order.expires_in is None:
            return longest
        if not 0 < order.expires_in <= longest:
            raise InvalidRequest(
                "expires_in", f"{order.expires_in} is not between 1 and {longest:.0f} seconds"
            )
        return order.expires_in

    async def _device(
        self, transaction: Transaction, principal: Principal, order: TokenOrder
    ) -> tuple[UUID, str]:
        """Id and name of the device that the token is for."""
        account_id = principal.account_id
        device_id = order.device_id
        if device_id is None and order.device is None:
            device_id = principal.device_id
        if device_id is None:
            description = order.device or DeviceDescription(name=order.name)
            name = description.name or order.name or NAMELESS
            device = await self._devices.add(transaction, account_id, name, description)
        else:
            found = await self._devices.within(transaction, account_id, device_id)
            if found is None:
                raise DeviceNotFound(device_id)
            device = found
        return device.id, device.name


def hash_of(secret: str) -> bytes:
    """What a secret is kept as."""
    return sha256(secret.encode("utf-8", "surrogatepass")).digest()


def described(token: Token) -> dict[str, object]:
    """What the audit says of a token."""
    about = {
        "token_id": token.id,
        "name": token.name,
        "scope": token.scope.value,
        "device_id": token.device_id,
        "application": token.application,
        "expires_at": token.expires_at,
    }
    return {name: value for name, value in about.items() if value is not None}
