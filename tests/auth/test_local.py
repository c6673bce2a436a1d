"""Passwords in our own database: the same work for everybody, and better hashes in time."""

from __future__ import annotations

import time
from collections.abc import Callable
from uuid import UUID, uuid4

import argon2
import pytest
from attrs import evolve
from pytest_twisted import ensureDeferred
from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.internet.task import deferLater

from stacksync.auth.local import LocalPasswords
from stacksync.auth.passwords import PasswordHasher
from stacksync.auth.proofs import NOBODY
from stacksync.engine.sign_in.passwords import Credentials
from stacksync.errors import Unavailable

ANNA = "anna@example.org"
RIGHT = "correct horse"
WEAKER = argon2.PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)


class KnownPasswords:
    """Hashes in memory; ``renewing`` is waited for before one is replaced."""

    def __init__(self) -> None:
        self.known: dict[str, Credentials] = {}
        self.renewing: Deferred[None] | None = None
        self.renewed: list[bool] = []
        self.problem: Exception | None = None

    async def credentials(self, email: str) -> Credentials | None:
        return self.known.get(email)

    async def renew(self, account_id: UUID, old_hash: str, new_hash: str) -> bool:
        if self.renewing is not None:
            await self.renewing
        if self.problem is not None:
            self.renewed.append(False)
            raise self.problem
        email, known = next((e, k) for e, k in self.known.items() if k.account_id == account_id)
        is_same = known.password_hash == old_hash
        if is_same:
            self.known[email] = evolve(known, password_hash=new_hash)
        self.renewed.append(is_same)
        return is_same

    def add(self, email: str, password_hash: str | None) -> Credentials:
        self.known[email] = Credentials(uuid4(), password_hash, password_id=uuid4())
        return self.known[email]


@pytest.fixture
def known() -> KnownPasswords:
    return KnownPasswords()


@pytest.fixture
def passwords(known: KnownPasswords, hasher: PasswordHasher) -> LocalPasswords:
    return LocalPasswords(known, hasher)


async def until(condition: Callable[[], object]) -> None:
    end = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < end
        await deferLater(reactor, 0.001)


def costs(password_hash: str | None) -> tuple[int, int]:
    assert password_hash is not None
    parameters = argon2.extract_parameters(password_hash)
    return parameters.time_cost, parameters.memory_cost


@ensureDeferred
async def test_a_right_password_stands_for_the_account_and_hangs_on_that_password(
    passwords: LocalPasswords, known: KnownPasswords, hasher: PasswordHasher
) -> None:
    anna = known.add(ANNA, await hasher.hash(RIGHT))

    verdict = await passwords.verify(ANNA, RIGHT)

    assert verdict.is_right
    assert (verdict.account_id, verdict.grant_id) == (anna.account_id, anna.password_id)
    assert not (await passwords.verify(ANNA, "wrong")).is_right
    assert await passwords.verify("nobody@example.org", RIGHT) == NOBODY
    assert not known.renewed


@ensureDeferred
async def test_a_hash_of_other_costs_is_replaced_after_the_answer(
    passwords: LocalPasswords, known: KnownPasswords
) -> None:
    anna = known.add(ANNA, WEAKER.hash(RIGHT))
    known.renewing = Deferred()

    verdict = await passwords.verify(ANNA, RIGHT)
    assert verdict.is_right, "which does not wait for it"
    assert (await passwords.verify(ANNA, RIGHT)).is_right
    known.renewing.callback(None)
    await until(lambda: known.renewed)

    assert known.renewed == [True], "once, however many sign in meanwhile"
    renewed = known.known[ANNA]
    assert costs(renewed.password_hash) == (1, 64)
    assert renewed.password_id == anna.password_id == verdict.grant_id
    assert (await passwords.verify(ANNA, RIGHT)).is_right


@ensureDeferred
async def test_a_wrong_password_replaces_nothing(
    passwords: LocalPasswords, known: KnownPasswords
) -> None:
    known.add(ANNA, WEAKER.hash(RIGHT))

    assert not (await passwords.verify(ANNA, "wrong")).is_right
    assert not passwords._renewing


@ensureDeferred
async def test_a_password_that_is_changed_meanwhile_wins(
    passwords: LocalPasswords, known: KnownPasswords, hasher: PasswordHasher
) -> None:
    known.add(ANNA, WEAKER.hash(RIGHT))
    known.renewing = Deferred()
    assert (await passwords.verify(ANNA, RIGHT)).is_right
    changed = known.add(ANNA, await hasher.hash("another one"))
    known.known[ANNA] = evolve(changed, account_id=next(iter(passwords._renewing)))

    known.renewing.callback(None)
    await until(lambda: known.renewed)

    assert known.renewed == [False]
    assert (await passwords.verify(ANNA, "another one")).is_right


@ensureDeferred
async def test_a_hash_that_could_not_be_replaced_is_the_next_time(
    passwords: LocalPasswords, known: KnownPasswords
) -> None:
    known.add(ANNA, WEAKER.hash(RIGHT))
    known.problem = Unavailable("database", "away")
    assert (await passwords.verify(ANNA, RIGHT)).is_right
    await until(lambda: known.renewed and not passwords._renewing)
    known.problem = None

    assert (await passwords.verify(ANNA, RIGHT)).is_right
    await until(lambda: len(known.renewed) == 2)
    assert known.renewed == [False, True]


class CountedArgon2:
    """Argon2, writing down what each call cost."""

    def __init__(self, real: argon2.PasswordHasher) -> None:
        self._real = real
        self.work: list[tuple[int, int]] = []

    def hash(self, password: str) -> str:
        return self._real.hash(password)

    def verify(self, password_hash: str, password: str) -> bool:
        self.work.append(costs(password_hash))
        return self._real.verify(password_hash, password)

    def check_needs_rehash(self, password_hash: str) -> bool:
        return self._real.check_needs_rehash(password_hash)

    def taken(self) -> list[tuple[int, int]]:
        taken, self.work = self.work, []
        return taken


@ensureDeferred
async def test_an_unknown_e_mail_costs_what_a_known_one_does(
    passwords: LocalPasswords, known: KnownPasswords, hasher: PasswordHasher
) -> None:
    known.add(ANNA, await hasher.hash(RIGHT))
    known.add("invited@example.org", None)
    argon = CountedArgon2(hasher._argon2)
    hasher._argon2 = argon  # type: ignore[assignment]

    for password in ("wrong", "apart e\u0301"):
        spent = []
        for email in (ANNA, "invited@example.org", "nobody@example.org", ""):
            await passwords.verify(email, password)
            spent.append(argon.taken())
        assert spent == [spent[0]] * 4
        assert spent[0] == [(1, 64)] * (1 if password == "wrong" else 2)


@ensureDeferred
async def test_while_there_are_hashes_of_other_costs_unknown_e_mails_are_like_either(
    passwords: LocalPasswords, known: KnownPasswords, hasher: PasswordHasher
) -> None:
    known.add(ANNA, WEAKER.hash(RIGHT))
    await passwords.verify(ANNA, "wrong")
    argon = CountedArgon2(hasher._argon2)
    hasher._argon2 = argon  # type: ignore[assignment]

    spent = {}
    for number in range(40):
        email = f"nobody{number}@example.org"
        for spelled in (email, email.upper()):
            await passwords.verify(spelled, "wrong")
        once, again = argon.taken()
        assert once == again, "always the same for one e-mail"
        spent[email] = once

    assert set(spent.values()) == {(1, 8), (1, 64)}
