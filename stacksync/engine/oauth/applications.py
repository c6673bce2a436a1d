"""How an application comes to act for a person: it asks, the person allows or denies, it is given.

The three steps of RFC 5849, section 2.  Signatures were checked before; here
is what may follow on what.
"""

from __future__ import annotations

import hmac
import secrets
from hashlib import sha256
from typing import Protocol

from attrs import frozen

from stacksync.db.consumers import ConsumerTable
from stacksync.db.database import Database, Transaction
from stacksync.db.request_tokens import Redeemable, RequestTokenTable
from stacksync.db.tokens import TokenTable
from stacksync.engine import validation
from stacksync.engine.access import check_is_account_itself
from stacksync.engine.audit import Audit
from stacksync.engine.oauth.callbacks import OUT_OF_BAND, check_asked
from stacksync.engine.oauth.consumers import KEY_CHARACTERS, SECRET_CHARACTERS, random_text
from stacksync.engine.oauth.signers import KEY_CHARACTERS as KEY_CHARACTERS_MAX
from stacksync.engine.sign_in.sign_ins import SignIns
from stacksync.engine.sign_in.tokens import TokenSettings
from stacksync.errors import Conflict, NotAuthenticated, TokenNotFound
from stacksync.model import (
    Allowed,
    Asked,
    AuditEvent,
    AuditKind,
    Principal,
    Scope,
    SignIn,
    TokenCredentials,
)

GUESSES = 5
"""Wrong verifiers after which a request token is of no use."""

TYPED_ALPHABET = "abcdefghijkmnpqrstuvwxyz23456789"
TYPED_CHARACTERS = 10
"""What a person can type; 50 bits, of which the request's few minutes allow five guesses."""

SENT_CHARACTERS = 30

GONE = "oauth_token: it is unknown, was used already, or has expired"
NOT_ALLOWED = "oauth_token: nobody has allowed this yet"
DENIED = "oauth_token: the person has said no"
WRONG_VERIFIER = "oauth_verifier: it is wrong"
REVOKED = "oauth_consumer_key: this application was revoked"


class ApplicationSettings(Protocol):
    """What is to be known of tokens; ``stacksync.config`` has it."""

    @property
    def request_expire(self) -> float: ...
    @property
    def access_expire(self) -> float: ...


