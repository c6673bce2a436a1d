"""Who has proved lately who they are: remembered for a short while, checked once at a time.

What all ways of signing in do alike.  A proof that was right is remembered
under a keyed digest; sign-ins with the same proof at the same time share one
check; one that was wrong is answered late (:mod:`stacksync.auth.throttle`).
The proof itself is never kept or logged, and the key of the digest dies with
the process.
"""

from __future__ import annotations

import secrets
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from hashlib import blake2b
from typing import TYPE_CHECKING
from uuid import UUID

from attrs import define, field, frozen
from twisted.internet.defer import Deferred
from twisted.internet.task import deferLater
from twisted.logger import Logger
from twisted.python.failure import Failure

from stacksync.auth.throttle import Attempt, Throttle
from stacksync.errors import NotAuthenticated, TooManyRequests
from stacksync.model import Principal, SignIn

if TYPE_CHECKING:
    from twisted.internet.interfaces import IReactorTime

    from stacksync.config import AuthConfig

REMEMBERED_MAX = 10_000
WAITERS_MAX = 256


@frozen
class Verdict:
    """What a check has found.

    :ivar account_id: whose account it is about, right or not; ``None``: nobody's.
    :ivar is_right: whether that was proved.
    :ivar lasts: seconds for which it is true at the most; ``None``: nobody knows.
    """

    account_id: UUID | None
    is_right: bool
    lasts: float | None = None


NOBODY = Verdict(None, False)


@define(eq=False)
class Check:
    """One check under way, and who waits for what comes of it."""

    waiters: list[Deferred[Principal]] = field(factory=list)


@define(eq=False)
class Proofs:
    """Checks and remembers one kind of proof.

    :param sign_in: which kind.
    :param wrong: what is said of every proof that is wrong.
    """

    _clock: IReactorTime
    _settings: AuthConfig
    _sign_in: SignIn
    _wrong: str
    _throttle: Throttle = field(init=False)
    _key: bytes = field(init=False, factory=lambda: secrets.token_bytes(32), repr=False)
    _remembered: OrderedDict[bytes, tuple[float, Principal]] = field(
        init=False, factory=OrderedDict, repr=False
    )
    _checks: dict[tuple[bytes, str], Check] = field(init=False, factory=dict, repr=False)
    _log = Logger()

    def __attrs_post_init__(self) -> None:
        self._throttle = Throttle(self._clock, self._settings.failure_delay)

    def digest(self, proof: str) -> bytes:
        """What a proof is remembered under."""
        return blake2b(proof.encode("utf-8", "surrogatepass"), key=self._key).digest()

    async def principal(
        self, digest: bytes, name: str, address: str, check: Callable[[], Awaitable[Verdict]]
    ) -> Principal:
        """Who stands behind a proof.

        :param name: whose failures are counted together, besides those of the address.
        :param check: finds it out; called when nobody knows it yet.
        :raises NotAuthenticated: it is wrong; told after a delay.
        :raises TooManyRequests: too many failures lately, or too many who wait for this.
        :raises Exception: what the check raised, which counts as no failure.
        """
        remembered = self._remembered.get(digest)
        if remembered is not None:
            if self._clock.seconds() < remembered[0]:
                return remembered[1]
            del self._remembered[digest]
        # By address as well: a failure is put down to the address that it came from.
        key = (digest, address)
        under_way = self._checks.get(key)
        if under_way is None:
            attempt = self._throttle.admit(name, address)
            under_way = self._checks[key] = Check()
            waiter = wait_for(under_way)
            Deferred.fromCoroutine(self._find_out(key, under_way, attempt, check))
            return await waiter
        if len(under_way.waiters) >= WAITERS_MAX:
            raise TooManyRequests("too many sign-ins with these credentials", retry_after=1.0)
        return await wait_for(under_way)

    async def _find_out(
        self,
        key: tuple[bytes, str],
        under_way: Check,
        attempt: Attempt,
        check: Callable[[], Awaitable[Verdict]],
    ) -> None:
        """Find out once, for everybody who waits, and whether or not they still do."""
        try:
            verdict = await check()
        except Exception:
            self._throttle.abandoned(attempt)
            self._tell(key, under_way, Failure())
            return
        if verdict.account_id is not None and verdict.is_right:
            self._throttle.succeeded(attempt)
            principal = Principal(verdict.account_id, self._sign_in)
            self._remember(key[0], principal, verdict.lasts)
            self._tell(key, under_way, principal)
            return
        delay = self._throttle.failed(attempt)
        self._log.info(
            "sign-in by {kind} from {address} failed (account: {account_id}), "
            "answered in {delay} s",
            kind=self._sign_in.value,
            address=attempt.address,
            account_id=verdict.account_id,
            delay=delay,
        )
        await deferLater(self._clock, delay)
        self._tell(key, under_way, Failure(NotAuthenticated(self._wrong)))

    def _tell(self, key: tuple[bytes, str], under_way: Check, found: Principal | Failure) -> None:
        del self._checks[key]
        for waiter in under_way.waiters:
            if isinstance(found, Failure):
                waiter.errback(found)
            else:
                waiter.callback(found)

    def _remember(self, digest: bytes, principal: Principal, lasts: float | None) -> None:
        now = self._clock.seconds()
        seconds = self._settings.credential_cache
        if lasts is not None:
            seconds = min(seconds, lasts)
        self._remembered[digest] = (now + seconds, principal)
        # Most are kept equally long, so the first ones in are the first to expire.
        while self._remembered:
            oldest = next(iter(self._remembered))
            if len(self._remembered) <= REMEMBERED_MAX and now < self._remembered[oldest][0]:
                break
            del self._remembered[oldest]


def wait_for(under_way: Check) -> Deferred[Principal]:
    waiter: Deferred[Principal] = Deferred()
    under_way.waiters.append(waiter)
    return waiter
