"""A bad message is answered with an error or kept as a dead letter, and the next one is served."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing
from typing import Any
from uuid import UUID, uuid4

import pytest

from tests.integration.clients.amqp_device import AmqpDevice
from tests.integration.clients.answers import Refused
from tests.integration.clients.items import new_file
from tests.integration.conftest import Devices
from tests.integration.surroundings.dead_letters import DeadLetters
from tests.integration.surroundings.fleet import Fleet
from tests.servers.stacksync import KnownUser, StackSyncProcess

MEBIBYTE = 1024**2
KEPT = 20

NESTED = b"[" * 10_000 + b"]" * 10_000
TOO_DEEP = "body: has lists and objects in one another more than 64 levels deep"


def envelope(**fields: Any) -> bytes:
    """A request that would be right, but for these fields."""
    usual = {"id": "1", "method": "getWorkspaces", "async": False, "params": [{"requestId": "1"}]}
    return json.dumps({**usual, **fields}).encode()


BAD_BODIES: dict[str, tuple[bytes, str]] = {
    "empty": (b"", "body: not JSON"),
    "a word": (b"hello", "body: not JSON"),
    "cut short": (envelope()[:-1], "body: not JSON"),
    "two values": (b"{} {}", "body: not JSON"),
    "not UTF-8": (b'{"id": "\xff\xfe"}', "body: not JSON"),
    "UTF-16": (envelope().decode().encode("utf-16"), "body: not JSON"),
    "NUL bytes": (b"\0" * 1000, "body: not JSON"),
    "NaN": (envelope().replace(b'"1"', b"NaN", 1), "body: not JSON"),
    "a lone surrogate": (envelope().replace(b'"1"', b'"\\ud800"', 1), "body: not JSON"),
    "a list": (b"[]", "body: must be an object"),
    "null": (b"null", "body: must be an object"),
    "a number": (b"1e999", "body: "),
    "nesting of 10,000": (NESTED, TOO_DEEP),
    "nesting of 10,000 as parameter": (
        envelope(params=[7]).replace(b"7", NESTED),
        TOO_DEEP,
    ),
    "nesting of 1,000 as parameter": (
        envelope(params=[7]).replace(b"7", b"[" * 1000 + b"]" * 1000),
        TOO_DEEP,
    ),
    "no parameters": (envelope(params=None), "params: must be a list"),
    "parameters as object": (envelope(params={}), "params: must be a list"),
    "two parameters": (envelope(params=[{}, {}]), "params: must be a list of one"),
    "a parameter that is no object": (envelope(params=[[]]), "params[0]: must be an object"),
    "no id": (envelope(id=None), "id: is missing"),
    "a number as id": (envelope(id=1), "id: must be a string"),
    "a long id": (envelope(id="x" * 256), "id: has more than 255 characters"),
    "no method": (envelope(method=None), "method: is missing"),
    "a list as method": (envelope(method=["commit"]), "method: must be a string"),
    "an unknown method": (envelope(method="__init__"), "ISyncService has no method __init__"),
    "a method in another case": (envelope(method="Commit"), "ISyncService has no method Commit"),
    "a very long method": (envelope(method="x" * MEBIBYTE), "ISyncService has no method xxx"),
    "a word for async": (envelope(**{"async": "yes"}), "async: must be true or false"),
    "16 MiB": (b" " * 16 * MEBIBYTE, "body: has 16777216 bytes; 8388608 are allowed"),
}

BAD_COMMITS: dict[str, tuple[dict[str, Any], str]] = {
    "no request id": ({"requestId": None}, "requestId: is missing"),
    "a number as request id": ({"requestId": 7}, "requestId: must be a string"),
    "an empty request id": ({"requestId": ""}, "request"),
    "no user": ({"userId": None}, "userId: is missing"),
    "a number as user": ({"userId": 7}, "userId: must be a UUID"),
    "a user in braces": ({"userId": f"{{{UUID(int=1)}}}"}, "userId: must be a UUID"),
    "no workspace": ({"workspaceId": None}, "workspaceId: is missing"),
    "a path as workspace": ({"workspaceId": "../../etc"}, "workspaceId: must be a UUID"),
    "no device": ({"deviceId": None}, "deviceId: is missing"),
    "no items": ({"items": None}, "items: is missing"),
    "items as object": ({"items": {}}, "items: must be a list"),
    "a number as item": ({"items": [7]}, "items[0]: must be an object"),
    "an empty item": ({"items": [{}]}, "items[0].status: is missing"),
    "5001 items": ({"items": [{"status": "NEW", "version": 1, "modifiedAt": 0}] * 5001}, "5000"),
}


@pytest.fixture(scope="module")
def server(module_fleet: Fleet, module_database_dsn: str, module_amqp_url: str) -> StackSyncProcess:
    """A server that keeps few dead letters."""
    return module_fleet.start(
        module_database_dsn, module_amqp_url, amqp={"dead_letter_max": str(KEPT)}
    )


@pytest.fixture
def laptop(user: KnownUser, devices: Devices) -> AmqpDevice:
    return devices.laptop(user)


@pytest.fixture(scope="module")
def dead_letters(server: StackSyncProcess) -> Iterator[DeadLetters]:
    with closing(DeadLetters(server.amqp_url)) as dead_letters:
        yield dead_letters


def assert_served(laptop: AmqpDevice) -> None:
    """The next good message has its effect."""
    assert laptop.commit(new_file()).item["version"] == 1


def refusal_of(laptop: AmqpDevice, body: bytes, **properties: Any) -> Refused:
    """The error that a message is answered with."""
    message_id = str(uuid4())
    laptop.publish(body, message_id, **properties)
    with pytest.raises(Refused) as refused:
        laptop.response_to(message_id)
    return refused.value


@pytest.mark.parametrize("name", BAD_BODIES)
def test_a_bad_message_is_answered_with_an_error(name: str, laptop: AmqpDevice) -> None:
    body, problem = BAD_BODIES[name]

    refused = refusal_of(laptop, body)

    no_method = "has no method" in problem
    assert refused.kind == ("NoSuchMethodException" if no_method else "IllegalArgumentException")
    assert refused.message.startswith(problem)
    assert len(refused.message) < 1000
    assert_served(laptop)


@pytest.mark.parametrize("name", BAD_BODIES)
def test_a_bad_message_that_cannot_be_answered_is_kept_with_the_reason(
    name: str, laptop: AmqpDevice, dead_letters: DeadLetters
) -> None:
    body, problem = BAD_BODIES[name]

    laptop.publish(body, name, reply_to=None)

    dead = dead_letters.next()
    assert problem in dead.reason
    assert dead.correlation_id == name
    assert dead.body == body[: 8 * MEBIBYTE]
    assert dead.headers["x-size"] == len(body)
    assert dead.headers["x-exchange"] == "rpc_global_exchange"
    assert dead.headers["x-routing-key"] == "ISyncService"
    assert_served(laptop)


@pytest.mark.parametrize("name", BAD_COMMITS)
def test_a_bad_commit_is_answered_with_an_error(name: str, laptop: AmqpDevice) -> None:
    fields, problem = BAD_COMMITS[name]
    usual = {"workspaceId": laptop.workspace, "deviceId": laptop.id, "items": []}

    with pytest.raises(Refused) as refused:
        laptop.call("commit", **{**usual, **fields})

    assert refused.value.kind == "IllegalArgumentException"
    assert problem in refused.value.message
    assert_served(laptop)


def test_a_call_that_says_nowhere_to_answer_to_is_kept(
    laptop: AmqpDevice, dead_letters: DeadLetters
) -> None:
    params = [{"requestId": "1", "userId": str(laptop.user.id)}]

    laptop.publish(envelope(params=params), "kept", reply_to=None)

    assert "reply_to: is missing" in dead_letters.next().reason
    assert_served(laptop)


def test_the_oldest_dead_letters_make_room(laptop: AmqpDevice, dead_letters: DeadLetters) -> None:
    for number in range(KEPT + 10):
        laptop.publish(b"not JSON", str(number), reply_to=None)

    numbers: list[int] = []
    while not numbers or numbers[-1] != KEPT + 9:
        assert len(dead_letters) <= KEPT
        numbers.append(int(dead_letters.next().correlation_id or ""))
    assert numbers == sorted(numbers)
    assert_served(laptop)