@frozen
class Applications:
    """Operations by which applications are given access tokens."""

    _database: Database
    _consumers: ConsumerTable
    _table: RequestTokenTable
    _tokens: TokenTable
    _sign_ins: SignIns
    _audit: Audit
    _settings: ApplicationSettings
    _token_settings: TokenSettings

    async def ask(self, consumer_key: str, callback: str, scope: Scope) -> TokenCredentials:
        """Give an application what it sends a person here with (section 2.1).

        :param callback: where the person goes afterwards; ``oob``: nowhere.
        :raises InvalidRequest: it may not send anybody there.
        :raises NotAuthenticated: the application was revoked.
        """
        check_asked(await self._consumers.callback(consumer_key), callback)
        given = new_credentials()
        is_kept = await self._table.insert(
            given.key,
            given.secret,
            consumer_key,
            callback,
            scope,
            self._settings.request_expire,
        )
        if not is_kept:
            raise NotAuthenticated(REVOKED)
        return given

    async def asked(self, key: str) -> Asked:
        """What a person is asked, whom an application has sent (section 2.2).

        :raises TokenNotFound: no such request token (any more).
        """
        asked = None
        if key and validation.text_problem(key, KEY_CHARACTERS_MAX) is None:
            asked = await self._table.find(key)
        if asked is None:
            raise TokenNotFound("the application's request has expired, or was answered before")
        return asked

    async def allow(self, principal: Principal, key: str) -> Allowed:
        """Let the application act for the principal.

        :raises TokenNotFound: no such request token (any more).
        :raises Conflict: this was answered before; or the account has as many tokens as it may.
        :raises Forbidden: the principal is not the account itself.
        :raises AccountNotFound: the principal's account is gone.
        :raises NotAuthenticated: its password has just been changed.
        """
        check_is_account_itself(principal, "to let an application in")
        asked = await self.asked(key)
        verifier = new_verifier(asked.token.callback)

        async def work(transaction: Transaction) -> None:
            account_id = principal.account_id
            await self._sign_ins.lock(transaction, principal)
            held = await self._tokens.count(transaction, account_id)
            held += await self._table.allowed(transaction, account_id)
            most = self._token_settings.max_per_account
            if held >= most:
                raise Conflict(f"the account has {most} tokens, and may have no more: revoke some")
            if not await self._table.allow(transaction, key, account_id, digest_of(verifier)):
                raise Conflict("this was answered before")
            await self._audit.record_done(
                transaction, AuditKind.APPLICATION_ALLOWED, principal, **detail_of(asked)
            )

        await self._database.transaction("allow application", work)
        return Allowed(asked.token, verifier)

    async def deny(self, key: str, address: str) -> Asked:
        """Refuse what the application asks.  Nobody need sign in to say no.

        :param address: where that came from.
        :raises TokenNotFound: no such request token (any more).
        :raises Conflict: this was answered before.
        """
        asked = await self.asked(key)

        async def work(transaction: Transaction) -> None:
            if not await self._table.deny(transaction, key):
                raise Conflict("this was answered before")
            event = AuditEvent(
                AuditKind.APPLICATION_DENIED, address=address, detail=detail_of(asked)
            )
            await self._audit.record_in(transaction, event)

        await self._database.transaction("deny application", work)
        return asked

    async def redeem(
        self, consumer_key: str, key: str, verifier: str, address: str
    ) -> TokenCredentials:
        """Make an access token of a request token that somebody has allowed (section 2.3).

        :raises NotAuthenticated: nobody has, or the verifier is wrong; the message says which.
        """

        async def work(transaction: Transaction) -> TokenCredentials | str:
            found = await self._table.locked(transaction, consumer_key, key)
            problem = problem_with(found, verifier)
            if found is None or problem is not None:
                if problem == WRONG_VERIFIER:
                    # Told after the commit: what is raised would take the count back.
                    await self._table.guessed_wrong(transaction, key, GUESSES)
                return problem or GONE
            given = new_credentials()
            lasts = self._settings.access_expire or None
            token_id = await self._table.redeem(transaction, found, given.key, given.secret, lasts)
            event = AuditEvent(
                AuditKind.TOKEN_CREATED,
                found.token.account_id,
                address=address,
                sign_in=SignIn.OAUTH,
                detail={
                    **detail_of(Asked(found.token, found.application)),
                    "token_id": token_id,
                },
            )
            await self._audit.record_in(transaction, event)
            return given

        redeemed = await self._database.transaction("redeem request token", work)
        if isinstance(redeemed, str):
            raise NotAuthenticated(redeemed)
        return redeemed

    async def prune(self) -> int:
        """Remove the request tokens whose time is over; how many."""
        return await self._table.prune()


def problem_with(found: Redeemable | None, verifier: str) -> str | None:
    """Why a request token can't become an access token, or ``None``."""
    if found is None:
        return GONE
    if found.token.is_denied:
        return DENIED
    if found.verifier_hash is None:
        return NOT_ALLOWED
    if not hmac.compare_digest(found.verifier_hash, digest_of(verifier)):
        return WRONG_VERIFIER
    return None


def detail_of(asked: Asked) -> dict[str, str]:
    """What the audit tells of it."""
    return {
        "application": asked.application,
        "consumer": asked.token.consumer_key,
        "scope": asked.token.scope.value,
    }


def new_credentials() -> TokenCredentials:
    return TokenCredentials(random_text(KEY_CHARACTERS), random_text(SECRET_CHARACTERS))


def new_verifier(callback: str) -> str:
    if callback != OUT_OF_BAND:
        return random_text(SENT_CHARACTERS)
    return "".join(secrets.choice(TYPED_ALPHABET) for _ in range(TYPED_CHARACTERS))


def digest_of(verifier: str) -> bytes:
    return sha256(verifier.encode("utf-8", "surrogatepass")).digest()
