"""Slows down who guesses passwords, without locking out who knows them.

Failed attempts are counted in *tallies*: one per account, one per address,
and one per pair of the two for an address from which that account has signed
in before.  Such a pair is judged by its own tally alone, so nobody elsewhere
can slow an owner down; a stranger is judged by the account's and by the
address's.  Only failures wait; a right password is never delayed.

It must not know passwords, hashes or protocols.  Everything it remembers is
bounded, whatever guessers send.
"""

from __future__ import annotations

import ipaddress
from collections import OrderedDict
from typing import TYPE_CHECKING

from attrs import define, field

from stacksync.errors import TooManyRequests

if TYPE_CHECKING:
    from twisted.internet.interfaces import IReactorTime

LONGEST_DELAY = 8.0
FREE_FAILURES = {"account": 0, "address": 3}
BUSY_PER_TALLY = 8
BUSY_MAX = 1000
TALLIES_MAX = 10_000
FORGET_AFTER = 900.0
# The longest address that SMTP can carry (RFC 5321 §4.5.3.1), with room to spare.
EMAIL_KEPT = 320


@define(eq=False)
class Tally:
    """The failures of one account, address or pair.

    :ivar free_failures: how many failures there must be before the places for
        attempts are counted.  Different passwords for one account at the same
        time are guesses; different accounts at one address may be an office.
    :ivar failures: in a row, none further apart than ``FORGET_AFTER`` seconds.
    :ivar busy: attempts being checked, and failures being waited out.
    :ivar latest: when the last failure was, in seconds of the clock.
    """

    free_failures: int = 0
    failures: int = 0
    busy: int = 0
    latest: float = 0.0


@define(eq=False)
class Attempt:
    """One sign-in under way; tell :meth:`Throttle.succeeded` or :meth:`~Throttle.failed`."""

    email: str
    address: str
    tallies: tuple[Tally, ...]
    stranger: bool


@define(eq=False)
class Throttle:
    """Counts failures and says how long each is to wait.

    :param clock: where time comes from.
    :param failure_delay: seconds that the first failure waits; each further
        one waits twice as long, up to ``LONGEST_DELAY`` or, if that is longer,
        this delay.
    """

    _clock: IReactorTime
    _failure_delay: float
    _tallies: OrderedDict[tuple[str, str], Tally] = field(init=False, factory=OrderedDict)
    _pairs: OrderedDict[tuple[str, str], Tally] = field(init=False, factory=OrderedDict)
    _busy: int = field(init=False, default=0)

    def admit(self, email: str, address: str) -> Attempt:
        """Let an attempt go ahead.

        :raises TooManyRequests: too many attempts are being checked or waited
            out: for this account, from this address, or in all.
        """
        email = email[:EMAIL_KEPT].lower()
        address = network_of(address)
        pair = self._pairs.get((email, address))
        if pair is None:
            tallies: tuple[Tally, ...] = (
                self._tally("account", email),
                self._tally("address", address),
            )
            if self._busy >= BUSY_MAX:
                raise TooManyRequests("too many sign-ins are failing", retry_after=LONGEST_DELAY)
        else:
            tallies = (self._fresh(pair),)
        for tally in tallies:
            if tally.failures >= tally.free_failures and tally.busy >= BUSY_PER_TALLY:
                raise TooManyRequests(
                    "too many sign-ins at once for this account, or failures from this address",
                    retry_after=self._delay(tally),
                )
        attempt = Attempt(email, address, tallies, pair is None)
        self._occupy(attempt, 1)
        return attempt

    def abandoned(self, attempt: Attempt) -> None:
        """The attempt was neither right nor wrong: it could not be checked."""
        self._occupy(attempt, -1)

    def succeeded(self, attempt: Attempt) -> None:
        """The password was right: from now on this address is known to this account."""
        self._occupy(attempt, -1)
        pair = self._pairs.setdefault((attempt.email, attempt.address), Tally())
        pair.failures = 0
        self._pairs.move_to_end((attempt.email, attempt.address))
        while len(self._pairs) > TALLIES_MAX:
            self._pairs.popitem(last=False)

    def failed(self, attempt: Attempt) -> float:
        """The password was wrong.

        :returns: seconds to wait before saying so.  The attempt takes up its
            place that long, whether or not anybody stays to hear the answer:
            hanging up and trying again is no way round the wait.
        """
        now = self._clock.seconds()
        for tally in attempt.tallies:
            tally.failures += 1
            tally.latest = now
        delay = max(map(self._delay, attempt.tallies))
        self._clock.callLater(delay, self._occupy, attempt, -1)
        return delay

    def _tally(self, kind: str, name: str) -> Tally:
        tally = self._tallies.get((kind, name))
        if tally is None:
            tally = self._tallies[kind, name] = Tally(FREE_FAILURES[kind])
            while len(self._tallies) > TALLIES_MAX:
                self._tallies.popitem(last=False)
            return tally
        self._tallies.move_to_end((kind, name))
        return self._fresh(tally)

    def _fresh(self, tally: Tally) -> Tally:
        if tally.failures and self._clock.seconds() - tally.latest > FORGET_AFTER:
            tally.failures = 0
        return tally

    def _delay(self, tally: Tally) -> float:
        # The exponent is capped because a float overflows where an account is
        # attacked for long enough.
        doublings = min(tally.failures - 1, 30)
        longest = max(LONGEST_DELAY, self._failure_delay)
        return min(self._failure_delay * 2.0**doublings, longest)

    def _occupy(self, attempt: Attempt, places: int) -> None:
        for tally in attempt.tallies:
            tally.busy += places
        if attempt.stranger:
            self._busy += places


def network_of(address: str) -> str:
    """Whom an address stands for: itself, or its /64 where it is IPv6.

    A single IPv6 customer has 2⁶⁴ addresses to guess from (RFC 6177).
    """
    if ":" not in address:
        return address
    try:
        parsed = ipaddress.IPv6Address(address.partition("%")[0])
    except ValueError:
        return address
    if parsed.ipv4_mapped is not None:
        return str(parsed.ipv4_mapped)
    return str(ipaddress.IPv6Network((parsed, 64), strict=False).network_address)
