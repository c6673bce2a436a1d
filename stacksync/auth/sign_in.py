"""Signing in with e-mail and password.

A wrong password and an unknown e-mail are told alike, after the same work and
a delay (:mod:`stacksync.auth.throttle`).  A right pair is remembered for a
short while under a keyed digest, so that a client that sends its password
with every request costs one hash now and then.  The password itself is never
kept or logged, and the key of the digest dies with the process.
"""

from __future__ import annotations

import secrets
from collections import OrderedDict
from hashlib import blake2b
from typing import TYPE_CHECKING

from attrs import define, field
from twisted.internet.defer import Deferred
from twisted.internet.task import deferLater
from twisted.logger import Logger
from twisted.python.failure import Failure
from zope.interface import implementer

from stacksync.auth.throttle import EMAIL_KEPT, Attempt, Throttle
from stacksync.errors import NotAuthenticated, TooManyRequests
from stacksync.interfaces import IAuthenticator
from stacksync.model import Principal, SignIn

if TYPE_CHECKING:
    from twisted.internet.interfaces import IReactorTime

    from stacksync.auth.passwords import PasswordHasher
    from stacksync.config import AuthConfig
    from stacksync.engine.accounts import Accounts

REMEMBERED_MAX = 10_000
WAITERS_MAX = 256
WRONG = "unknown e-mail or wrong password"


@define(eq=False)
class Check:
    """One verification under way, and who waits for what comes of it."""

    waiters: list[Deferred[Principal]] = field(factory=list)


@implementer(IAuthenticator)
@define(eq=False)
class PasswordAuthenticator:
    """The :class:`~stacksync.interfaces.IAuthenticator` of e-mail and password.

    A password that was changed is still taken for ``credential_cache`` seconds.
    """

    _clock: IReactorTime
    _accounts: Accounts
    _hasher: PasswordHasher
    _settings: AuthConfig
    _throttle: Throttle = field(init=False)
    _key: bytes = field(init=False, factory=lambda: secrets.token_bytes(32), repr=False)
    _remembered: OrderedDict[bytes, tuple[float, Principal]] = field(
        init=False, factory=OrderedDict, repr=False
    )
    _checks: dict[tuple[bytes, str], Check] = field(init=False, factory=dict, repr=False)
    _log = Logger()

    def __attrs_post_init__(self) -> None:
        self._throttle = Throttle(self._clock, self._settings.failure_delay)

    async def authenticate(self, email: str, password: str, address: str) -> Principal:
        """See :class:`~stacksync.interfaces.IAuthenticator`.

        :raises Unavailable: the account cannot be looked up now.
        """
        digest = self._digest(email, password)
        remembered = self._remembered.get(digest)
        if remembered is not None:
            if self._clock.seconds() < remembered[0]:
                return remembered[1]
            del self._remembered[digest]
        # By address as well: a failure is put down to the address that it came from.
        key = (digest, address)
        check = self._checks.get(key)
        if check is None:
            attempt = self._throttle.admit(email, address)
            check = self._checks[key] = Check()
            waiter = self._wait_for(check)
            Deferred.fromCoroutine(self._verify(key, check, attempt, email, password))
            return await waiter
        if len(check.waiters) >= WAITERS_MAX:
            raise TooManyRequests("too many sign-ins with these credentials", retry_after=1.0)
        return await self._wait_for(check)

    async def _verify(
        self, key: tuple[bytes, str], check: Check, attempt: Attempt, email: str, password: str
    ) -> None:
        """Find out once, for everybody who waits, and whether or not they still do."""
        try:
            known = await self._accounts.credentials(email) if is_possible(email) else None
            password_hash = known.password_hash if known is not None else None
            right = await self._hasher.verify(password_hash, password)
        except Exception:
            self._throttle.abandoned(attempt)
            self._tell(key, check, Failure())
            return
        if known is not None and right:
            self._throttle.succeeded(attempt)
            principal = Principal(known.account_id, SignIn.PASSWORD)
            self._remember(key[0], principal)
            self._tell(key, check, principal)
            return
        delay = self._throttle.failed(attempt)
        self._log.info(
            "sign-in from {address} failed (account: {account_id}), answered in {delay} s",
            address=attempt.address,
            account_id=known and known.account_id,
            delay=delay,
        )
        await deferLater(self._clock, delay)
        self._tell(key, check, Failure(NotAuthenticated(WRONG)))

    @staticmethod
    def _wait_for(check: Check) -> Deferred[Principal]:
        waiter: Deferred[Principal] = Deferred()
        check.waiters.append(waiter)
        return waiter

    def _tell(self, key: tuple[bytes, str], check: Check, found: Principal | Failure) -> None:
        del self._checks[key]
        for waiter in check.waiters:
            if isinstance(found, Failure):
                waiter.errback(found)
            else:
                waiter.callback(found)

    def _remember(self, digest: bytes, principal: Principal) -> None:
        now = self._clock.seconds()
        self._remembered[digest] = (now + self._settings.credential_cache, principal)
        # All are kept equally long, so the first ones in are the first to expire.
        while self._remembered:
            oldest = next(iter(self._remembered))
            if len(self._remembered) <= REMEMBERED_MAX and now < self._remembered[oldest][0]:
                break
            del self._remembered[oldest]

    def _digest(self, email: str, password: str) -> bytes:
        # The length keeps ("a", "bc") apart from ("ab", "c").
        text = f"{len(email)}:{email}{password}"
        return blake2b(text.encode("utf-8", "surrogatepass"), key=self._key).digest()


def is_possible(email: str) -> bool:
    """Whether the database could hold this text as an e-mail at all."""
    return 0 < len(email) <= EMAIL_KEPT and "\0" not in email and email.isprintable()
