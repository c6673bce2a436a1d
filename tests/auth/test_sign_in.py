"""Signing in: the same answer for everybody who is wrong, one hash for who is right."""

from __future__ import annotations

import time
from collections import Counter
from uuid import UUID, uuid4

import pytest
from pytest_twisted import ensureDeferred
from twisted.internet import reactor
from twisted.internet.defer import CancelledError, Deferred, gatherResults
from twisted.internet.task import Clock, deferLater
from twisted.python.failure import Failure
from zope.interface.verify import verifyObject

from stacksync.auth import proofs
from stacksync.auth.local import LocalPasswords
from stacksync.auth.passwords import PasswordHasher
from stacksync.auth.sign_in import PasswordAuthenticator
from stacksync.auth.turns import Turn
from stacksync.config import AuthConfig
from stacksync.engine.sign_in.passwords import Credentials
from stacksync.errors import NotAuthenticated, TooManyRequests, Unavailable
from stacksync.interfaces import IAuthenticator
from stacksync.model import Principal, SignIn

ANNA = "anna@example.org"
HOME = "192.0.2.1"


class KnownAccounts:
    """Accounts in memory, by e-mail in lower case."""

    def __init__(self) -> None:
        self.known: dict[str, Credentials] = {}
        self.asked: list[str] = []
        self.problem: Exception | None = None

    async def credentials(self, email: str) -> Credentials | None:
        self.asked.append(email)
        if self.problem is not None:
            raise self.problem
        return self.known.get(email.lower())

    async def renew(self, account_id: UUID, old_hash: str, new_hash: str) -> bool:
        raise AssertionError("no hash here is outdated")


class CountingHasher:
    """Says ``right`` is right, when told to, and counts what it was asked."""

    def __init__(self) -> None:
        self.asked: Counter[str | None] = Counter()
        self.pending: list[Deferred[None]] = []
        self.slow = False

    async def verify(self, password_hash: str | None, password: str, name: str, turn: Turn) -> bool:
        self.asked[password_hash] += 1
        if self.slow:
            self.pending.append(Deferred())
            await self.pending[-1]
        return password_hash is not None and password == "right"

    def is_outdated(self, password_hash: str) -> bool:
        return False

    def go_on(self) -> None:
        for waiting in self.pending:
            waiting.callback(None)
        self.pending.clear()


@pytest.fixture
def accounts() -> KnownAccounts:
    return KnownAccounts()


@pytest.fixture
def anna(accounts: KnownAccounts) -> UUID:
    accounts.known[ANNA] = Credentials(uuid4(), "hash of anna")
    return accounts.known[ANNA].account_id


@pytest.fixture
def counting() -> CountingHasher:
    return CountingHasher()


@pytest.fixture
def authenticator(
    clock: Clock, accounts: KnownAccounts, counting: CountingHasher, settings: AuthConfig
) -> PasswordAuthenticator:
    return PasswordAuthenticator(clock, LocalPasswords(accounts, counting), settings)


def begin(
    authenticator: PasswordAuthenticator,
    password: str = "right",
    email: str = ANNA,
    address: str = HOME,
) -> Deferred[Principal]:
    return Deferred.fromCoroutine(authenticator.authenticate(email, password, address))


def outcome(signing_in: Deferred[Principal]) -> object:
    """What came of it by now: a principal, an exception, or ``None``."""
    results: list[object] = []
    signing_in.addBoth(results.append)
    if not results:
        return None
    return results[0].value if isinstance(results[0], Failure) else results[0]


def test_it_is_an_authenticator(authenticator: PasswordAuthenticator) -> None:
    assert verifyObject(IAuthenticator, authenticator)


def test_the_right_password_gives_the_principal(
    authenticator: PasswordAuthenticator, anna: UUID
) -> None:
    assert outcome(begin(authenticator)) == Principal(anna, SignIn.PASSWORD)


def test_wrong_password_unknown_e_mail_and_no_password_are_told_alike(
    authenticator: PasswordAuthenticator,
    accounts: KnownAccounts,
    counting: CountingHasher,
    clock: Clock,
    anna: UUID,
) -> None:
    accounts.known["invited@example.org"] = Credentials(uuid4(), None)
    tried = [
        begin(authenticator, "wrong", address="192.0.2.1"),
        begin(authenticator, "right", "nobody@example.org", "192.0.2.2"),
        begin(authenticator, "right", "invited@example.org", "192.0.2.3"),
        begin(authenticator, "right", "", "192.0.2.4"),
        begin(authenticator, "right", "nul\0@example.org", "192.0.2.5"),
        begin(authenticator, "right", "x" * 1000, "192.0.2.6"),
    ]
    clock.advance(0.49)
    assert not any(each.called for each in tried)
    clock.advance(0.02)

    answers = [outcome(each) for each in tried]
    assert {(type(answer), str(answer)) for answer in answers} == {
        (NotAuthenticated, "unknown e-mail or wrong password")
    }
    assert counting.asked == {"hash of anna": 1, None: 5}, "the same work for each"


