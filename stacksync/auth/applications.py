"""Signed requests of applications for tokens, temporary ones and others (RFC 5849, section 2).

Both answers carry secrets in the clear, so the way there has to be
confidential (sections 2.1 and 2.3).
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any

from attrs import define, field
from zope.interface import implementer

from stacksync.auth.lookups import Lookups, stranger
from stacksync.auth.noting import Note, nobody_notes, refusals_noted
from stacksync.auth.signature_check import Step
from stacksync.auth.signatures import WRONG, SignatureReader, Signed
from stacksync.engine.oauth.signers import Nonce
from stacksync.errors import Forbidden, InvalidRequest, NotAuthenticated
from stacksync.interfaces import ITokenProvider
from stacksync.model import Scope, SignedRequest, SignIn, TokenCredentials

if TYPE_CHECKING:
    from stacksync.engine.oauth.applications import Applications
    from stacksync.engine.oauth.signers import Signers


@implementer(ITokenProvider)
@define(eq=False)
class TokenProvider:
    """The :class:`~stacksync.interfaces.ITokenProvider`.

    :param note: takes who was refused.
    """

    _applications: Applications
    _signers: Signers
    _reader: SignatureReader
    _note: Note = nobody_notes
    _lookups: Lookups = field(init=False, factory=Lookups)

    async def request_token(self, request: SignedRequest, address: str) -> TokenCredentials:
        """See :class:`~stacksync.interfaces.ITokenProvider`."""
        check_confidential(request)
        with self._noted(address):
            signed = self._reader.read(request, "oauth_callback")
        with self._noted(address, consumer=signed["oauth_consumer_key"]):
            if signed["oauth_token"]:
                raise InvalidRequest("oauth_token", "does not belong here: there is none yet")
            scope = scope_of(signed)
            nonce = await self._checked(signed, Step.ASKING, address)
            return await self._applications.ask(nonce.consumer_key, signed["oauth_callback"], scope)

    async def access_token(self, request: SignedRequest, address: str) -> TokenCredentials:
        """See :class:`~stacksync.interfaces.ITokenProvider`."""
        check_confidential(request)
        with self._noted(address):
            signed = self._reader.read(request, "oauth_token", "oauth_verifier")
        with self._noted(address, consumer=signed["oauth_consumer_key"]):
            check_others(signed, ())
            nonce = await self._checked(signed, Step.REDEEMING, address)
            return await self._applications.redeem(
                nonce.consumer_key, nonce.token_key, signed["oauth_verifier"], address
            )

    async def _checked(self, signed: Signed, step: Step, address: str) -> Nonce:
        nonce = signed.nonce
        signer = await self._lookups.run(
            stranger(address), lambda: self._signers.asking(nonce.consumer_key, nonce.token_key)
        )
        if not signed.is_by(signer, step):
            raise NotAuthenticated(WRONG)
        await self._signers.ask(nonce)
        return nonce

    def _noted(self, address: str, **detail: Any) -> AbstractContextManager[None]:
        return refusals_noted(self._note, SignIn.OAUTH, address, **detail)


def check_confidential(request: SignedRequest) -> None:
    """:raises Forbidden: others could read the secrets of the answer."""
    if not request.is_confidential:
        raise Forbidden("tokens are given over TLS, or to this machine, only")


def scope_of(signed: Signed) -> Scope:
    """What an application asks for; all that a device may, if it does not say.

    :raises InvalidRequest: there is no such thing to be asked for.
    """
    others = check_others(signed, ("scope",))
    try:
        return Scope(others.get("scope", Scope.SYNC))
    except ValueError:
        known = " or ".join(scope.value for scope in Scope)
        raise InvalidRequest("scope", f"must be {known}") from None


def check_others(signed: Signed, known: tuple[str, ...]) -> dict[str, str]:
    """The parameters that are not the protocol's.

    :raises InvalidRequest: one is not known here, or comes twice.
    """
    others: dict[str, str] = {}
    for name, value in signed.parameters.others:
        if name not in known:
            raise InvalidRequest(name[:80], f"unknown; known is {', '.join(known) or 'none'}")
        if name in others:
            raise InvalidRequest(name, "must be given once")
        others[name] = value
    return others
