"""Who has proved lately who they are: remembered for a short while, checked once at a time.

What all ways of signing in do alike.  A proof that was right is remembered
under a keyed digest; sign-ins with the same proof at the same time share one
check; one that was wrong is answered late (:mod:`stacksync.auth.throttle`).
That a proof was right once is remembered longer: it is checked again, but who
brings it does not have to wait behind guessers, wherever they all come from.
The proof itself is never kept or logged, and the key of the digest dies with
the process.
"""

from __future__ import annotations

import secrets
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from datetime import datetime
from hashlib import blake2b
from typing import TYPE_CHECKING
from uuid import UUID

from attrs import define, field, frozen
from twisted.internet.defer import Deferred
from twisted.internet.task import deferLater
from twisted.python.failure import Failure

from stacksync.auth.line import network_of
from stacksync.auth.noting import Note, nobody_notes, refused, signed_in
from stacksync.auth.throttle import Attempt, Throttle, account_of
from stacksync.auth.turns import Lane, Turn
from stacksync.errors import NotAuthenticated, TooManyRequests
from stacksync.model import Principal, Scope, SignIn

if TYPE_CHECKING:
    from twisted.internet.interfaces import IReactorTime

    from stacksync.config import AuthConfig

REMEMBERED_MAX = 10_000
PROVEN_MAX = 10_000
WAITERS_MAX = 256

# What the audit says of refusals.
WRONG = "wrong"
TOO_MANY = "too many attempts"


@frozen
class Verdict:
    """What a check has found.

    :ivar account_id: whose account it is about, right or not; ``None``: nobody's.
    :ivar is_right: whether that was proved.
    :ivar lasts: seconds for which it is true at the most, from some moment of the check on;
        ``None``: nobody knows.
    :ivar grant_id: see :class:`~stacksync.model.Principal`, as the three after it.
    """

    account_id: UUID | None
    is_right: bool
    lasts: float | None = None
    grant_id: UUID | None = None
    scope: Scope = Scope.SYNC
    device_id: UUID | None = None
    expires_at: datetime | None = None


NOBODY = Verdict(None, False)


@define(eq=False)
class Check:
    """One check under way, and who waits for what comes of it.

    :ivar forgotten: accounts of which something has ceased to hold meanwhile.
    """

    waiters: list[Deferred[Principal]] = field(factory=list)
    forgotten: set[UUID] = field(factory=set)


