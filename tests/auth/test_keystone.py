"""Signing in with what Keystone knows: passwords and tokens."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
import pytest_twisted
from attrs import evolve
from pytest_twisted import ensureDeferred
from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.python.failure import Failure
from zope.interface.verify import verifyObject

from stacksync.auth.keystone import TOKEN_CHARACTERS_MAX, KeystonePasswords, TokenAuthenticator
from stacksync.auth.sign_in import PasswordAuthenticator
from stacksync.config import AuthConfig
from stacksync.config.openstack_options import KeystoneConfig
from stacksync.engine.sign_in.passwords import Credentials
from stacksync.errors import AccountNotFound, NotAuthenticated, TooManyRequests, Unavailable
from stacksync.interfaces import ITokenAuthenticator
from stacksync.model import Account, Principal, SignIn
from stacksync.storage.keystone import keystone_for
from stacksync.storage.keystone.identity import Identities
from tests.servers.openstack.cloud import CloudProject, CloudUser
from tests.servers.openstack.server import OpenStackServer

HOME = "192.0.2.1"
NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
PASSWORD = uuid4()
ANNA = Account(uuid4(), "anna@example.org", "Anna", 10, 0, NOW, "anna's id")


class KnownAccounts:
    """Accounts in memory."""

    def __init__(self, *accounts: Account) -> None:
        self.accounts = list(accounts)

    async def credentials(self, email: str) -> Credentials | None:
        known = [each for each in self.accounts if each.email == email]
        return Credentials(known[0].id, None, known[0].identity_id, PASSWORD) if known else None

    async def by_identity(self, identity_id: str) -> Account:
        for account in self.accounts:
            if account.identity_id == identity_id:
                return account
        raise AccountNotFound(identity_id)


class KnownIdentities:
    """A Keystone that knows one user and their tokens, and counts what it is asked."""

    def __init__(self) -> None:
        self.tokens: dict[str, tuple[str, datetime]] = {}
        self.asked: list[str] = []
        self.problem: Exception | None = None

    async def check_password(self, user_id: str, password: str) -> bool:
        self._ask(user_id)
        return (user_id, password) == (ANNA.identity_id, "right")

    async def of_token(self, token: str) -> tuple[str, datetime] | None:
        self._ask(token)
        return self.tokens.get(token)

    def _ask(self, about: str) -> None:
        self.asked.append(about)
        if self.problem is not None:
            raise self.problem


@pytest.fixture
def identities() -> KnownIdentities:
    return KnownIdentities()


@pytest.fixture
def passwords(
    clock: Clock, identities: KnownIdentities, settings: AuthConfig
) -> PasswordAuthenticator:
    accounts = KnownAccounts(ANNA, evolve(ANNA, id=uuid4(), email="x@y", identity_id=None))
    return PasswordAuthenticator(clock, KeystonePasswords(accounts, identities), settings)


@pytest.fixture
def tokens(clock: Clock, identities: KnownIdentities, settings: AuthConfig) -> TokenAuthenticator:
    def now() -> datetime:
        return NOW + timedelta(seconds=clock.seconds())

    return TokenAuthenticator(clock, KnownAccounts(ANNA), identities, settings, now)


def outcome(signing_in: Deferred[Principal]) -> object:
    """What came of it by now: a principal, an exception, or ``None``."""
    results: list[object] = []
    signing_in.addBoth(results.append)
    if not results:
        return None
    return results[0].value if isinstance(results[0], Failure) else results[0]


def by_password(
    authenticator: PasswordAuthenticator, email: str, password: str
) -> Deferred[Principal]:
    return Deferred.fromCoroutine(authenticator.authenticate(email, password, HOME))


def by_token(authenticator: TokenAuthenticator, token: str) -> Deferred[Principal]:
    return Deferred.fromCoroutine(authenticator.authenticate_token(token, HOME))


def test_the_password_of_the_accounts_user_is_taken_and_remembered(
    passwords: PasswordAuthenticator, identities: KnownIdentities
) -> None:
    for _ in range(3):
        found = outcome(by_password(passwords, ANNA.email, "right"))
        assert found == Principal(ANNA.id, SignIn.PASSWORD, grant_id=PASSWORD)
    assert identities.asked == [ANNA.identity_id]


def test_who_is_not_there_is_asked_for_and_refused_like_a_wrong_password(
    passwords: PasswordAuthenticator, identities: KnownIdentities, clock: Clock
) -> None:
    tried = [
        by_password(passwords, ANNA.email, "wrong"),
        by_password(passwords, "nobody@example.org", "right"),
        by_password(passwords, "x@y", "right"),
        by_password(passwords, "", "right"),
    ]
    clock.advance(0.49)
    assert not any(each.called for each in tried)
    clock.advance(8)

    answers = {(type(answer), str(answer)) for answer in map(outcome, tried)}
    assert answers == {(NotAuthenticated, "unknown e-mail or wrong password")}
    assert len(identities.asked) == 4


@pytest.mark.parametrize("email", [ANNA.email, "nobody@example.org"])
def test_a_keystone_that_is_away_is_no_wrong_password(
    passwords: PasswordAuthenticator, identities: KnownIdentities, email: str
) -> None:
    identities.problem = Unavailable("keystone", "away")
    for _ in range(20):
        assert isinstance(outcome(by_password(passwords, email, "right")), Unavailable)


def test_it_is_an_authenticator(tokens: TokenAuthenticator) -> None:
    assert verifyObject(ITokenAuthenticator, tokens)


def test_a_token_stands_for_the_account_of_its_user(
    tokens: TokenAuthenticator, identities: KnownIdentities, clock: Clock
) -> None:
    anna = Principal(ANNA.id, SignIn.KEYSTONE, expires_at=NOW + timedelta(hours=1))
    identities.tokens["good"] = (str(ANNA.identity_id), NOW + timedelta(hours=1))
    for _ in range(3):
        assert outcome(by_token(tokens, "good")) == anna
    assert identities.asked == ["good"]
    del identities.tokens["good"]
    clock.advance(61)
    revoked = by_token(tokens, "good")
    clock.advance(8)
    assert isinstance(outcome(revoked), NotAuthenticated)


def test_no_token_is_taken_beyond_its_expiry(
    tokens: TokenAuthenticator, identities: KnownIdentities, clock: Clock
) -> None:
    identities.tokens["short"] = (str(ANNA.identity_id), NOW + timedelta(seconds=5))

    assert outcome(by_token(tokens, "short"))
    clock.advance(4.9)
    assert outcome(by_token(tokens, "short"))
    assert identities.asked == ["short"]
    clock.advance(0.2)
    del identities.tokens["short"]
    late = by_token(tokens, "short")
    clock.advance(8)
    assert isinstance(outcome(late), NotAuthenticated)
    assert identities.asked == ["short"] * 2


def test_a_clock_of_ours_that_is_ahead_shuts_nobody_out(
    tokens: TokenAuthenticator, identities: KnownIdentities, clock: Clock
) -> None:
    identities.tokens["good"] = (str(ANNA.identity_id), NOW - timedelta(hours=1))

    for _ in range(2):
        assert outcome(by_token(tokens, "good")) == Principal(ANNA.id, SignIn.KEYSTONE)
    assert identities.asked == ["good"] * 2


def test_a_strangers_token_and_what_is_none_are_told_alike(
    tokens: TokenAuthenticator, identities: KnownIdentities, clock: Clock
) -> None:
    identities.tokens["strangers"] = ("stranger's id", NOW + timedelta(hours=1))
    too_long = "x" * (TOKEN_CHARACTERS_MAX + 1)
    tried = [by_token(tokens, each) for each in ("strangers", "none", "", too_long, "a\nb")]
    clock.advance(8)

    answers = {(type(answer), str(answer)) for answer in map(outcome, tried)}
    assert len(answers) == 1
    assert answers.pop()[0] is NotAuthenticated
    assert identities.asked == ["strangers", "none"]


def test_who_guesses_tokens_is_slowed_down(tokens: TokenAuthenticator) -> None:
    told = [outcome(by_token(tokens, f"guess {guess}")) for guess in range(20)]

    assert isinstance(told[-1], TooManyRequests)


def test_nothing_remembered_holds_the_token(
    tokens: TokenAuthenticator, identities: KnownIdentities
) -> None:
    identities.tokens["secret"] = (str(ANNA.identity_id), NOW + timedelta(hours=1))
    assert outcome(by_token(tokens, "secret"))

    assert "secret" not in repr((tokens, tokens._proofs, tokens._proofs._remembered))


# -- with the real one


QUICK = AuthConfig(failure_delay=0.01, credential_cache=0.0)


@pytest_twisted.async_yield_fixture
async def real(project: CloudProject) -> AsyncIterator[Identities]:
    """Our users in the run's Keystone."""
    keystone = keystone_for(reactor, KeystoneConfig(**project.options))
    keystone.start()
    yield Identities(keystone)
    await keystone.stop()


