"""Passwords and tokens that Keystone knows: ``auth.passwords = keystone``.

An account is that of the Keystone user whose id it has.  Who uses an e-mail
that nobody has, or that of an account without such a user, is refused as for a
wrong password, and Keystone is asked all the same: neither the time of an
answer nor an outage tells which e-mails there are.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Protocol
from uuid import UUID, uuid4

from attrs import define, field, frozen
from zope.interface import implementer

from stacksync.auth.noting import Note, nobody_notes
from stacksync.auth.passwords import problem_with
from stacksync.auth.proofs import NOBODY, Proofs, Verdict
from stacksync.auth.turns import ANYBODY, Turn
from stacksync.errors import AccountNotFound
from stacksync.interfaces import ITokenAuthenticator
from stacksync.model import Account, Principal, SignIn

if TYPE_CHECKING:
    from twisted.internet.interfaces import IReactorTime

    from stacksync.config import AuthConfig
    from stacksync.engine.sign_in.passwords import Credentials

TOKEN_CHARACTERS_MAX = 8192
"""More than any token that Keystone makes has; a longer one need not be sent there."""

WRONG_TOKEN = "X-Auth-Token: no valid token of somebody who has an account here"


class KnownAccounts(Protocol):
    """Finds accounts; :class:`stacksync.engine.accounts.Accounts` does."""

    async def by_identity(self, identity_id: str) -> Account: ...


class KnownPasswords(Protocol):
    """Finds whose e-mail is which; :class:`stacksync.engine.sign_in.passwords.Passwords` does."""

    async def credentials(self, email: str) -> Credentials | None: ...


class KnownIdentities(Protocol):
    """Asks Keystone; ``stacksync.storage.keystone.identity.Identities`` does."""

    async def check_password(self, user_id: str, password: str) -> bool: ...
    async def of_token(self, token: str) -> tuple[str, datetime] | None: ...


@frozen
class KeystonePasswords:
    """The :class:`~stacksync.auth.sign_in.PasswordVerifier` that asks Keystone."""

    _passwords: KnownPasswords
    _identities: KnownIdentities

    async def verify(self, email: str, password: str, turn: Turn = ANYBODY) -> Verdict:
        """See :meth:`stacksync.auth.sign_in.PasswordVerifier.verify`.

        :raises Unavailable: Keystone or the database is away.
        """
        known = await self._passwords.credentials(email) if email else None
        identity_id = known.identity_id if known is not None else None
        is_right = False
        if problem_with(password) is None:
            is_right = await self._identities.check_password(identity_id or uuid4().hex, password)
        if known is None:
            return NOBODY
        # It hangs on the password's id here all the same: that changes with what we are told.
        is_right = is_right and identity_id is not None
        return Verdict(known.account_id, is_right, grant_id=known.password_id)


def now_in_utc() -> datetime:
    return datetime.now(UTC)


@implementer(ITokenAuthenticator)
@define(eq=False)
class TokenAuthenticator:
    """The :class:`~stacksync.interfaces.ITokenAuthenticator` of Keystone's tokens.

    A token that was revoked is still taken for ``credential_cache`` seconds,
    and none beyond its expiry.

    :param now: what time it is, to compare with when tokens expire.
    """

    _clock: IReactorTime
    _accounts: KnownAccounts
    _identities: KnownIdentities
    _settings: AuthConfig
    _now: Callable[[], datetime] = now_in_utc
    _note: Note = nobody_notes
    _proofs: Proofs = field(init=False)

    def __attrs_post_init__(self) -> None:
        self._proofs = Proofs(self._clock, self._settings, SignIn.KEYSTONE, WRONG_TOKEN, self._note)

    async def authenticate_token(self, token: str, address: str) -> Principal:
        """See :class:`~stacksync.interfaces.ITokenAuthenticator`."""
        if not token or len(token) > TOKEN_CHARACTERS_MAX or not token.isprintable():
            raise self._proofs.impossible(address)
        digest = self._proofs.digest(token)
        # Each token is somebody else's: what slows down a guesser is the address.
        return await self._proofs.principal(
            digest, digest.hex(), address, lambda: self._check(token)
        )

    def forget(self, account_id: UUID) -> None:
        """See :meth:`stacksync.auth.proofs.Proofs.forget`."""
        self._proofs.forget(account_id)

    async def _check(self, token: str) -> Verdict:
        found = await self._identities.of_token(token)
        if found is None:
            return NOBODY
        identity_id, expires_at = found
        lasts = (expires_at - self._now()).total_seconds()
        try:
            account = await self._accounts.by_identity(identity_id)
        except AccountNotFound:
            return NOBODY
        # Keystone has just said that it is valid, whatever our own clock says.
        ends = expires_at if lasts > 0 else None
        return Verdict(account.id, True, max(0.0, lasts), expires_at=ends)
