"""Envelopes: what is read of a request, and what is refused with which words."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stacksync.errors import InvalidRequest
from stacksync.protocols.amqp.messages import (
    decode_request,
    encode_error,
    encode_notification,
    encode_result,
    well_formed,
)
from tests.protocols.amqp.requests import deliver

GOOD = {"id": "r-1", "method": "commit", "async": True, "params": [{"a": 1}]}


def without(name: str) -> dict[str, Any]:
    return {key: value for key, value in GOOD.items() if key != name}


@pytest.mark.parametrize("properties", [{}, {"type": "gson"}, {"type": "json"}])
def test_a_request_is_read(properties: dict[str, str]) -> None:
    request = decode_request(deliver(orjson.dumps(GOOD), **properties))

    assert (request.id, request.method, request.is_async) == ("r-1", "commit", True)
    assert request.fields == {"a": 1}


@pytest.mark.parametrize("envelope", [without("async"), {**GOOD, "async": None}])
def test_a_request_is_synchronous_unless_it_says_otherwise(envelope: dict[str, Any]) -> None:
    assert not decode_request(deliver(orjson.dumps(envelope))).is_async


def test_fields_of_an_envelope_that_mean_nothing_are_passed_over() -> None:
    assert decode_request(deliver(orjson.dumps({**GOOD, "version": 2}))).id == "r-1"


@pytest.mark.parametrize(
    ("envelope", "complaint"),
    [
        ([], "body: must be an object"),
        (None, "body: must be an object"),
        (without("id"), "id: is missing"),
        ({**GOOD, "id": 7}, "id: must be a string"),
        ({**GOOD, "id": "x" * 256}, "id: has more than 255 characters"),
        (without("method"), "method: is missing"),
        ({**GOOD, "method": ["commit"]}, "method: must be a string"),
        ({**GOOD, "async": "yes"}, "async: must be true or false"),
        (without("params"), "params: must be a list of one request object"),
        ({**GOOD, "params": {}}, "params: must be a list of one request object"),
        ({**GOOD, "params": []}, "params: must be a list of one request object"),
        ({**GOOD, "params": [{}, {}]}, "params: must be a list of one request object"),
        ({**GOOD, "params": ["x"]}, r"params\[0\]: must be an object"),
    ],
)
def test_a_wrong_envelope_is_refused_with_the_field(envelope: Any, complaint: str) -> None:
    with pytest.raises(InvalidRequest, match=f"^{complaint}$"):
        decode_request(deliver(orjson.dumps(envelope)))


@pytest.mark.parametrize(
    "body", [b"", b"{", b"\xff\xfe", b'"\xed\xa0\x80"', b'{"a": NaN}', b"\xac\xed"]
)
def test_what_is_not_json_is_refused(body: bytes) -> None:
    with pytest.raises(InvalidRequest, match=r"^body: not JSON in UTF-8: "):
        decode_request(deliver(body))


@pytest.mark.parametrize("body", [b"[" * 100_000, b'{"params":' + b"[" * 7 + b"]" * 7 + b"}"])
def test_what_goes_too_deep_is_refused_with_the_depth(body: bytes) -> None:
    with pytest.raises(InvalidRequest, match=r"^body: .* more than 7 levels deep$"):
        decode_request(deliver(body), json_depth=7)


@given(st.binary(max_size=100))
def test_no_body_does_any_harm(body: bytes) -> None:
    with pytest.raises(InvalidRequest):
        decode_request(deliver(body))


@pytest.mark.parametrize("kind", ["java", "kryo", "", "GSON", "x" * 255])
def test_an_unknown_serializer_is_refused_before_the_body_is_read(kind: str) -> None:
    with pytest.raises(InvalidRequest, match=r"^type: unknown serializer"):
        decode_request(deliver(b"\xac\xed", type=kind))


def test_a_body_that_was_too_large_is_refused_with_both_sizes() -> None:
    delivery = deliver(b"{}")
    delivery.size = 9_000_000

    with pytest.raises(InvalidRequest, match=r"^body: has 9000000 bytes; 2 are allowed$"):
        decode_request(delivery)


def test_a_result_may_hold_json_as_it_is() -> None:
    identity = UUID(int=1)

    answer = orjson.loads(encode_result("r-1", [orjson.Fragment(b'{"a":1}'), identity, None]))

    assert answer == {
        "id": "r-1",
        "idOmq": "ISyncService",
        "result": [{"a": 1}, str(identity), None],
    }


def test_an_error_has_the_type_that_the_client_instantiates() -> None:
    assert orjson.loads(encode_error("r-1", "java.lang.Whatever", "größe")) == {
        "id": "r-1",
        "idOmq": "ISyncService",
        "error": {"type": "java.lang.Whatever", "message": "größe"},
    }


def test_a_notification_is_itself_a_request() -> None:
    body = encode_notification("r-1", "notifyCommit", {"items": []})

    request = decode_request(deliver(body, type="gson"))
    assert (request.id, request.method, request.is_async) == ("r-1", "notifyCommit", True)
    assert request.fields == {"items": []}


@given(st.binary())
def test_whatever_a_property_holds_can_be_told(data: bytes) -> None:
    text = well_formed(data.decode("utf-8", "surrogateescape"))

    assert orjson.loads(encode_error("r", "t", text))["error"]["message"] == text
