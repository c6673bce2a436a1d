"""Requests that an application has signed for a person (OAuth 1.0a, RFC 5849).

The lookups come first, then the check of the signature, which is pure, and
then the nonce, which is taken only by requests that are right.  An unknown
application, an unknown token and a wrong signature are told alike.

Wrong signatures are not slowed down like wrong passwords: a secret of 256
random bits is not guessed.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable
from typing import TYPE_CHECKING

from attrs import define, field, frozen
from zope.interface import implementer

from stacksync.auth.line import network_of
from stacksync.auth.lookups import Lookups, stranger
from stacksync.auth.noting import Note, nobody_notes, refusals_noted, signed_in
from stacksync.auth.signature_check import METHODS, PLAINTEXT, Facts, Step, is_right
from stacksync.auth.signed_parameters import SignedParameters, parameters_of
from stacksync.auth.turns import Lane, Turn
from stacksync.engine.oauth.signers import KEY_CHARACTERS, Nonce
from stacksync.errors import InvalidRequest, NotAuthenticated
from stacksync.interfaces import ISignatureAuthenticator
from stacksync.model import Principal, SignedRequest, SignIn

if TYPE_CHECKING:
    from stacksync.engine.oauth.signers import SignerRow, Signers

KNOWN_MAX = 10_000
NONCE_CHARACTERS = 128
VALUE_CHARACTERS = 4096

WRONG = (
    "oauth_signature: wrong; or oauth_consumer_key or oauth_token is unknown, was revoked or"
    " has expired"
)


@frozen
class Signed:
    """A signed request in its parts, of which the form is right.

    :ivar confidential: nobody can have listened.
    """

    method: str
    parameters: SignedParameters
    confidential: bool

    def __getitem__(self, name: str) -> str:
        """A parameter of the protocol's; ``""``: left out."""
        return self.parameters.protocol.get(name, "")

    @property
    def nonce(self) -> Nonce:
        return Nonce(
            self["oauth_consumer_key"],
            self["oauth_token"],
            int(self["oauth_timestamp"]),
            self["oauth_nonce"],
        )

    def is_by(self, signer: SignerRow, step: Step) -> bool:
        """Whether this application and token have signed it."""
        facts = Facts(signer.consumer_secret, signer.token_secret)
        return is_right(step, self.method, self.parameters, facts, confidential=self.confidential)


@define(eq=False)
class SignatureReader:
    """Takes signed requests apart, as far as that can be done without asking anybody.

    :param clock_skew: seconds that a timestamp may be from our clock.
    :param now: seconds since 1970.
    """

    _clock_skew: float
    _now: Callable[[], float] = time.time

    def read(self, request: SignedRequest, *needed: str) -> Signed:
        """The parts of a request.

        :param needed: the parameters that it must have, besides those that all have.
        :raises InvalidRequest: one is missing, or not as it must be.
        :raises NotAuthenticated: its timestamp is too far from our clock.
        """
        signed = Signed(request.method, parameters_of(request), request.is_confidential)
        common = ("consumer_key", "signature_method", "signature", "timestamp", "nonce")
        for name in (*(f"oauth_{each}" for each in common), *needed):
            if not signed[name]:
                raise InvalidRequest(name, "is missing")
        for name, value in signed.parameters.protocol.items():
            if len(value) > VALUE_CHARACTERS:
                raise InvalidRequest(name[:80], f"has more than {VALUE_CHARACTERS} characters")
        if signed["oauth_version"] not in ("", "1.0"):
            raise InvalidRequest("oauth_version", "must be 1.0, or left out")
        check_method(signed)
        check_text("oauth_nonce", signed["oauth_nonce"], NONCE_CHARACTERS)
        check_text("oauth_consumer_key", signed["oauth_consumer_key"], KEY_CHARACTERS)
        check_text("oauth_token", signed["oauth_token"] or "-", KEY_CHARACTERS)
        self._check_timestamp(signed["oauth_timestamp"])
        return signed

    def _check_timestamp(self, told: str) -> None:
        if not (told.isascii() and told.isdigit() and len(told) == 10 and told[0] != "0"):
            raise InvalidRequest("oauth_timestamp", "must be whole seconds since 1970")
        away = int(told) - self._now()
        if abs(away) > self._clock_skew:
            raise NotAuthenticated(
                f"oauth_timestamp: {abs(away):.0f} s {'ahead of' if away > 0 else 'behind'} the"
                f" clock here; {self._clock_skew:g} s are let through"
            )


def check_method(signed: Signed) -> None:
    """:raises InvalidRequest: the signature is made in a way that is not taken."""
    method = signed["oauth_signature_method"]
    if method == PLAINTEXT and not signed.confidential:
        raise InvalidRequest(
            "oauth_signature_method", "PLAINTEXT is taken over TLS, or from this machine, only"
        )
    if method not in (*METHODS, PLAINTEXT):
        raise InvalidRequest(
            "oauth_signature_method", f"must be {', '.join(METHODS)} or (over TLS) {PLAINTEXT}"
        )


def check_text(name: str, value: str, longest: int) -> None:
    """:raises InvalidRequest: it is too long, or not of ASCII that can be seen."""
    if len(value) > longest or not value.isascii() or not value.isprintable() or " " in value:
        raise InvalidRequest(name, f"must be up to {longest} characters of ASCII, without blanks")


@implementer(ISignatureAuthenticator)
@define(eq=False)
class SignatureAuthenticator:
    """The :class:`~stacksync.interfaces.ISignatureAuthenticator` of access tokens.

    Whose signature was right before, from the same network, does not wait behind strangers.

    :param note: takes who has signed in, and who was refused.
    """

    _signers: Signers
    _reader: SignatureReader
    _note: Note = nobody_notes
    _lookups: Lookups = field(init=False, factory=Lookups)
    _known: OrderedDict[tuple[str, str, str], None] = field(init=False, factory=OrderedDict)

    async def authenticate_signed(self, request: SignedRequest, address: str) -> Principal:
        """See :class:`~stacksync.interfaces.ISignatureAuthenticator`."""
        with refusals_noted(self._note, SignIn.OAUTH, address):
            signed = self._reader.read(request, "oauth_token")
        keys = signed["oauth_consumer_key"], signed["oauth_token"]
        way = (*keys, network_of(address))
        turn = Turn(Lane.KNOWN) if way in self._known else stranger(address)
        signer = await self._lookups.run(turn, lambda: self._signers.acting(*keys))
        self._known.pop(way, None)
        with refusals_noted(self._note, SignIn.OAUTH, address, signer.account_id):
            if not signed.is_by(signer, Step.ACTING):
                raise NotAuthenticated(WRONG)
            self._remember(way)
            await self._signers.use(signer, signed.nonce)
        assert signer.account_id is not None
        principal = Principal(
            signer.account_id,
            SignIn.OAUTH,
            scope=signer.scope,
            grant_id=signer.token_id,
            expires_at=signer.expires_at,
        )
        self._note(signed_in(principal, address))
        return principal

    def _remember(self, way: tuple[str, str, str]) -> None:
        self._known[way] = None
        if len(self._known) > KNOWN_MAX:
            self._known.popitem(last=False)
