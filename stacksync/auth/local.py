"""Passwords that this service keeps itself, as hashes in its database."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol
from uuid import UUID

from attrs import define, field
from twisted.internet.defer import Deferred
from twisted.logger import Logger

from stacksync.auth.lookups import Lookups
from stacksync.auth.proofs import Verdict
from stacksync.auth.turns import ANYBODY, Lane, Turn
from stacksync.errors import TooManyRequests, Unavailable

if TYPE_CHECKING:
    from stacksync.auth.passwords import PasswordHasher
    from stacksync.engine.sign_in.passwords import Credentials


class KnownPasswords(Protocol):
    """Finds hashes; :class:`stacksync.engine.sign_in.passwords.Passwords` does."""

    async def credentials(self, email: str) -> Credentials | None: ...
    async def renew(self, account_id: UUID, old_hash: str, new_hash: str) -> bool: ...


@define(eq=False)
class LocalPasswords:
    """The :class:`~stacksync.auth.sign_in.PasswordVerifier` of ``auth.passwords = local``."""

    _passwords: KnownPasswords
    _hasher: PasswordHasher
    _lookups: Lookups = field(init=False, factory=Lookups)
    _renewing: set[UUID] = field(init=False, factory=set)
    _log = Logger()

    async def verify(self, email: str, password: str, turn: Turn = ANYBODY) -> Verdict:
        """See :meth:`stacksync.auth.sign_in.PasswordVerifier.verify`.

        A hash of other parameters than the present ones is replaced after the answer.

        :raises TooManyRequests: too many passwords are waiting already.
        """
        known = None
        if email:
            known = await self._lookups.run(turn, lambda: self._passwords.credentials(email))
        if known is None or known.password_hash is None:
            await self._hasher.verify(None, password, email, turn)
            return Verdict(known.account_id if known is not None else None, False)
        is_right = await self._hasher.verify(known.password_hash, password, email, turn)
        if is_right and self._hasher.is_outdated(known.password_hash):
            self._renew_later(known.account_id, known.password_hash, password)
        return Verdict(known.account_id, is_right, grant_id=known.password_id)

    def _renew_later(self, account_id: UUID, old_hash: str, password: str) -> None:
        if account_id not in self._renewing:
            self._renewing.add(account_id)
            Deferred.fromCoroutine(self._renew(account_id, old_hash, password))

    async def _renew(self, account_id: UUID, old_hash: str, password: str) -> None:
        try:
            new_hash = await self._hasher.hash(password, Turn(Lane.SPARE))
            if await self._passwords.renew(account_id, old_hash, new_hash):
                self._log.info("the password hash of {account} was made anew", account=account_id)
        except (TooManyRequests, Unavailable) as error:
            # The next sign-in finds it as it is now.
            self._log.debug("a password hash stays old: {problem}", problem=str(error))
        except Exception:
            self._log.failure("the password hash of {account} stays old", account=account_id)
        finally:
            self._renewing.discard(account_id)
