"""Answers as a whole and piece by piece, from a real Swift; and when to try again."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_twisted
from twisted.internet import reactor
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.task import Clock

from stacksync.errors import Unavailable
from stacksync.http_client import (
    Busy,
    CertificateRefused,
    NoAnswer,
    Retries,
    WebSession,
    let_go,
    retried,
    seconds_of,
    whole_body,
)
from tests.servers.openstack.cloud import CloudProject
from tests.servers.openstack.server import OpenStackServer
from tests.servers.proxy import Proxy

CONTENT = b"\x1f\x8b, not really gzip " * 50_000


@pytest_twisted.async_yield_fixture
async def session() -> AsyncIterator[WebSession]:
    session = WebSession(reactor, "storage", 20.0)
    yield session
    await session.close()


@pytest.fixture
def headers(openstack: OpenStackServer, project: CloudProject) -> dict[str, str]:
    """What lets us into the project's account; it has a container ``box``."""
    token = openstack.cloud.token_of(project.service, project)
    assert openstack.cloud.swift("PUT", f"{project.account_url}/box", token).ok
    return {"X-Auth-Token": token}


@pytest_twisted.ensureDeferred
async def test_any_status_is_an_answer(
    project: CloudProject, session: WebSession, headers: dict[str, str]
) -> None:
    url = f"{project.account_url}/box/no%20such?signature=secret"
    answer = await session.request("GET", url, headers=headers)
    assert (answer.status, answer.ok) == (404, False)
    assert answer.told == f"GET {project.account_url}/box/no%20such answered 404 Not Found"
    assert answer.header("content-TYPE") == "text/html; charset=UTF-8"
    assert answer.header("X-None") is None
    with pytest.raises(NoAnswer, match="but not with JSON"):
        answer.json()


@pytest_twisted.ensureDeferred
async def test_what_is_stored_comes_back_as_it_was_whatever_its_encoding(
    project: CloudProject, session: WebSession, headers: dict[str, str]
) -> None:
    url = f"{project.account_url}/box/a"
    stored = await session.open(
        "PUT", url, headers={**headers, "Content-Encoding": "gzip"}, body=CONTENT, patience=20.0
    )
    assert (stored.code, await whole_body(stored)) == (201, b"")
    read = await session.open("GET", url, headers=headers, patience=20.0)
    assert read.length == len(CONTENT)
    assert await whole_body(read) == CONTENT


@pytest_twisted.ensureDeferred
async def test_nobody_is_made_to_take_more_than_expected(
    project: CloudProject, session: WebSession, headers: dict[str, str]
) -> None:
    url = f"{project.account_url}/box/a"
    assert (await session.request("PUT", url, headers=headers, body=CONTENT)).status == 201
    unwanted = await session.open("GET", url, headers=headers, patience=20.0)
    let_go(unwanted)
    begun = await session.open("GET", url, headers=headers, patience=20.0)
    with pytest.raises(Exception, match="more than 1000 bytes"):
        await whole_body(begun, 1000)
    assert (await session.request("GET", url, headers=headers)).body == CONTENT


@pytest_twisted.ensureDeferred
async def test_a_body_that_is_given_up_ends(
    openstack: OpenStackServer, project: CloudProject, session: WebSession, headers: dict[str, str]
) -> None:
    url = f"{project.account_url}/box/a"
    assert (await session.request("PUT", url, headers=headers, body=CONTENT)).status == 201
    proxy = Proxy(openstack.settings.proxy_port)
    try:
        proxy.hold_answers()
        near = url.replace(openstack.swift_url, f"http://127.0.0.1:{proxy.port}")
        asked = Deferred.fromCoroutine(session.request("GET", near, headers=headers))
        asked.cancel()
        with pytest.raises(CancelledError):
            await asked
        with pytest.raises(NoAnswer, match="no answer in time"):
            await session.request("GET", near, headers=headers, patience=0.1)
    finally:
        proxy.close()


class Attempts:
    """Fails as it is told, then succeeds; with a clock that is moved by hand."""

    def __init__(self, *errors: Exception) -> None:
        self.clock = Clock()
        self.errors = list(errors)
        self.made = 0

    async def once(self) -> int:
        self.made += 1
        if self.errors:
            raise self.errors.pop(0)
        return self.made

    def begin(self, retries: Retries) -> Deferred[int]:
        return Deferred.fromCoroutine(retried(self.clock, self.once, retries))


BUSY = Busy("storage", "answered 503")


def test_pauses_grow_and_are_never_the_same_for_all() -> None:
    retries = Retries(tries=9, first_delay=0.2, longest_delay=5.0)
    for attempt, longest in [(1, 0.2), (2, 0.4), (3, 0.8), (8, 5.0), (5000, 5.0)]:
        delays = {retries.delay(attempt) for _ in range(50)}
        assert longest / 2 <= min(delays) < max(delays) <= longest
        assert len(delays) > 10


def test_the_first_success_counts() -> None:
    attempts = Attempts(BUSY, NoAnswer("storage", "lost"))
    asked = attempts.begin(Retries(tries=3, first_delay=1.0))
    assert attempts.made == 1
    attempts.clock.advance(1.0)
    assert attempts.made == 2
    attempts.clock.advance(2.0)
    assert asked.result == 3


def test_the_last_failure_is_told() -> None:
    attempts = Attempts(BUSY, BUSY, NoAnswer("storage", "lost"))
    asked = attempts.begin(Retries(tries=3, first_delay=1.0))
    attempts.clock.pump([1.0, 2.0])
    results: list[Any] = []
    asked.addBoth(results.append)
    assert [str(each.value) for each in results] == ["storage: lost"]


def test_a_busy_server_is_left_alone_for_as_long_as_it_asks() -> None:
    attempts = Attempts(Busy("storage", "answered 429", 7.0))
    asked = attempts.begin(Retries(tries=3, first_delay=1.0))
    attempts.clock.advance(6.9)
    assert attempts.made == 1
    attempts.clock.advance(0.1)
    assert asked.result == 2


def test_one_that_asks_for_more_than_our_patience_is_not_asked_again() -> None:
    error = Busy("storage", "answered 503", 21.0)
    asked = Attempts(error).begin(Retries(tries=3, patience=20.0))
    results: list[Any] = []
    asked.addBoth(results.append)
    assert [each.value for each in results] == [error]


@pytest.mark.parametrize(
    ("header", "seconds"),
    [(None, 0), ("3", 3), (" 120 ", 120), ("-1", 0), ("1.5", 0), ("9" * 400, 0), ("²", 0),
     ("Fri, 31 Dec 1999 23:59:59 GMT", 0)],
)  # fmt: skip
def test_a_pause_is_asked_for_in_seconds(header: str | None, seconds: float) -> None:
    assert seconds_of(header) == seconds


@pytest.mark.parametrize(
    "error", [CertificateRefused("storage", "of another"), Unavailable("storage", "full")]
)
def test_what_another_try_does_not_help_is_told_at_once(error: Exception) -> None:
    attempts = Attempts(error)
    asked = attempts.begin(Retries(tries=3))
    results: list[Any] = []
    asked.addBoth(results.append)
    assert [each.value for each in results] == [error]


def test_giving_up_ends_the_pause() -> None:
    attempts = Attempts(BUSY)
    asked = attempts.begin(Retries(tries=3))
    asked.cancel()
    asked.addErrback(lambda failure: None)
    assert attempts.clock.getDelayedCalls() == []