@define(eq=False)
class Proofs:
    """Checks and remembers one kind of proof.

    :param sign_in: which kind.
    :param wrong: what is said of every proof that is wrong.
    :param note: takes what is for the audit.
    """

    _clock: IReactorTime
    _settings: AuthConfig
    _sign_in: SignIn
    _wrong: str
    _note: Note = nobody_notes
    _throttle: Throttle = field(init=False)
    _key: bytes = field(init=False, factory=lambda: secrets.token_bytes(32), repr=False)
    _remembered: OrderedDict[bytes, tuple[float, Principal]] = field(
        init=False, factory=OrderedDict, repr=False
    )
    _of_account: dict[UUID, set[bytes]] = field(init=False, factory=dict, repr=False)
    _proven: OrderedDict[bytes, None] = field(init=False, factory=OrderedDict, repr=False)
    _checks: dict[tuple[bytes, str], Check] = field(init=False, factory=dict, repr=False)

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
            self._drop(digest)
        # By address as well: a failure is put down to the address that it came from.
        key = (digest, address)
        under_way = self._checks.get(key)
        if under_way is None:
            proof = digest.hex() if digest in self._proven else None
            attempt = self._admitted(name, address, proof)
            under_way = self._checks[key] = Check()
            waiter = wait_for(under_way)
            Deferred.fromCoroutine(self._find_out(key, under_way, attempt, name, check))
            return await waiter
        if len(under_way.waiters) >= WAITERS_MAX:
            raise TooManyRequests("too many sign-ins with these credentials", retry_after=1.0)
        return await wait_for(under_way)

    def turn(self, digest: bytes, name: str, address: str) -> Turn:
        """Whom a check of this has to wait behind, if it costs as much as a hash."""
        if digest in self._proven or self._throttle.knows(name, address):
            return Turn(Lane.KNOWN, account_of(name))
        return Turn(Lane.STRANGER, network_of(address))

    def forget(self, account_id: UUID) -> None:
        """Remember nothing of an account, for something of it may hold no more.

        A check that is under way looks once more.
        """
        for digest in list(self._of_account.get(account_id, ())):
            self._drop(digest)
        for under_way in self._checks.values():
            under_way.forgotten.add(account_id)

    def impossible(self, address: str) -> NotAuthenticated:
        """The error for what need not be looked up, as it can't be such a proof at all."""
        self._note(refused(self._sign_in, address, WRONG))
        return NotAuthenticated(self._wrong)

    def _admitted(self, name: str, address: str, proof: str | None) -> Attempt:
        try:
            return self._throttle.admit(name, address, proof)
        except TooManyRequests:
            self._note(refused(self._sign_in, address, TOO_MANY, name=name))
            raise

    async def _find_out(
        self,
        key: tuple[bytes, str],
        under_way: Check,
        attempt: Attempt,
        name: str,
        check: Callable[[], Awaitable[Verdict]],
    ) -> None:
        """Find out once, for everybody who waits, and whether or not they still do."""
        try:
            verdict, began = await self._checked(under_way, check)
        except Exception:
            self._throttle.abandoned(attempt)
            self._tell(key, under_way, Failure())
            return
        if verdict.account_id is not None and verdict.is_right:
            self._throttle.succeeded(attempt)
            principal = Principal(
                verdict.account_id,
                self._sign_in,
                verdict.device_id,
                verdict.scope,
                verdict.grant_id,
                verdict.expires_at,
            )
            self._note(signed_in(principal, key[1]))
            self._remember(
                key[0], principal, None if verdict.lasts is None else began + verdict.lasts
            )
            self._tell(key, under_way, principal)
            return
        self._proven.pop(key[0], None)
        delay = self._throttle.failed(attempt)
        self._note(refused(self._sign_in, key[1], WRONG, name=name, account_id=verdict.account_id))
        await deferLater(self._clock, delay)
        self._tell(key, under_way, Failure(NotAuthenticated(self._wrong)))

    async def _checked(
        self, under_way: Check, check: Callable[[], Awaitable[Verdict]]
    ) -> tuple[Verdict, float]:
        """What a check has found, and when it was begun."""
        while True:
            under_way.forgotten.clear()
            began = self._clock.seconds()
            verdict = await check()
            # What was read before it ceased to hold would else be remembered after that.
            if verdict.account_id not in under_way.forgotten:
                return verdict, began

    def _tell(self, key: tuple[bytes, str], under_way: Check, found: Principal | Failure) -> None:
        del self._checks[key]
        for waiter in under_way.waiters:
            if isinstance(found, Failure):
                waiter.errback(found)
            else:
                waiter.callback(found)

    def _remember(self, digest: bytes, principal: Principal, ends: float | None) -> None:
        self._proven[digest] = None
        self._proven.move_to_end(digest)
        if len(self._proven) > PROVEN_MAX:
            self._proven.popitem(last=False)
        now = self._clock.seconds()
        until = now + self._settings.credential_cache
        if ends is not None:
            until = min(until, ends)
        self._remembered[digest] = (until, principal)
        self._of_account.setdefault(principal.account_id, set()).add(digest)
        # Most are kept equally long, so the first ones in are the first to expire.
        while self._remembered:
            oldest = next(iter(self._remembered))
            if len(self._remembered) <= REMEMBERED_MAX and now < self._remembered[oldest][0]:
                break
            self._drop(oldest)

    def _drop(self, digest: bytes) -> None:
        _, principal = self._remembered.pop(digest)
        digests = self._of_account[principal.account_id]
        digests.discard(digest)
        if not digests:
            del self._of_account[principal.account_id]


def wait_for(under_way: Check) -> Deferred[Principal]:
    waiter: Deferred[Principal] = Deferred()
    under_way.waiters.append(waiter)
    return waiter
