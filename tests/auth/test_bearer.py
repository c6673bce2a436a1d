"""Signing in by a device's token: looked up once, then remembered until it may hold no more."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from attrs import evolve
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.python.failure import Failure
from zope.interface.verify import verifyObject

from stacksync.auth.bearer import BearerAuthenticator
from stacksync.config import AuthConfig
from stacksync.db.tokens import FoundToken
from stacksync.engine.sign_in.tokens import PREFIX
from stacksync.errors import NotAuthenticated, TooManyRequests, Unavailable
from stacksync.interfaces import ITokenAuthenticator
from stacksync.model import Principal, Scope, SignIn, Token

HOME = "192.0.2.1"
NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
ANNA = UUID("a44a0000-0000-4000-8000-000000000001")
SECRET = PREFIX + "a" * 43
STRANGE = PREFIX + "b" * 43


class KnownTokens:
    """Tokens in memory; a look may be held back until :meth:`go_on`."""

    def __init__(self) -> None:
        self.known: dict[str, FoundToken] = {}
        self.asked: list[str] = []
        self.problem: Exception | None = None
        self.held_back: Deferred[None] | None = None

    def add(self, secret: str, lasts: float | None = None) -> Token:
        expires_at = None if lasts is None else NOW + timedelta(seconds=lasts)
        token = Token(
            *(uuid4(), ANNA, "laptop", Scope.READ_ONLY, uuid4(), None, None),
            *(NOW, expires_at, None),
        )
        self.known[secret] = FoundToken(token, lasts)
        return token

    async def shown(self, secret: str) -> FoundToken | None:
        self.asked.append(secret)
        if self.problem is not None:
            raise self.problem
        found = self.known.get(secret)
        if self.held_back is not None:
            await self.held_back
        return found

    def go_on(self) -> None:
        assert self.held_back is not None
        waiting, self.held_back = self.held_back, None
        waiting.callback(None)


@pytest.fixture
def tokens() -> KnownTokens:
    return KnownTokens()


@pytest.fixture
def bearer(clock: Clock, tokens: KnownTokens, settings: AuthConfig) -> BearerAuthenticator:
    return BearerAuthenticator(clock, tokens, settings)  # type: ignore[arg-type]


def signing_in(
    bearer: BearerAuthenticator, secret: str = SECRET, address: str = HOME
) -> Deferred[Principal]:
    return Deferred.fromCoroutine(bearer.authenticate_token(secret, address))


def outcome(signing_in: Deferred[Principal]) -> object:
    """What came of it by now: a principal, an exception, or ``None``."""
    results: list[object] = []
    signing_in.addBoth(results.append)
    if not results:
        return None
    return results[0].value if isinstance(results[0], Failure) else results[0]


def test_a_token_tells_account_device_and_scope_and_is_looked_up_once(
    bearer: BearerAuthenticator, tokens: KnownTokens
) -> None:
    token = tokens.add(SECRET, lasts=3600)
    assert verifyObject(ITokenAuthenticator, bearer)

    expected = Principal(
        ANNA, SignIn.TOKEN, token.device_id, Scope.READ_ONLY, token.id, token.expires_at
    )
    for _ in range(3):
        assert outcome(signing_in(bearer)) == expected
    assert tokens.asked == [SECRET]


def test_a_token_is_not_remembered_longer_than_it_lasts(
    bearer: BearerAuthenticator, tokens: KnownTokens, clock: Clock, settings: AuthConfig
) -> None:
    tokens.add(SECRET, lasts=2.0)
    assert isinstance(outcome(signing_in(bearer)), Principal)
    assert settings.credential_cache > 2.0
    del tokens.known[SECRET]

    clock.advance(1.9)
    assert isinstance(outcome(signing_in(bearer)), Principal)
    clock.advance(0.2)
    refused = signing_in(bearer)
    clock.advance(0.5)
    assert isinstance(outcome(refused), NotAuthenticated)


def test_a_slow_look_does_not_make_a_token_last_longer(
    bearer: BearerAuthenticator, tokens: KnownTokens, clock: Clock
) -> None:
    tokens.add(SECRET, lasts=2.0)
    tokens.held_back = Deferred()
    shown = signing_in(bearer)
    clock.advance(1.0)
    tokens.go_on()
    assert isinstance(outcome(shown), Principal)
    del tokens.known[SECRET]

    clock.advance(1.1)

    refused = signing_in(bearer)
    clock.advance(0.5)
    assert isinstance(outcome(refused), NotAuthenticated)


def test_a_forgotten_account_is_looked_up_again_and_no_other(
    bearer: BearerAuthenticator, tokens: KnownTokens, clock: Clock
) -> None:
    tokens.add(SECRET)
    tokens.add(STRANGE)
    found = tokens.known[STRANGE]
    tokens.known[STRANGE] = evolve(found, token=evolve(found.token, account_id=uuid4()))
    for secret in (SECRET, STRANGE):
        assert isinstance(outcome(signing_in(bearer, secret)), Principal)
    del tokens.known[SECRET], tokens.known[STRANGE]

    bearer.forget(ANNA)
    bearer.forget(uuid4())

    refused = signing_in(bearer)
    clock.advance(0.5)
    assert isinstance(outcome(refused), NotAuthenticated)
    assert isinstance(outcome(signing_in(bearer, STRANGE)), Principal)


def test_a_token_revoked_while_it_is_looked_up_is_refused(
    bearer: BearerAuthenticator, tokens: KnownTokens, clock: Clock
) -> None:
    tokens.add(SECRET)
    tokens.held_back = Deferred()
    waiting = signing_in(bearer)

    del tokens.known[SECRET]
    bearer.forget(ANNA)
    tokens.go_on()

    clock.advance(0.5)
    assert isinstance(outcome(waiting), NotAuthenticated)
    assert tokens.asked == [SECRET, SECRET]


@pytest.mark.parametrize(
    "text", ["", "x", SECRET[:-1], SECRET + "a", "tks_" + SECRET[4:], SECRET[:-1] + "ä"]
)
def test_what_can_not_be_a_token_is_not_even_looked_for(
    bearer: BearerAuthenticator, tokens: KnownTokens, text: str
) -> None:
    assert isinstance(outcome(signing_in(bearer, text)), NotAuthenticated)
    assert tokens.asked == []


def test_a_guesser_waits_longer_each_time_and_the_owner_does_not(
    bearer: BearerAuthenticator, tokens: KnownTokens, clock: Clock
) -> None:
    tokens.add(SECRET)
    assert isinstance(outcome(signing_in(bearer)), Principal)
    bearer.forget(ANNA)
    guesses = [PREFIX + f"{number:043}" for number in range(200)]
    told = [outcome(signing_in(bearer, guess)) for guess in guesses]

    assert any(isinstance(each, TooManyRequests) for each in told)
    assert not any(isinstance(each, Principal) for each in told)
    assert len(tokens.asked) < len(guesses)
    assert isinstance(outcome(signing_in(bearer)), Principal)


def test_a_database_that_is_away_is_no_wrong_token(
    bearer: BearerAuthenticator, tokens: KnownTokens
) -> None:
    tokens.problem = Unavailable("database", "away")
    for _ in range(20):
        assert isinstance(outcome(signing_in(bearer)), Unavailable)


def test_no_token_is_in_what_is_kept_or_told(
    bearer: BearerAuthenticator, tokens: KnownTokens, clock: Clock
) -> None:
    tokens.add(SECRET)
    outcome(signing_in(bearer))
    refused = signing_in(bearer, STRANGE)
    clock.advance(0.5)

    kept = repr(bearer._proofs) + repr(outcome(refused))
    assert SECRET not in kept
    assert STRANGE not in kept
