"""Slows down who guesses passwords, without locking out who knows them.

Failed attempts are counted in *tallies*: one per account, one per address,
and one per pair of the two for an address from which that account has signed
in before.  Such a pair is judged by its own tally alone, so nobody elsewhere
can slow an owner down; a stranger is judged by the account's and by the
address's.  A proof that was right before is judged by neither: who brings it is
no guesser.  Only failures wait; a right password is never delayed.

Where more strangers want to sign in to an account than may, or in all, they
stand in line (:mod:`stacksync.auth.line`): many guessers can make an owner who
comes from nowhere known wait, but not for good.

It must not know passwords, hashes or protocols.  Everything it remembers is
bounded, whatever guessers send.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from typing import TYPE_CHECKING

from attrs import define, field

from stacksync.auth.line import PATIENCE, Line, network_of
from stacksync.errors import TooManyRequests

if TYPE_CHECKING:
    from twisted.internet.interfaces import IReactorTime

LONGEST_DELAY = 8.0
FREE_FAILURES = {"account": 0, "address": 3, "proof": 0}
BUSY_PER_TALLY = 8
# NIST SP 800-63B, rate limiting: no more than 100 failures in a row for an account.  To stop
# there would lock its owner out, so it goes on at a quarter of the pace.
MANY_FAILURES = 100
BUSY_AFTER_MANY = 2
PAIRS_PER_ACCOUNT = 64
LINES_MAX = 200
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
    :ivar line: who waits for a place, if turns are taken.
    """

    free_failures: int = 0
    failures: int = 0
    busy: int = 0
    latest: float = 0.0
    line: Line | None = None

    @property
    def places(self) -> int:
        """How many attempts there may be at a time."""
        return BUSY_PER_TALLY if self.failures < MANY_FAILURES else BUSY_AFTER_MANY

    @property
    def is_open(self) -> bool:
        """Whether nobody counts the places yet."""
        return self.failures < self.free_failures


@define(eq=False)
class Everybody(Tally):
    """All strangers together: their failures are nobody's, but there are only so many places."""

    @property
    def places(self) -> int:
        return BUSY_MAX


@define(eq=False)
class Attempt:
    """One sign-in under way; tell :meth:`Throttle.succeeded` or :meth:`~Throttle.failed`."""

    email: str
    address: str
    tallies: tuple[Tally, ...]
    stranger: bool
    proven: bool = False


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
    _pairs: OrderedDict[str, OrderedDict[str, Tally]] = field(init=False, factory=OrderedDict)
    _lines: OrderedDict[Line, None] = field(init=False, factory=OrderedDict)
    _all: Tally = field(init=False, factory=lambda: Everybody(line=Line()))

    def knows(self, email: str, address: str) -> bool:
        """Whether the account has signed in from this address before."""
        return self._pair(account_of(email), network_of(address)) is not None

    def admit(self, email: str, address: str, proof: str | None = None) -> Attempt:
        """Let an attempt go ahead.

        :param proof: stands for what the attempt is made with, if that was right before.
        :raises TooManyRequests: too many attempts are being checked or waited
            out: for this account, from this address, or in all.
        """
        email, address = account_of(email), network_of(address)
        tallies, stranger = self._judges(email, address, proof)
        self._check_places((*reversed(tallies), *([self._all] if stranger else [])), address)
        attempt = Attempt(email, address, tallies, stranger, proof is not None)
        self._occupy(attempt, 1)
        return attempt

    def abandoned(self, attempt: Attempt) -> None:
        """The attempt was neither right nor wrong: it could not be checked."""
        self._occupy(attempt, -1)

    def succeeded(self, attempt: Attempt) -> None:
        """The password was right: from now on this address is known to this account."""
        self._occupy(attempt, -1)
        pairs = self._pairs.setdefault(attempt.email, OrderedDict())
        pairs.setdefault(attempt.address, Tally()).failures = 0
        pairs.move_to_end(attempt.address)
        self._pairs.move_to_end(attempt.email)
        # An account with many addresses must not make us forget those of others.
        if len(pairs) > PAIRS_PER_ACCOUNT:
            pairs.popitem(last=False)
        if len(self._pairs) > TALLIES_MAX:
            self._pairs.popitem(last=False)

    def failed(self, attempt: Attempt) -> float:
        """The password was wrong.

        :returns: seconds to wait before saying so.  The attempt takes up its
            place that long, whether or not anybody stays to hear the answer:
            hanging up and trying again is no way round the wait.
        """
        now = self._clock.seconds()
        if attempt.proven:
            # Right no more: from now on it is a guess like any other.
            self._occupy(attempt, -1)
            attempt.tallies, attempt.stranger = self._judges(attempt.email, attempt.address)
            self._occupy(attempt, 1)
        for tally in attempt.tallies:
            tally.failures += 1
            tally.latest = now
        delay = max(map(self._delay, attempt.tallies))
        self._clock.callLater(delay, self._occupy, attempt, -1)
        return delay

    def _pair(self, email: str, address: str) -> Tally | None:
        pairs = self._pairs.get(email)
        return pairs.get(address) if pairs is not None else None

    def _judges(
        self, email: str, address: str, proof: str | None = None
    ) -> tuple[tuple[Tally, ...], bool]:
        """Whose failures count for an attempt, and whether it is a stranger's."""
        if proof is not None:
            return (self._tally("proof", proof),), False
        pair = self._pair(email, address)
        if pair is not None:
            return (self._fresh(pair),), False
        return (self._tally("account", email), self._tally("address", address)), True

    def _check_places(self, tallies: Sequence[Tally], address: str) -> None:
        """:raises TooManyRequests: in one of them there is no place for this address now."""
        for number, tally in enumerate(tallies):
            if not self._has_place(tally, address):
                again = self._delay(tally)
                # Who has waited for his turn in a line before keeps it meanwhile.
                for each in tallies[: number + 1]:
                    again = max(again, self._wait(each, address))
                raise TooManyRequests(
                    "too many sign-ins at once for this account, or failures from this address,"
                    " or in all",
                    retry_after=min(again, max(LONGEST_DELAY, PATIENCE / 2)),
                )
        for tally in tallies:
            if tally.line is not None:
                tally.line.goes(address)

    def _has_place(self, tally: Tally, address: str) -> bool:
        free = tally.places - tally.busy
        if tally.is_open or tally.line is None:
            return tally.is_open or free > 0
        return tally.line.may_go(address, free, self._clock.seconds())

    def _wait(self, tally: Tally, address: str) -> float:
        """Stand in line, if there is one; for how many seconds, as it looks."""
        if tally.line is None:
            return 0.0
        before = tally.line.wait(address, self._clock.seconds())
        if tally is not self._all:
            self._keep_line(tally.line)
        return self._delay(tally) * (1 + before / tally.places)

    def _keep_line(self, line: Line) -> None:
        self._lines[line] = None
        self._lines.move_to_end(line)
        if len(self._lines) > LINES_MAX:
            self._lines.popitem(last=False)[0].clear()

    def _tally(self, kind: str, name: str) -> Tally:
        tally = self._tallies.get((kind, name))
        if tally is None:
            tally = self._tallies[kind, name] = Tally(FREE_FAILURES[kind])
            # Of an address only those it calls itself could take turns, which cost nothing.
            tally.line = Line() if kind == "account" else None
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
            self._all.busy += places


def account_of(email: str) -> str:
    """Under which name an e-mail is counted.

    What the database takes for one has to be one here: to it the lower case of a letter is
    always a single one, to Python that of a dotted capital I is two.
    """
    return "".join(letter.lower()[0] for letter in email[:EMAIL_KEPT])
