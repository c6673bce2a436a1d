"""Passwords are hashed with Argon2id, off the reactor thread, a bounded number at a time."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import argon2
import pytest
from argon2 import extract_parameters
from pytest_twisted import ensureDeferred
from twisted.internet import reactor
from twisted.internet.defer import CancelledError, Deferred, gatherResults
from twisted.internet.task import deferLater

from stacksync.auth.passwords import PasswordHasher
from stacksync.auth.turns import Lane
from stacksync.config import AuthConfig
from stacksync.errors import InvalidRequest, TooManyRequests, Unavailable


class Hashing:
    """Stands in for Argon2 where a test wants to watch it."""

    def __init__(self, during: Callable[[], object]) -> None:
        self._during = during

    def hash(self, password: str) -> str:
        self._during()
        return "hash"


class Watched:
    """Argon2, telling what it was asked to do: to hash, or to verify with which parameters."""

    def __init__(self, real: argon2.PasswordHasher) -> None:
        self._real = real
        self.work: list[object] = []

    def hash(self, password: str) -> str:
        self.work.append("hash")
        return self._real.hash(password)

    def verify(self, password_hash: str, password: str) -> bool:
        self.work.append(extract_parameters(password_hash))
        return self._real.verify(password_hash, password)


@ensureDeferred
async def test_a_password_fits_its_own_hash_only(hasher: PasswordHasher) -> None:
    password_hash = await hasher.hash("correct horse")

    assert await hasher.verify(password_hash, "correct horse")
    assert not await hasher.verify(password_hash, "Correct horse")


@ensureDeferred
async def test_a_hash_is_argon2id_with_the_settings_and_a_salt(hasher: PasswordHasher) -> None:
    one, other = await hasher.hash("same"), await hasher.hash("same")

    assert one.startswith("$argon2id$v=19$m=64,t=1,p=1$")
    assert one != other


@ensureDeferred
async def test_a_password_may_be_any_text_of_1024_bytes(hasher: PasswordHasher) -> None:
    password = "pässwörd🔑".ljust(1024 - 6, "x")
    assert len(password.encode()) == 1024 - 1

    assert await hasher.verify(await hasher.hash(password), password)


@pytest.mark.parametrize(
    ("password", "problem"),
    [
        ("", "empty"),
        ("x" * 1025, "1024 bytes"),
        ("é" * 513, "1024 bytes"),
        ("a\0b", "NUL"),
        ("\ud800", "Unicode"),
    ],
)
@ensureDeferred
async def test_an_impossible_password_is_refused_before_it_is_hashed(
    hasher: PasswordHasher, password: str, problem: str
) -> None:
    with pytest.raises(InvalidRequest, match=problem) as refused:
        await hasher.hash(password)

    assert refused.value.field == "password"
    assert password == "" or password not in str(refused.value)
    assert not await hasher.verify("$argon2id$…", password)


@pytest.mark.parametrize("password_hash", ["", "no hash", "$argon2id$v=19$m=64,t=1,p=1$x"])
@ensureDeferred
async def test_what_is_no_hash_fits_no_password(hasher: PasswordHasher, password_hash: str) -> None:
    assert not await hasher.verify(password_hash, password_hash or "x")


@pytest.mark.parametrize("known_first", [True, False])
@ensureDeferred
async def test_without_a_hash_the_same_work_is_done_as_with_one(
    hasher: PasswordHasher, known_first: bool
) -> None:
    password_hash = await hasher.hash("right")
    watched = Watched(hasher._argon2)
    hasher._argon2 = watched
    for tried in [password_hash, None] if known_first else [None, password_hash]:
        assert not await hasher.verify(tried, "wrong")

    first, second = watched.work[:2], watched.work[2:]
    parameters = extract_parameters(password_hash)
    assert first == ["hash", parameters], "the hash to compare with, once"
    assert second == [parameters]


@ensureDeferred
async def test_hashing_leaves_the_reactor_free(hasher: PasswordHasher) -> None:
    threads: list[str] = []
    hasher._argon2 = Hashing(lambda: threads.append(threading.current_thread().name))

    await hasher.hash("anything")

    assert threads[0].startswith("PoolThread-passwords")


@ensureDeferred
async def test_too_many_waiting_passwords_are_refused_and_the_rest_served(
    settings: AuthConfig,
) -> None:
    hasher = PasswordHasher(reactor, settings, queue_max=3)
    accepted = [Deferred.fromCoroutine(hasher.hash("anything")) for _ in range(3)]

    with pytest.raises(TooManyRequests) as refused:
        await hasher.hash("one more")

    assert refused.value.retry_after > 0
    assert len(await gatherResults(accepted)) == 3
    assert await hasher.hash("now there is room")
    await hasher.stop()


@ensureDeferred
async def test_who_gives_up_still_takes_up_a_place_until_the_thread_is_free(
    settings: AuthConfig,
) -> None:
    hasher = PasswordHasher(reactor, settings, queue_max=1)
    go_on = threading.Event()
    hasher._argon2 = Hashing(lambda: go_on.wait(60))
    given_up = Deferred.fromCoroutine(hasher.hash("anything"))
    given_up.cancel()
    with pytest.raises(CancelledError):
        await given_up

    with pytest.raises(TooManyRequests):
        await hasher.hash("too early")

    go_on.set()
    deadline = time.monotonic() + 30
    while hasher._queue.busy(Lane.KNOWN) and time.monotonic() < deadline:
        await deferLater(reactor, 0.001)
    assert await hasher.hash("in time") == "hash"
    await hasher.stop()


@ensureDeferred
async def test_a_stopped_hasher_says_so(settings: AuthConfig) -> None:
    hasher = PasswordHasher(reactor, settings)
    await hasher.hash("anything")
    await hasher.stop()

    with pytest.raises(Unavailable, match="stopping"):
        await hasher.hash("anything")
