"""Signing in with e-mail and password.

A wrong password and an unknown e-mail are told alike, after the same work and
a delay.  Who verifies a password is a seam: this service's own database
(:mod:`stacksync.auth.local`), or Keystone (:mod:`stacksync.auth.keystone`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol
from uuid import UUID

from attrs import define, field
from zope.interface import implementer

from stacksync.auth.noting import Note, nobody_notes
from stacksync.auth.proofs import NOBODY, Proofs, Verdict
from stacksync.auth.throttle import EMAIL_KEPT
from stacksync.auth.turns import ANYBODY, Turn
from stacksync.interfaces import IAuthenticator
from stacksync.model import Principal, SignIn

if TYPE_CHECKING:
    from twisted.internet.interfaces import IReactorTime

    from stacksync.config import AuthConfig

WRONG = "unknown e-mail or wrong password"


class PasswordVerifier(Protocol):
    """Knows whose password is which."""

    async def verify(self, email: str, password: str, turn: Turn = ANYBODY) -> Verdict:
        """Whether the password is that of the account with this e-mail.

        Does the same work for an e-mail that nobody has.

        :param email: one that an account could have, or ``""`` for one that none can.
        :param turn: whom this has to wait behind, where it costs a hash.
        :raises Unavailable: who knows it is away.
        """


@implementer(IAuthenticator)
@define(eq=False)
class PasswordAuthenticator:
    """The :class:`~stacksync.interfaces.IAuthenticator` of e-mail and password.

    A password that was right is taken for ``credential_cache`` seconds, unless the account
    is forgotten; of one that was changed in Keystone nobody tells us.
    """

    _clock: IReactorTime
    _verifier: PasswordVerifier
    _settings: AuthConfig
    _note: Note = nobody_notes
    _proofs: Proofs = field(init=False)

    def __attrs_post_init__(self) -> None:
        self._proofs = Proofs(self._clock, self._settings, SignIn.PASSWORD, WRONG, self._note)

    async def authenticate(self, email: str, password: str, address: str) -> Principal:
        """See :class:`~stacksync.interfaces.IAuthenticator`.

        :raises Unavailable: the account or its password cannot be looked up now.
        """

        # The length keeps ("a", "bc") apart from ("ab", "c").  The case of an e-mail does not
        # matter; only of ASCII do we and the database surely agree what its lower case is.
        folded = email.encode("utf-8", "surrogatepass").lower().decode("utf-8", "surrogatepass")
        digest = self._proofs.digest(f"{len(folded)}:{folded}{password}")

        async def check() -> Verdict:
            turn = self._proofs.turn(digest, email, address)
            if not is_possible(email):
                await self._verifier.verify("", password, turn)
                return NOBODY
            return await self._verifier.verify(email, password, turn)

        return await self._proofs.principal(digest, email, address, check)

    def forget(self, account_id: UUID) -> None:
        """See :meth:`stacksync.auth.proofs.Proofs.forget`."""
        self._proofs.forget(account_id)


def is_possible(email: str) -> bool:
    """Whether the database could hold this text as an e-mail at all."""
    return 0 < len(email) <= EMAIL_KEPT and "\0" not in email and email.isprintable()
