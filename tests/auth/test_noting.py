"""The audit hears who has signed in and who was refused, and never with what."""

from __future__ import annotations

from uuid import UUID, uuid4

import pytest
from pytest_twisted import ensureDeferred
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock

from stacksync.auth.bearer import BearerAuthenticator
from stacksync.auth.noting import refused, signed_in
from stacksync.auth.proofs import NOBODY, Verdict
from stacksync.auth.sign_in import PasswordAuthenticator
from stacksync.auth.turns import ANYBODY, Turn
from stacksync.config import AuthConfig
from stacksync.db.tokens import FoundToken
from stacksync.errors import NotAuthenticated, TooManyRequests, Unavailable
from stacksync.model import AuditEvent, AuditKind, Principal, SignIn

ANNA = "anna@example.org"
HOME = "192.0.2.1"
AWAY = "away"


class Verifier:
    """Knows one account, whose password is ``right``."""

    def __init__(self) -> None:
        self.account_id = uuid4()

    async def verify(self, email: str, password: str, turn: Turn = ANYBODY) -> Verdict:
        if password == AWAY:
            raise Unavailable("database", "away")
        return Verdict(self.account_id, password == "right") if email == ANNA else NOBODY


class NoTokens:
    async def shown(self, secret: str) -> FoundToken | None:
        return None


@pytest.fixture
def noted() -> list[AuditEvent]:
    return []


@pytest.fixture
def verifier() -> Verifier:
    return Verifier()


@pytest.fixture
def passwords(
    clock: Clock, verifier: Verifier, settings: AuthConfig, noted: list[AuditEvent]
) -> PasswordAuthenticator:
    return PasswordAuthenticator(clock, verifier, settings, noted.append)


def tried(
    passwords: PasswordAuthenticator, password: str, email: str = ANNA
) -> Deferred[Principal]:
    return Deferred.fromCoroutine(passwords.authenticate(email, password, HOME))


@ensureDeferred
async def test_a_sign_in_is_noted_when_it_is_checked_and_not_when_it_is_remembered(
    passwords: PasswordAuthenticator, verifier: Verifier, noted: list[AuditEvent]
) -> None:
    for _ in range(3):
        await tried(passwords, "right")
    (event,) = noted
    assert event == AuditEvent(
        AuditKind.SIGNED_IN, verifier.account_id, address=HOME, sign_in=SignIn.PASSWORD
    )


@ensureDeferred
async def test_a_refusal_is_noted_at_once_with_the_name_and_the_account_if_there_is_one(
    passwords: PasswordAuthenticator, verifier: Verifier, noted: list[AuditEvent], clock: Clock
) -> None:
    waiting = [tried(passwords, "wrong"), tried(passwords, "wrong", "nobody@example.org")]
    wrong = {"address": HOME, "sign_in": SignIn.PASSWORD, "detail": {"problem": "wrong"}}
    assert noted == [
        AuditEvent(AuditKind.REFUSED, verifier.account_id, email=ANNA, **wrong),  # type: ignore[arg-type]
        AuditEvent(AuditKind.REFUSED, email="nobody@example.org", **wrong),  # type: ignore[arg-type]
    ]
    clock.advance(60.0)
    for each in waiting:
        with pytest.raises(NotAuthenticated):
            await each


@ensureDeferred
async def test_who_comes_too_often_is_noted_as_well(
    passwords: PasswordAuthenticator, noted: list[AuditEvent], clock: Clock
) -> None:
    waiting = [tried(passwords, f"wrong {n}") for n in range(30)]
    problems = [each.detail["problem"] for each in noted]
    assert len(problems) == 30
    assert set(problems) == {"wrong", "too many attempts"}
    assert {each.email for each in noted} == {ANNA}
    clock.advance(60.0)
    for each in waiting:
        with pytest.raises((NotAuthenticated, TooManyRequests)):
            await each


@ensureDeferred
async def test_what_could_not_be_checked_is_no_refusal(
    passwords: PasswordAuthenticator, noted: list[AuditEvent]
) -> None:
    with pytest.raises(Unavailable):
        await tried(passwords, AWAY)
    assert noted == []


@ensureDeferred
async def test_what_is_no_token_is_refused_and_noted_without_it(
    clock: Clock, settings: AuthConfig, noted: list[AuditEvent]
) -> None:
    bearer = BearerAuthenticator(clock, NoTokens(), settings, noted.append)  # type: ignore[arg-type]
    with pytest.raises(NotAuthenticated):
        await bearer.authenticate_token("my password", HOME)
    unknown = Deferred.fromCoroutine(bearer.authenticate_token("stk_" + "x" * 43, HOME))
    clock.advance(60.0)
    with pytest.raises(NotAuthenticated):
        await unknown
    expected = AuditEvent(
        AuditKind.REFUSED, address=HOME, sign_in=SignIn.TOKEN, detail={"problem": "wrong"}
    )
    assert noted == [expected, expected]


def test_a_password_in_the_wrong_field_is_not_told() -> None:
    event = refused(SignIn.PASSWORD, HOME, "wrong", name="correct horse")
    assert event.email is None
    assert "correct horse" not in repr(event)
    assert event.detail["name"] == "what was given as the e-mail is none"


def test_a_token_is_told_by_its_id_and_its_device() -> None:
    account_id, device_id, token_id = uuid4(), uuid4(), uuid4()
    principal = Principal(account_id, SignIn.TOKEN, device_id, grant_id=token_id)
    assert signed_in(principal, HOME).detail == {"token_id": token_id, "device_id": device_id}
    by_password = Principal(account_id, SignIn.PASSWORD, grant_id=UUID(int=1))
    assert signed_in(by_password, HOME).detail == {}
