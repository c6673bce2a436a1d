"""ObjectMQ's envelopes: requests, responses, notifications (docs/amqp.rst)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson
from attrs import frozen

from stacksync.errors import InvalidRequest
from stacksync.protocols.amqp.wire.frames import Delivery
from stacksync.protocols.fields import Fields, as_object, boolean, required, shortened, text
from stacksync.protocols.nesting import DEPTH, decode_json

OBJECT_NAME = "ISyncService"
SERIALIZERS = ("gson", "json")
RESPONSE_TYPE = "normalResponse"
ID_CHARACTERS = 255


@frozen
class Request:
    """A call of one of our methods."""

    id: str
    method: str
    is_async: bool
    fields: Fields
    """The one request object that is its parameter."""


def check_envelope(delivery: Delivery) -> None:
    """Refuse what we cannot read before reading it.

    :raises InvalidRequest: too large, or a serializer that we do not know.
    """
    if not delivery.whole:
        raise InvalidRequest("body", f"has {delivery.size} bytes; {len(delivery.body)} are allowed")
    serializer = delivery.properties.get("type", "gson")
    if serializer not in SERIALIZERS:
        raise InvalidRequest(
            "type", f"unknown serializer {shortened(serializer)}; known are gson and json"
        )


def decode_request(delivery: Delivery, json_depth: int = DEPTH) -> Request:
    """The request in a message.

    :param json_depth: how deep lists and objects may stand in one another.
    :raises InvalidRequest: it is none; says which part is wrong.
    """
    check_envelope(delivery)
    envelope = as_object(decode_json(delivery.body, json_depth), "body")
    parameters = envelope.get("params")
    if type(parameters) is not list or len(parameters) != 1:
        raise InvalidRequest("params", "must be a list of one request object")
    identity = required(text(envelope, "id"), "id")
    if len(identity) > ID_CHARACTERS:
        raise InvalidRequest("id", f"has more than {ID_CHARACTERS} characters")
    return Request(
        id=identity,
        method=required(text(envelope, "method"), "method"),
        is_async=bool(boolean(envelope, "async")),
        fields=as_object(parameters[0], "params[0]"),
    )


def encode_result(request_id: str, result: Any) -> bytes:
    """A response; the result may hold :class:`orjson.Fragment`, JSON as it is."""
    return orjson.dumps({"id": request_id, "idOmq": OBJECT_NAME, "result": result})


def encode_error(request_id: str, error_type: str, message: str) -> bytes:
    error = {"type": error_type, "message": message}
    return orjson.dumps({"id": request_id, "idOmq": OBJECT_NAME, "error": error})


def encode_notification(request_id: str, method: str, parameter: Mapping[str, Any]) -> bytes:
    """A notification is itself a request, of the client's methods."""
    return orjson.dumps({"id": request_id, "method": method, "async": True, "params": [parameter]})


def well_formed(text: str) -> str:
    """What can be written as UTF-8: properties may hold bytes that are no text."""
    return text.encode("utf-8", "replace").decode()