def test_a_password_that_was_right_is_not_checked_again_for_a_while(
    authenticator: PasswordAuthenticator, counting: CountingHasher, clock: Clock, anna: UUID
) -> None:
    for _ in range(5):
        assert outcome(begin(authenticator))
    assert counting.asked.total() == 1
    clock.advance(61)

    assert outcome(begin(authenticator))
    assert counting.asked.total() == 2


def test_what_is_remembered_fits_these_credentials_only(
    authenticator: PasswordAuthenticator, clock: Clock, anna: UUID
) -> None:
    assert outcome(begin(authenticator))
    others = [
        begin(authenticator, "right "),
        begin(authenticator, "gright", ANNA[:-1]),
        begin(authenticator, "wrong"),
    ]
    clock.advance(60)

    assert [type(outcome(each)) for each in others] == [NotAuthenticated] * 3


def test_nothing_remembered_holds_the_password(
    authenticator: PasswordAuthenticator, clock: Clock, anna: UUID
) -> None:
    assert outcome(begin(authenticator))
    begin(authenticator, "a wrong secret")

    kept = repr(
        (
            authenticator,
            authenticator._proofs,
            authenticator._proofs._remembered,
            authenticator._proofs._checks,
        )
    )
    assert "right" not in kept
    assert "a wrong secret" not in kept


def test_what_is_remembered_is_bounded(
    authenticator: PasswordAuthenticator,
    accounts: KnownAccounts,
    clock: Clock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(proofs, "REMEMBERED_MAX", 10)
    for number in range(50):
        accounts.known[f"{number}@example.org"] = Credentials(uuid4(), "hash")
        assert outcome(begin(authenticator, email=f"{number}@example.org"))
    assert len(authenticator._proofs._remembered) == 10

    clock.advance(61)
    assert outcome(begin(authenticator, email="0@example.org"))
    assert len(authenticator._proofs._remembered) == 1, "expired ones go"


def test_sign_ins_at_the_same_time_share_one_check(
    authenticator: PasswordAuthenticator, counting: CountingHasher, anna: UUID
) -> None:
    counting.slow = True
    clients = [begin(authenticator) for _ in range(20)]
    given_up = begin(authenticator)
    given_up.cancel()
    counting.go_on()

    assert {outcome(each) for each in clients} == {Principal(anna, SignIn.PASSWORD)}
    assert isinstance(outcome(given_up), CancelledError)
    assert counting.asked.total() == 1


def test_how_many_may_wait_for_one_check_is_bounded(
    authenticator: PasswordAuthenticator, counting: CountingHasher, anna: UUID
) -> None:
    counting.slow = True
    clients = [begin(authenticator) for _ in range(proofs.WAITERS_MAX + 1)]

    assert isinstance(outcome(clients.pop()), TooManyRequests)
    counting.go_on()
    assert {outcome(each) for each in clients} == {Principal(anna, SignIn.PASSWORD)}


def test_hanging_up_does_not_spare_a_guesser_the_count(
    authenticator: PasswordAuthenticator, clock: Clock, anna: UUID
) -> None:
    for guess in range(8):
        hung_up = begin(authenticator, f"guess {guess}")
        hung_up.cancel()
        outcome(hung_up)

    assert isinstance(outcome(begin(authenticator, "guess 8")), TooManyRequests)


def test_an_owner_who_is_under_attack_from_elsewhere_signs_in_without_delay(
    authenticator: PasswordAuthenticator, clock: Clock, anna: UUID
) -> None:
    assert outcome(begin(authenticator))
    clock.advance(61)
    for guess in range(20):
        outcome(begin(authenticator, f"guess {guess}", address="198.51.100.7"))

    assert outcome(begin(authenticator)) == Principal(anna, SignIn.PASSWORD)


def test_a_database_that_is_away_counts_as_no_failure(
    authenticator: PasswordAuthenticator, accounts: KnownAccounts, anna: UUID
) -> None:
    accounts.problem = Unavailable("database", "away")
    for _ in range(20):
        assert isinstance(outcome(begin(authenticator)), Unavailable)
    accounts.problem = None

    assert outcome(begin(authenticator)) == Principal(anna, SignIn.PASSWORD)


@ensureDeferred
async def test_with_real_hashes_it_works_and_a_remembered_sign_in_is_cheap(
    hasher: PasswordHasher, accounts: KnownAccounts, settings: AuthConfig
) -> None:
    accounts.known[ANNA] = Credentials(uuid4(), await hasher.hash("correct horse"))
    authenticator = PasswordAuthenticator(reactor, LocalPasswords(accounts, hasher), settings)
    await gatherResults([begin(authenticator, "correct horse") for _ in range(10)])

    fastest = 1.0
    for _ in range(20):
        began = time.perf_counter()
        for _ in range(100):
            await authenticator.authenticate(ANNA, "correct horse", HOME)
        fastest = min(fastest, (time.perf_counter() - began) / 100)
        await deferLater(reactor, 0)

    assert fastest < 20e-6, "seconds for one"
