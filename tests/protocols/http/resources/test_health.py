"""``/healthz`` says that the process lives, ``/readyz`` whether it can work."""

from __future__ import annotations

import pytest
from attrs import define
from pytest_twisted import ensureDeferred
from twisted.internet.defer import CancelledError, Deferred, gatherResults
from twisted.internet.task import Clock
from twisted.logger import capturedLogs
from zope.interface import implementer

from stacksync.errors import Unavailable
from stacksync.interfaces import IHealthCheck
from stacksync.protocols.http.resources.health import Readiness
from tests.protocols.http.conftest import StartSite
from tests.protocols.http.engines import MadeUpEngine


@implementer(IHealthCheck)
@define
class Part:
    """A part that is well, or has a problem."""

    part: str
    problem: Exception | None = None
    asked: int = 0

    async def check(self) -> None:
        self.asked += 1
        if self.problem is not None:
            raise self.problem


@implementer(IHealthCheck)
@define
class Silent:
    """A part that never answers."""

    part: str
    cancelled: bool = False

    async def check(self) -> None:
        try:
            await Deferred()
        except CancelledError:
            self.cancelled = True
            raise


@ensureDeferred
async def test_a_process_that_answers_lives(start_site: StartSite) -> None:
    _, client = await start_site(MadeUpEngine(), Part("database", Unavailable("database", "away")))

    answer = await client.get("/healthz")

    assert (answer.code, answer.json) == (200, {"status": "ok"})


@ensureDeferred
async def test_it_is_ready_when_every_part_is_well(start_site: StartSite) -> None:
    _, client = await start_site(MadeUpEngine(), Part("database"), Part("broker"))

    answer = await client.get("/readyz")

    assert (answer.code, answer.json) == (200, {"database": "ok", "broker": "ok"})


@ensureDeferred
async def test_it_is_not_ready_when_one_part_is_not(start_site: StartSite) -> None:
    away = Unavailable("broker", "connection refused")
    _, client = await start_site(MadeUpEngine(), Part("database"), Part("broker", away))

    answer = await client.get("/readyz")

    assert answer.code == 503
    assert answer.json == {"database": "ok", "broker": "connection refused"}


@ensureDeferred
async def test_a_check_that_is_broken_itself_tells_only_the_log(start_site: StartSite) -> None:
    _, client = await start_site(MadeUpEngine(), Part("database", RuntimeError("secret")))

    with capturedLogs() as logged:
        answer = await client.get("/readyz")

    assert answer.code == 503
    assert answer.json == {"database": "its check failed; see the server's log"}
    assert "secret" in str([event.get("log_failure") for event in logged])


def test_a_part_that_does_not_answer_is_waited_for_two_seconds() -> None:
    clock, silent = Clock(), Silent("database")
    asked = Readiness(clock, [silent, Part("broker")]).ask()
    clock.advance(1.9)
    assert not asked.called
    clock.advance(0.2)

    assert asked.result == {"database": "no answer within 2 s", "broker": "ok"}
    assert silent.cancelled
    assert not clock.getDelayedCalls()


def test_who_asks_meanwhile_gets_the_same_answer() -> None:
    clock, silent, well = Clock(), Silent("database"), Part("broker")
    readiness = Readiness(clock, [silent, well])
    first, second = readiness.ask(), readiness.ask()
    second.cancel()
    second.addErrback(lambda failure: failure.trap(CancelledError))
    third = readiness.ask()
    clock.advance(2.1)

    assert first.result == third.result
    assert well.asked == 1
    readiness.ask()
    assert well.asked == 2


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
@ensureDeferred
async def test_anybody_may_ask_at_the_same_time(start_site: StartSite, path: str) -> None:
    _, client = await start_site(MadeUpEngine(), Part("database"))
    client.credentials = None

    answers = await gatherResults([Deferred.fromCoroutine(client.get(path)) for _ in range(10)])

    assert [answer.code for answer in answers] == [200] * 10


@ensureDeferred
async def test_without_any_part_it_is_ready(start_site: StartSite) -> None:
    _, client = await start_site(MadeUpEngine())

    assert (await client.get("/readyz")).json == {}
