"""Signing in with the bearer tokens (RFC 6750) that this service has given to devices.

A token has 256 random bits: what slows down a guesser is the address alone,
and looking one up needs no slow hash.
"""

from __future__ import annotations

from collections.abc import Awaitable
from typing import TYPE_CHECKING
from uuid import UUID

from attrs import define, field
from zope.interface import implementer

from stacksync.auth.lookups import Lookups
from stacksync.auth.noting import Note, nobody_notes
from stacksync.auth.proofs import NOBODY, Proofs, Verdict
from stacksync.auth.turns import Turn
from stacksync.engine.sign_in.tokens import PREFIX, SECRET_CHARACTERS
from stacksync.interfaces import ITokenAuthenticator
from stacksync.model import Principal, SignIn

if TYPE_CHECKING:
    from twisted.internet.interfaces import IReactorTime

    from stacksync.config import AuthConfig
    from stacksync.engine.sign_in.tokens import Tokens

WRONG = "Authorization: this is no token, or one that has expired or was revoked"


@implementer(ITokenAuthenticator)
@define(eq=False)
class BearerAuthenticator:
    """The :class:`~stacksync.interfaces.ITokenAuthenticator` of devices' tokens.

    One that was right need not be looked up again for ``credential_cache`` seconds, unless
    it expires before that or its account is forgotten.
    """

    _clock: IReactorTime
    _tokens: Tokens
    _settings: AuthConfig
    _note: Note = nobody_notes
    _lookups: Lookups = field(init=False, factory=Lookups)
    _proofs: Proofs = field(init=False)

    def __attrs_post_init__(self) -> None:
        self._proofs = Proofs(self._clock, self._settings, SignIn.TOKEN, WRONG, self._note)

    async def authenticate_token(self, token: str, address: str) -> Principal:
        """See :class:`~stacksync.interfaces.ITokenAuthenticator`.

        :raises Unavailable: the database is away.
        """
        if not is_possible(token):
            raise self._proofs.impossible(address)
        digest = self._proofs.digest(token)
        name = digest.hex()

        def check() -> Awaitable[Verdict]:
            return self._check(token, self._proofs.turn(digest, name, address))

        return await self._proofs.principal(digest, name, address, check)

    def forget(self, account_id: UUID) -> None:
        """See :meth:`stacksync.auth.proofs.Proofs.forget`."""
        self._proofs.forget(account_id)

    async def _check(self, token: str, turn: Turn) -> Verdict:
        found = await self._lookups.run(turn, lambda: self._tokens.shown(token))
        if found is None:
            return NOBODY
        known = found.token
        return Verdict(
            known.account_id,
            True,
            found.lasts,
            known.id,
            known.scope,
            known.device_id,
            known.expires_at,
        )


def is_possible(token: str) -> bool:
    """Whether a text can be a device's token at all."""
    return len(token) == SECRET_CHARACTERS and token.startswith(PREFIX) and token.isascii()
