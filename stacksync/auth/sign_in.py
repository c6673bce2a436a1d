"""Signing in with e-mail and password.

A wrong password and an unknown e-mail are told alike, after the same work and
a delay.  Who verifies a password is a seam: this service's own database
(:mod:`stacksync.auth.local`), or Keystone (:mod:`stacksync.auth.keystone`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from attrs import define, field
from zope.interface import implementer

from stacksync.auth.proofs import NOBODY, Proofs, Verdict
from stacksync.auth.throttle import EMAIL_KEPT
from stacksync.interfaces import IAuthenticator
from stacksync.model import Principal, SignIn

if TYPE_CHECKING:
    from twisted.internet.interfaces import IReactorTime

    from stacksync.config import AuthConfig

WRONG = "unknown e-mail or wrong password"


class PasswordVerifier(Protocol):
    """Knows whose password is which."""

    async def verify(self, email: str, password: str) -> Verdict:
        """Whether the password is that of the account with this e-mail.

        Does the same work for an e-mail that nobody has.

        :param email: one that an account could have, or ``""`` for one that none can.
        :raises Unavailable: who knows it is away.
        """


@implementer(IAuthenticator)
@define(eq=False)
class PasswordAuthenticator:
    """The :class:`~stacksync.interfaces.IAuthenticator` of e-mail and password.

    A password that was changed is still taken for ``credential_cache`` seconds.
    """

    _clock: IReactorTime
    _verifier: PasswordVerifier
    _settings: AuthConfig
    _proofs: Proofs = field(init=False)

    def __attrs_post_init__(self) -> None:
        self._proofs = Proofs(self._clock, self._settings, SignIn.PASSWORD, WRONG)

    async def authenticate(self, email: str, password: str, address: str) -> Principal:
        """See :class:`~stacksync.interfaces.IAuthenticator`.

        :raises Unavailable: the account or its password cannot be looked up now.
        """

        async def check() -> Verdict:
            verdict = await self._verifier.verify(email if is_possible(email) else "", password)
            return verdict if is_possible(email) else NOBODY

        # The length keeps ("a", "bc") apart from ("ab", "c").
        digest = self._proofs.digest(f"{len(email)}:{email}{password}")
        return await self._proofs.principal(digest, email, address, check)


def is_possible(email: str) -> bool:
    """Whether the database could hold this text as an e-mail at all."""
    return 0 < len(email) <= EMAIL_KEPT and "\0" not in email and email.isprintable()
