"""A proof that was right before is no guess: who brings it does not wait behind guessers."""

from __future__ import annotations

from uuid import UUID, uuid4

import pytest
from attrs import define, field
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.python.failure import Failure

from stacksync.auth import proofs
from stacksync.auth.proofs import Verdict
from stacksync.auth.sign_in import PasswordAuthenticator
from stacksync.auth.throttle import BUSY_PER_TALLY
from stacksync.auth.turns import ANYBODY, Lane, Turn
from stacksync.config import AuthConfig
from stacksync.errors import TooManyRequests
from stacksync.model import Principal, SignIn

ANNA = "anna@example.org"
HOME, NEW = "192.0.2.1", "203.0.113.9"


@define
class Verifier:
    """Knows Anna's password, and writes down whose turn each check was."""

    right: str = "right"
    anna: UUID = field(factory=uuid4)
    turns: list[Turn] = field(factory=list)

    async def verify(self, email: str, password: str, turn: Turn = ANYBODY) -> Verdict:
        self.turns.append(turn)
        return Verdict(self.anna, email.lower() == ANNA and password == self.right)


@pytest.fixture
def verifier() -> Verifier:
    return Verifier()


@pytest.fixture
def authenticator(clock: Clock, verifier: Verifier, settings: AuthConfig) -> PasswordAuthenticator:
    return PasswordAuthenticator(clock, verifier, settings)


def sign_in(
    authenticator: PasswordAuthenticator, password: str, address: str, email: str = ANNA
) -> object:
    """What comes of it at once: a principal, an exception, or ``None``."""
    results: list[object] = []
    asked = Deferred.fromCoroutine(authenticator.authenticate(email, password, address))
    asked.addBoth(results.append)
    if not results:
        return None
    return results[0].value if isinstance(results[0], Failure) else results[0]


def attack(authenticator: PasswordAuthenticator) -> None:
    """Guess until no stranger is let through any more."""
    for number in range(BUSY_PER_TALLY):
        sign_in(authenticator, f"guess {number}", f"198.51.100.{number}")
    assert isinstance(sign_in(authenticator, "a guess", NEW), TooManyRequests)


def test_who_brings_what_was_right_is_let_in_from_anywhere_in_the_middle_of_an_attack(
    authenticator: PasswordAuthenticator, verifier: Verifier, clock: Clock
) -> None:
    assert sign_in(authenticator, "right", HOME)
    clock.advance(61)
    attack(authenticator)

    found = sign_in(authenticator, "right", "203.0.113.10", ANNA.upper())

    assert found == Principal(verifier.anna, SignIn.PASSWORD)
    assert verifier.turns[0] == Turn(Lane.STRANGER, HOME)
    assert verifier.turns[-1] == Turn(Lane.KNOWN, ANNA)
    assert {turn.lane for turn in verifier.turns[1:-1]} == {Lane.STRANGER}


def test_it_is_so_even_when_something_of_the_account_has_ended(
    authenticator: PasswordAuthenticator, verifier: Verifier
) -> None:
    assert sign_in(authenticator, "right", HOME)
    authenticator.forget(verifier.anna)
    attack(authenticator)

    assert isinstance(sign_in(authenticator, "right", "203.0.113.10"), Principal)
    assert len(verifier.turns) == BUSY_PER_TALLY + 2, "it was looked at again"


def test_an_address_where_the_account_was_signed_in_is_known_whatever_it_brings(
    authenticator: PasswordAuthenticator, verifier: Verifier
) -> None:
    assert sign_in(authenticator, "right", HOME)

    sign_in(authenticator, "a slip", HOME)
    sign_in(authenticator, "a slip", "2001:db8:1:2:3::4")

    assert verifier.turns[1:] == [
        Turn(Lane.KNOWN, ANNA),
        Turn(Lane.STRANGER, "2001:db8:1:2::"),
    ]


def test_what_is_right_no_more_is_a_guess_from_then_on(
    authenticator: PasswordAuthenticator, verifier: Verifier, clock: Clock
) -> None:
    assert sign_in(authenticator, "right", HOME)
    verifier.right = "changed"
    authenticator.forget(verifier.anna)

    assert sign_in(authenticator, "right", NEW) is None, "the answer is held back"
    clock.advance(8)
    attack(authenticator)
    assert isinstance(sign_in(authenticator, "right", NEW), TooManyRequests)
    assert sign_in(authenticator, "changed", HOME) is not None


def test_what_is_remembered_for_that_is_bounded(
    authenticator: PasswordAuthenticator, verifier: Verifier, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(proofs, "PROVEN_MAX", 5)
    for number in range(20):
        verifier.right = f"right {number}"
        assert isinstance(sign_in(authenticator, verifier.right, HOME), Principal)

    assert len(authenticator._proofs._proven) == 5
