"""Unusual properties, headers and bytes hinder nothing: there is an answer, whatever comes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing, suppress
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.integration.clients.amqp_device import AmqpDevice
from tests.integration.clients.answers import Refused
from tests.integration.clients.items import new_file
from tests.integration.conftest import Devices
from tests.integration.surroundings.dead_letters import DeadLetters
from tests.servers.stacksync import KnownUser, StackSyncProcess


@pytest.fixture
def laptop(user: KnownUser, devices: Devices) -> AmqpDevice:
    return devices.laptop(user)


@pytest.fixture(scope="module")
def dead_letters(server: StackSyncProcess) -> Iterator[DeadLetters]:
    with closing(DeadLetters(server.amqp_url)) as dead_letters:
        yield dead_letters


def call(laptop: AmqpDevice) -> bytes:
    """A good request: the laptop asks for its user's workspaces."""
    parameter = {"requestId": "1", "userId": str(laptop.user.id)}
    return json.dumps(
        {"id": "1", "method": "getWorkspaces", "async": False, "params": [parameter]}
    ).encode()


def assert_served(laptop: AmqpDevice) -> None:
    """The next good message has its effect."""
    assert laptop.commit(new_file()).item["version"] == 1


@pytest.mark.parametrize("serializer", [b"java", b"kryo", b"application/json", b"GSON", b"\xff"])
def test_an_unknown_serializer_is_refused(
    serializer: bytes, laptop: AmqpDevice, dead_letters: DeadLetters
) -> None:
    laptop.publish(call(laptop), "answered", type=serializer)
    kept = f"kept for {laptop.user.id}"
    laptop.publish(call(laptop), kept, type=serializer, reply_to=None)

    with pytest.raises(Refused, match="unknown serializer"):
        laptop.response_to("answered")
    assert "unknown serializer" in dead_letters.of(kept).reason
    assert_served(laptop)


@pytest.mark.parametrize("serializer", ["gson", "json", None])
def test_json_has_two_names(serializer: str | None, laptop: AmqpDevice) -> None:
    laptop.publish(call(laptop), "call", type=serializer)

    assert len(laptop.response_to("call")) == 1


@pytest.mark.parametrize(
    "reply_to",
    ["nobody.listens", "x" * 255, "multi#", "amq.rabbitmq.x", "amq.rabbitmq.reply-to.g2dk.x"],
)
def test_an_answer_that_nobody_takes_hinders_nothing(reply_to: str, laptop: AmqpDevice) -> None:
    laptop.publish(b"not JSON", "lost", reply_to=reply_to)
    laptop.publish(call(laptop), "lost", reply_to=reply_to)

    assert_served(laptop)


ODD_HEADERS: dict[str, Any] = {
    "empty": {},
    "as RabbitMQ adds them": {
        "x-death": [
            {
                "count": 3,
                "exchange": "",
                "queue": "retry",
                "reason": "expired",
                "routing-keys": ["ISyncService"],
                "time": datetime(2026, 11, 21, tzinfo=UTC),
            }
        ],
        "x-first-death-reason": "expired",
    },
    "all types": {
        "array": [1, "two", None, [3], {"four": True}],
        "bytes": b"\xff\0",
        "decimal": Decimal("-1.5"),
        "false": False,
        "long": -(2**62),
        "none": None,
        "table": {"in": {"in": {}}},
        "time": datetime(1970, 1, 1, tzinfo=UTC),
        "ünïcode": "💾" * 50,
    },
    "many": {f"header-{number}": "x" * 200 for number in range(500)},
}


@pytest.mark.parametrize("name", ODD_HEADERS)
def test_headers_of_any_kind_are_passed_over(name: str, laptop: AmqpDevice) -> None:
    laptop.publish(
        call(laptop),
        "call",
        headers=ODD_HEADERS[name],
        content_type="application/json",
        content_encoding="utf-8",
        priority=9,
        message_id="m" * 255,
        timestamp=2**40,
        cluster_id="",
    )

    assert len(laptop.response_to("call")) == 1
    assert_served(laptop)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4)
    ),
    max_leaves=10,
)
NAMES = st.sampled_from(
    [
        *("requestId", "userId", "workspaceId", "deviceId", "items", "email", "sinceRevision"),
        *("deviceName", "os", "workspaceName", "parentItemId", "ip", "appVersion"),
    ]
)
METHODS = st.sampled_from(
    ["commit", "getChanges", "getWorkspaces", "updateDevice", "updateWorkspace", "getAccountInfo"]
)
EXAMPLES = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def assert_answered(laptop: AmqpDevice, body: bytes) -> None:
    message_id = str(uuid4())
    laptop.publish(body, message_id)
    with suppress(Refused):
        laptop.response_to(message_id)


@EXAMPLES
@given(body=st.binary(max_size=300) | JSON.map(lambda value: json.dumps(value).encode()))
def test_whatever_the_bytes_there_is_an_answer(body: bytes, laptop: AmqpDevice) -> None:
    assert_answered(laptop, body)


@EXAMPLES
@given(method=METHODS, fields=st.dictionaries(NAMES, JSON), mine=st.booleans())
def test_whatever_the_parameters_there_is_an_answer(
    method: str, fields: dict[str, Any], mine: bool, laptop: AmqpDevice
) -> None:
    if mine:
        ours = {"userId": str(laptop.user.id), "workspaceId": laptop.workspace}
        fields = {**fields, **ours, "deviceId": laptop.id}
    request = {"id": "1", "method": method, "async": False, "params": [fields]}
    assert_answered(laptop, json.dumps(request).encode())
