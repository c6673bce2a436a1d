"""Passwords that this service keeps itself, as hashes in its database."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import frozen

from stacksync.auth.proofs import Verdict

if TYPE_CHECKING:
    from stacksync.auth.passwords import PasswordHasher
    from stacksync.engine.accounts import Accounts


@frozen
class LocalPasswords:
    """The :class:`~stacksync.auth.sign_in.PasswordVerifier` of ``auth.passwords = local``."""

    _accounts: Accounts
    _hasher: PasswordHasher

    async def verify(self, email: str, password: str) -> Verdict:
        """See :meth:`stacksync.auth.sign_in.PasswordVerifier.verify`.

        :raises TooManyRequests: too many passwords are waiting already.
        """
        known = await self._accounts.credentials(email) if email else None
        password_hash = known.password_hash if known is not None else None
        is_right = await self._hasher.verify(password_hash, password)
        return Verdict(known.account_id if known is not None else None, is_right)