def account_of(user: CloudUser) -> Account:
    return evolve(ANNA, id=UUID(int=1), identity_id=user.id)


@ensureDeferred
async def test_keystone_says_whose_password_it_is(
    real: Identities, openstack: OpenStackServer, project: CloudProject
) -> None:
    user = openstack.cloud.user(project=project)
    verifier = KeystonePasswords(KnownAccounts(account_of(user)), real)
    authenticator = PasswordAuthenticator(reactor, verifier, QUICK)

    found = await authenticator.authenticate(ANNA.email, user.password, HOME)
    assert found == Principal(UUID(int=1), SignIn.PASSWORD, grant_id=PASSWORD)
    for email, password in ((ANNA.email, "wrong"), ("nobody@example.org", user.password)):
        with pytest.raises(NotAuthenticated, match="unknown e-mail or wrong password"):
            await authenticator.authenticate(email, password, HOME)
    openstack.cloud.disable(user)
    with pytest.raises(NotAuthenticated):
        await authenticator.authenticate(ANNA.email, user.password, HOME)


@ensureDeferred
async def test_keystone_says_whose_token_it_is(
    real: Identities, openstack: OpenStackServer, project: CloudProject
) -> None:
    user = openstack.cloud.user(project=project)
    authenticator = TokenAuthenticator(reactor, KnownAccounts(account_of(user)), real, QUICK)
    token = openstack.cloud.token_of(user, project)

    found = await authenticator.authenticate_token(token, HOME)
    assert (found.account_id, found.sign_in) == (UUID(int=1), SignIn.KEYSTONE)
    openstack.cloud.revoke(token)
    for other in (token, "gAAAAA-nonsense"):
        with pytest.raises(NotAuthenticated, match="X-Auth-Token"):
            await authenticator.authenticate_token(other, HOME)


@ensureDeferred
async def test_while_keystone_is_away_nobody_is_refused(own_openstack: OpenStackServer) -> None:
    project = own_openstack.cloud.project()
    user = own_openstack.cloud.user(project=project)
    token = own_openstack.cloud.token_of(user, project)
    keystone = keystone_for(reactor, KeystoneConfig(**project.options, timeout=2.0))
    keystone.start()
    identities, accounts = Identities(keystone), KnownAccounts(account_of(user))
    passwords = PasswordAuthenticator(reactor, KeystonePasswords(accounts, identities), QUICK)
    tokens = TokenAuthenticator(reactor, accounts, identities, QUICK)
    try:
        own_openstack.kill_keystone()
        for email in (ANNA.email, "nobody@example.org"):
            with pytest.raises(Unavailable):
                await passwords.authenticate(email, user.password, HOME)
        with pytest.raises(Unavailable):
            await tokens.authenticate_token(token, HOME)
    finally:
        await keystone.stop()
