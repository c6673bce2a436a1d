"""The front-end as a whole: a device's requests on the broker reach the engine, and back."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any
from uuid import uuid4

import pika
import pytest
import pytest_twisted
from pytest_twisted import ensureDeferred
from twisted.internet import reactor

from stacksync.config import AmqpConfig
from stacksync.engine import Engine
from stacksync.protocols.amqp.broker import Broker
from stacksync.protocols.amqp.front_end import make_broker, methods_of
from tests.protocols.amqp.builders import new_file
from tests.protocols.amqp.conftest import User
from tests.protocols.amqp.device import Device
from tests.protocols.amqp.waiting import eventually
from tests.servers.rabbitmq import RabbitServer

NewDevice = Callable[..., Device]


@pytest.fixture
def identity() -> str:
    """Whom the front-end takes a request to be from; a test overrides it."""
    return "message"


@pytest_twisted.async_yield_fixture
async def front_end(engine: Engine, amqp_url: str, identity: str) -> AsyncIterator[Broker]:
    """The front-end, connected."""
    broker, notifications = make_broker(reactor, engine, amqp_url, identity, AmqpConfig())
    engine.notifier.subscribe(notifications)
    broker.start()
    await eventually(lambda: broker.publisher)
    yield broker
    await broker.stop(5.0)


@pytest.fixture
def new_device(amqp_url: str) -> Iterator[NewDevice]:
    """Connects devices, and disconnects them after the test."""
    devices: list[Device] = []

    def connect(url: str = amqp_url, user_id: str | None = None) -> Device:
        devices.append(Device(url, user_id))
        return devices[-1]

    yield connect
    for device in devices:
        device.hang_up()


def test_the_methods_are_those_of_the_contract(engine: Engine) -> None:
    assert set(methods_of(engine)) == {
        "acceptShareProposal",
        "commit",
        "createShareProposal",
        "declineShareProposal",
        "getAccountInfo",
        "getChanges",
        "getShareMembers",
        "getShareProposals",
        "getVersions",
        "getWorkspaces",
        "leaveShare",
        "restoreVersion",
        "unshare",
        "updateDevice",
        "updateWorkspace",
        "withdrawShareProposal",
    }


@ensureDeferred
async def test_a_device_signs_in_commits_and_is_told(
    front_end: Broker, anna: User, new_device: NewDevice
) -> None:
    device = new_device()
    me = await device.call("getAccountInfo", email=anna.account.email)
    (workspace,) = await device.call("getWorkspaces", userId=me["userId"])
    identity = await device.call("updateDevice", userId=me["userId"], deviceName="Büro")
    ear = device.listen(workspace["id"])

    request_id = device.send(
        "commit",
        is_async=True,
        userId=me["userId"],
        workspaceId=workspace["id"],
        deviceId=identity,
        items=[new_file("größe 💾.txt")],
    )

    notification = await device.hear(ear)
    assert notification["method"] == "notifyCommit"
    (told,) = notification["params"]
    assert told["requestId"] == request_id
    metadata = told["items"][0]["metadata"]
    assert metadata["filename"] == "größe 💾.txt"
    changes = await device.call("getChanges", userId=me["userId"], workspaceId=workspace["id"])
    assert changes == [metadata]


@ensureDeferred
async def test_bad_messages_are_answered_or_kept_and_the_next_good_one_is_served(
    front_end: Broker, anna: User, new_device: NewDevice
) -> None:
    device = new_device()
    bad = [b"", b"\xac\xed\0\5", b"[" * 10_000, b'{"id": 1}', b"\xff", b"x" * 9 * 1024**2]

    for body in bad:
        device.send_bytes(body)
    device.send_bytes(b"{}", type=b"\xff", reply_to=device._answers)
    device.send_bytes(b"{}", headers={"nested": [{"deep": [1]}]}, reply_to=device._answers)

    complaints = [(await device.answer())["error"]["message"] for _ in range(2)]
    assert sorted(complaints) == [
        "params: must be a list of one request object",
        "type: unknown serializer ?; known are gson and json",
    ]
    info = await device.call("getAccountInfo", email=anna.account.email)
    assert info["userId"] == anna.id
    # The largest has its turn, by its size, when the others of nobody have been kept.
    kept = [await eventually(lambda: device.next_in("ISyncService.dead-letter")) for _ in bad]
    assert [len(body) for _, _, body in kept] == [*map(len, bad[:-1]), 8 * 1024**2]
    assert kept[-1][1].headers["x-size"] == 9 * 1024**2
    assert all(properties.headers["x-reason"] for _, properties, _ in kept)


@pytest.mark.parametrize("identity", ["broker"])
@ensureDeferred
async def test_a_login_acts_for_its_own_account_and_no_other(
    front_end: Broker,
    anna: User,
    bert: User,
    new_device: NewDevice,
    rabbitmq: RabbitServer,
    vhost: str,
) -> None:
    email = anna.account.email
    url = rabbitmq.add_user(email, "secret", vhost)
    try:
        device = new_device(url, user_id=email)
        (workspace,) = await device.call("getWorkspaces")
        assert workspace["id"] == anna.workspace_id
        assert await device.call("getWorkspaces", userId=anna.id) == [workspace]

        for other in (bert.id, str(uuid4())):
            assert await device.call("getWorkspaces", userId=other) == (
                "UserNotFoundException",
                "userId is not the account that sent the message",
            )

        nameless = new_device(url)
        assert (await nameless.call("getWorkspaces", userId=anna.id))[0] == "UserNotFoundException"
        forger = new_device(url, user_id=bert.account.email)
        with pytest.raises(pika.exceptions.ChannelClosedByBroker, match="406"):
            await refused_by_broker(forger, bert.id)
    finally:
        rabbitmq.delete_user(email)


async def refused_by_broker(device: Device, user_id: str) -> Any:
    device.send("getWorkspaces", userId=user_id)
    return await device.answer()
