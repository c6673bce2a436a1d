"""Whatever a message says, it is answered or kept for the operator, and never just lost."""

from __future__ import annotations

import pytest

from stacksync.errors import AccountNotFound, Forbidden, InvalidRequest
from tests.protocols.amqp.requests import DEAD_LETTERS, deliver, request
from tests.protocols.amqp.stage import ANNA, Stage, error_of, is_done


@pytest.fixture
def stage() -> Stage:
    return Stage()


# -- requests that can be done


def test_a_request_is_answered_where_it_wants(stage: Stage) -> None:
    asked = request("greet", {"name": "Anna"}, reply_to="reply_laptop")

    answer = stage.answer_to(asked)

    assert (answer.exchange, answer.routing_key) == ("", "reply_laptop")
    assert answer.properties == {
        "app_id": "ISyncService",
        "correlation_id": asked.properties["correlation_id"],
        "type": "normalResponse",
    }
    assert answer.json == {
        "id": asked.properties["correlation_id"],
        "idOmq": "ISyncService",
        "result": "Hello, Anna",
    }
    assert stage.calls[0].principal is ANNA


def test_an_asynchronous_request_is_not_answered_nor_its_answer_made(stage: Stage) -> None:
    stage.method["encode"] = lambda result: pytest.fail("nobody wants to know")

    served = stage.ask(is_async=True)

    assert is_done(served)
    assert stage.calls
    assert not stage.recorder.published


def test_the_method_says_how_its_result_is_told(stage: Stage) -> None:
    stage.method["encode"] = str.upper

    assert stage.answer_to(request("greet", {"name": "Anna"})).json["result"] == "HELLO, ANNA"


# -- requests that are refused


def test_an_unknown_method_is_told_with_those_that_there_are(stage: Stage) -> None:
    answer = stage.answer_to(request("x" * 1000, {}))

    kind, message = error_of(answer)
    assert kind == "java.lang.NoSuchMethodException"
    assert message == f"ISyncService has no method {'x' * 80}…; it has greet"


def test_an_error_of_the_domain_is_told_in_the_methods_own_words(stage: Stage) -> None:
    stage.method["errors"] = {Forbidden: "com.example.No"}
    stage.results = [Forbidden("not you"), AccountNotFound("anna")]

    own, general = (stage.answer_to(request("greet", {})) for _ in range(2))

    assert error_of(own) == ("com.example.No", "not you")
    assert error_of(general) == (
        "com.stacksync.commons.exceptions.UserNotFoundException",
        "no such account: anna",
    )


def test_a_wrong_parameter_is_called_what_this_protocol_calls_it(stage: Stage) -> None:
    stage.method["names"] = {"name": "deviceName"}
    stage.results = [InvalidRequest("name", "is empty")]

    answer = stage.answer_to(request("greet", {}))

    assert error_of(answer) == ("java.lang.IllegalArgumentException", "deviceName: is empty")


def test_an_asynchronous_request_that_is_refused_is_told_if_it_can_be(stage: Stage) -> None:
    stage.results = [Forbidden("not you")]

    answer = stage.answer_to(request("greet", {}, is_async=True))

    assert answer.routing_key == "answers"
    assert error_of(answer)[1] == "not you"


def test_one_that_cannot_be_told_is_kept_with_the_reason(stage: Stage) -> None:
    stage.results = [Forbidden("not you")]
    asked = request("greet", {}, is_async=True, reply_to=None, user_id="anna@example.org")

    kept = stage.answer_to(asked)

    assert (kept.exchange, kept.routing_key) == ("", DEAD_LETTERS)
    assert kept.body == asked.body
    assert kept.properties == {
        "app_id": "ISyncService",
        "correlation_id": asked.properties["correlation_id"],
        "type": "gson",
        "delivery_mode": 2,
        "headers": {
            "x-reason": "java.lang.IllegalArgumentException: not you",
            "x-exchange": "requests",
            "x-routing-key": "ISyncService",
            "x-user-id": "anna@example.org",
            "x-size": len(asked.body),
        },
    }


def test_a_synchronous_request_that_says_no_place_for_the_answer_is_not_done(
    stage: Stage,
) -> None:
    kept = stage.answer_to(request("greet", {}, reply_to=None))

    assert not stage.calls
    assert "reply_to: is missing" in kept.properties["headers"]["x-reason"]


def test_what_cannot_be_read_is_answered_under_its_correlation_id(stage: Stage) -> None:
    answer = stage.answer_to(deliver(b"{", reply_to="answers", correlation_id="c-1"))

    assert answer.json["id"] == "c-1"
    assert "not JSON" in error_of(answer)[1]


@pytest.mark.parametrize("reply_to", ["answers", None])
def test_properties_that_are_no_text_are_answered_or_kept(
    stage: Stage, reply_to: str | None
) -> None:
    properties = {"type": "\udcff\udcfe", "correlation_id": "\udcff", "user_id": "\udcff"}
    if reply_to is not None:
        properties["reply_to"] = reply_to

    told = stage.answer_to(deliver(b"{}", **properties))

    if reply_to is not None:
        assert "unknown serializer ??" in error_of(told)[1]
        assert told.json["id"] == "?"
        assert told.properties["correlation_id"] == "\udcff"
    else:
        assert "unknown serializer ??" in told.properties["headers"]["x-reason"]


def test_of_a_message_that_is_too_large_the_beginning_is_kept(stage: Stage) -> None:
    asked = deliver(b"x" * 10)
    asked.size = 20_000_000

    kept = stage.answer_to(asked)

    assert kept.body == b"x" * 10
    assert kept.properties["headers"]["x-size"] == 20_000_000
    assert "has 20000000 bytes; 10 are allowed" in kept.properties["headers"]["x-reason"]
