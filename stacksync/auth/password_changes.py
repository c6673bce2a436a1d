"""Giving an account another password, wherever it is kept: here, in Keystone, or in both.

For the person, who has signed in with the present one, and for the operator.
What ends with the old password is the engine's to know.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from attrs import define
from zope.interface import implementer

from stacksync.engine.sign_in.passwords import check_may_change
from stacksync.errors import Conflict, Forbidden
from stacksync.interfaces import IPasswordChanges
from stacksync.model import Account, Principal

if TYPE_CHECKING:
    from stacksync.auth.password_policy import PasswordPolicy
    from stacksync.auth.passwords import PasswordHasher


class KnownAccounts(Protocol):
    """Finds accounts; :class:`stacksync.engine.accounts.Accounts` does."""

    async def of(self, principal: Principal) -> Account: ...


class KnownPasswords(Protocol):
    """Keeps hashes; :class:`stacksync.engine.sign_in.passwords.Passwords` does."""

    async def change(self, principal: Principal, password_hash: str | None) -> int: ...


class KnownIdentities(Protocol):
    """Sets passwords in Keystone; ``stacksync.storage.keystone.identity.Identities`` does."""

    async def set_password(self, user_id: str, password: str) -> None: ...


@implementer(IPasswordChanges)
@define(eq=False)
class PasswordChanges:
    """Changes passwords.

    :ivar policy: what a new one must be.
    :ivar hasher: of passwords that are kept here; ``None``: the identity service keeps them.
    :ivar identities: the users of the identity service; ``None``: there is none.
    """

    accounts: KnownAccounts
    passwords: KnownPasswords
    policy: PasswordPolicy
    hasher: PasswordHasher | None
    identities: KnownIdentities | None = None

    async def change(self, principal: Principal, password: str) -> int:
        """See :class:`~stacksync.interfaces.IPasswordChanges`."""
        check_may_change(principal)
        account = await self.accounts.of(principal)
        self.policy.check(password, account.email)
        await self._tell_identity_service(account, password)
        password_hash = None
        if self.hasher is not None:
            password_hash = await self.hasher.hash(password)
        return await self.passwords.change(principal, password_hash)

    async def _tell_identity_service(self, account: Account, password: str) -> None:
        """Set it in the identity service, as far as it is ours to set there."""
        if self.identities is None:
            return
        if account.identity_id is None:
            if self.hasher is None:
                raise Conflict(
                    f"{account.email} has no user in the identity service, which keeps the"
                    f" passwords: stacksync-admin user add {account.email} makes one"
                )
            return
        try:
            await self.identities.set_password(account.identity_id, password)
        except Forbidden as error:
            # Whom somebody else has made has a password there, and may have another one here.
            if self.hasher is None:
                raise Conflict(str(error)) from None
