"""Logging in to the broker: with a device's own token, and nothing else."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

import pytest
from attrs import define, field
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock

from stacksync.auth.broker_logins import LONGEST_DELAY, BrokerLogins
from stacksync.db.tokens import FoundToken
from stacksync.model import AuditEvent, AuditKind, Scope, Token

ANNA, BERT = UUID(int=1), UUID(int=2)
SYNC, READING, BERTS = (f"stk_{letter * 43}" for letter in "abc")


@define
class Known:
    """Stands for tokens and accounts."""

    looked_up: list[str] = field(factory=list)
    events: list[AuditEvent] = field(factory=list)

    async def shown(self, secret: str) -> FoundToken | None:
        self.looked_up.append(secret)
        known = {
            SYNC: (ANNA, Scope.SYNC),
            READING: (ANNA, Scope.READ_ONLY),
            BERTS: (BERT, Scope.SYNC),
        }
        if secret not in known:
            return None
        account_id, scope = known[secret]
        now = datetime(2026, 11, 21, tzinfo=UTC)
        id_ = UUID(int=9)
        token = Token(id_, account_id, "laptop", scope, id_, None, None, now, None, None)
        return FoundToken(token, None)

    async def account_of(self, login: str) -> UUID | None:
        return {"anna@example.org": ANNA, str(ANNA): ANNA, str(BERT): BERT}.get(login)


@pytest.fixture
def known() -> Known:
    return Known()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def logins(clock: Clock, known: Known) -> BrokerLogins:
    return BrokerLogins(clock, known, known, 0.5, known.events.append)


def asked(logins: BrokerLogins, login: str, password: str) -> Deferred[bool]:
    return Deferred.fromCoroutine(logins.allows(login, password))


@pytest.mark.parametrize("login", ["anna@example.org", str(ANNA)])
def test_an_account_logs_in_with_a_token_of_its_own(
    login: str, logins: BrokerLogins, known: Known
) -> None:
    assert asked(logins, login, SYNC).result is True
    assert [event.kind for event in known.events] == [AuditKind.SIGNED_IN]


@pytest.mark.parametrize(
    ("login", "password"),
    [
        (str(ANNA), READING),
        (str(ANNA), BERTS),
        (str(BERT), SYNC),
        ("nobody", SYNC),
        (str(ANNA), f"stk_{'x' * 43}"),
        (str(ANNA), "correct horse"),
        (str(ANNA), ""),
    ],
)
def test_nobody_logs_in_with_anything_else(
    login: str, password: str, logins: BrokerLogins, known: Known, clock: Clock
) -> None:
    answer = asked(logins, login, password)
    assert not answer.called
    clock.advance(0.5)

    assert answer.result is False
    assert [event.kind for event in known.events] == [AuditKind.REFUSED]
    assert password not in known.looked_up or password.startswith("stk_")


def test_who_guesses_waits_longer_each_time_and_the_owner_never(
    logins: BrokerLogins, clock: Clock
) -> None:
    waits = []
    for _ in range(6):
        answer, started = asked(logins, str(ANNA), "guess"), clock.seconds()
        while not answer.called:
            clock.advance(0.25)
        waits.append(clock.seconds() - started)
        # What others guess meanwhile is no reason to let the owner wait.
        guess = asked(logins, str(ANNA), "guess")
        assert asked(logins, str(BERT), BERTS).result is True
        guess.cancel()
        guess.addErrback(lambda failure: None)

    assert waits == sorted(waits)
    assert waits[-1] == LONGEST_DELAY
    assert asked(logins, str(ANNA), SYNC).result is True


def test_a_token_in_the_place_of_the_login_is_not_written_down(
    logins: BrokerLogins, known: Known
) -> None:
    asked(logins, SYNC, str(ANNA))

    assert SYNC not in repr(known.events)


@pytest.mark.parametrize(
    ("login", "account_id", "email"),
    [
        ("anna@example.org", None, "anna@example.org"),
        (str(ANNA), ANNA, None),
        ("correct horse battery staple", None, None),
        (SYNC, None, None),
    ],
)
def test_a_refusal_tells_whose_login_it_was_and_no_password_in_its_place(
    login: str, account_id: UUID | None, email: str | None, logins: BrokerLogins, known: Known
) -> None:
    asked(logins, login, "anna@example.org")
    (event,) = known.events
    assert (event.kind, event.account_id, event.email) == (AuditKind.REFUSED, account_id, email)
    assert "correct" not in str(event)
