"""What becomes of a request when a part is away, has a bug, or will not take the answer."""

from __future__ import annotations

from typing import Any

import pytest
from twisted.internet.defer import Deferred

from stacksync.errors import Overloaded, Unavailable
from stacksync.protocols.amqp.object_server import OVERLOADED_TRIES
from stacksync.protocols.amqp.publisher import MessageRefused
from tests.protocols.amqp.conftest import Logged
from tests.protocols.amqp.requests import DEAD_LETTERS, request
from tests.protocols.amqp.stage import Stage, error_of, is_done

AWAY = Unavailable("database", "restarting")


@pytest.fixture
def stage() -> Stage:
    return Stage()


@pytest.mark.parametrize("bug", [ZeroDivisionError("password=secret"), {"no": object()}])
def test_a_bug_is_told_by_a_number_that_is_in_the_log_too(
    stage: Stage, logged: Logged, bug: Any
) -> None:
    stage.results = [bug]

    answer = stage.answer_to(request("greet", {}))

    kind, message = error_of(answer)
    assert kind == "java.lang.RuntimeException"
    words, incident = message.rsplit(" ", 1)
    assert words == "internal error, incident"
    event = logged.expect_failure(Exception if isinstance(bug, Exception) else TypeError)
    assert event["incident"] == incident


def test_a_request_waits_while_a_part_is_away_and_is_then_answered(stage: Stage) -> None:
    stage.results = [AWAY] * 8
    served = stage.ask()

    stage.clock.pump([0.05] * 40)
    assert not is_done(served)
    assert not stage.recorder.published
    stage.clock.pump([0.5] * 60)

    assert is_done(served)
    assert len(stage.calls) == 9
    assert stage.recorder.take().json["result"] == "Hello, Anna"


def test_a_request_that_overloads_a_part_is_given_up_at_last(stage: Stage) -> None:
    stage.results = [Overloaded("database", "commit: too much contention")] * 100
    served = stage.ask()

    stage.clock.pump([0.5] * 100)

    assert is_done(served)
    assert len(stage.calls) == OVERLOADED_TRIES
    assert error_of(stage.recorder.take()) == (
        "java.lang.RuntimeException",
        "database: commit: too much contention",
    )


def test_a_request_whose_connection_is_gone_is_left_and_not_tried_again(stage: Stage) -> None:
    stage.results = [AWAY]
    served = stage.ask()
    stage.recorder.failed = "the connection was lost"

    stage.clock.pump([0.5] * 10)

    assert len(stage.calls) == 1
    assert_left(served)


def assert_left(served: Deferred[None]) -> None:
    seen: list[Any] = []
    served.addErrback(lambda failure: seen.append(failure.value))
    (error,) = seen
    assert isinstance(error, Unavailable)


def test_an_answer_that_has_to_wait_is_sent_at_last(stage: Stage) -> None:
    stage.recorder.problems = [Unavailable("broker", "20000 messages wait for it already")] * 3
    served = stage.ask()
    assert not is_done(served)

    stage.clock.pump([0.5] * 10)

    assert is_done(served)
    assert len(stage.calls) == 1
    assert stage.recorder.take().json["result"] == "Hello, Anna"


def test_an_answer_that_finds_the_connection_gone_leaves_the_request(stage: Stage) -> None:
    stage.recorder.problems = [Unavailable("broker", "the connection was lost")]
    stage.recorder.failed = "the connection was lost"

    assert_left(stage.ask())


def test_an_answer_that_the_broker_refuses_is_told_as_an_error(stage: Stage) -> None:
    stage.recorder.problems = [MessageRefused("broker: 406 message too large")]

    answer = stage.answer_to(request("greet", {"name": "Anna"}))

    assert error_of(answer) == ("java.lang.RuntimeException", "broker: 406 message too large")


def test_a_request_that_can_be_told_nothing_at_all_is_kept(stage: Stage) -> None:
    stage.recorder.problems = [MessageRefused("too large"), MessageRefused("queue is full")]

    kept = stage.answer_to(request("greet", {"name": "Anna"}))

    assert kept.routing_key == DEAD_LETTERS
    assert kept.properties["headers"]["x-reason"] == (
        "java.lang.RuntimeException: too large; the answer cannot be delivered: queue is full"
    )


def test_a_message_that_cannot_even_be_kept_is_left(stage: Stage) -> None:
    stage.recorder.problems = [MessageRefused("no permission")] * 3
    served = stage.ask()

    served.addErrback(lambda failure: failure.type)
    assert served.result is MessageRefused
