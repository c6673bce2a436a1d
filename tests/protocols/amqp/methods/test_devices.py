"""``updateDevice``: a device makes itself known, and only its owner changes it."""

from __future__ import annotations

from uuid import UUID, uuid4

import pytest
from pytest_twisted import ensureDeferred

from stacksync.engine import Engine
from stacksync.model import Principal, SignIn
from tests.protocols.amqp.conftest import User


@ensureDeferred
async def test_a_device_without_an_id_is_registered(anna: User, engine: Engine) -> None:
    identity = await anna.call(
        "updateDevice", deviceName="Büro 💾", os="Linux", ip="10.0.0.1", appVersion="2.0"
    )

    principal = Principal(anna.account.id, SignIn.MESSAGE)
    (device,) = [d for d in await engine.devices.list(principal) if d.id == UUID(identity)]
    assert (device.name, device.os, device.ip) == ("Büro 💾", "Linux", "10.0.0.1")
    assert device.app_version == "2.0"


@ensureDeferred
async def test_a_device_with_an_id_is_changed(anna: User, engine: Engine) -> None:
    identity = await anna.call("updateDevice", deviceId=anna.device_id, appVersion="2.1")

    assert identity == anna.device_id
    principal = Principal(anna.account.id, SignIn.MESSAGE)
    (device,) = await engine.devices.list(principal)
    assert (device.name, device.app_version) == ("laptop", "2.1")


@ensureDeferred
async def test_somebody_elses_device_looks_like_none(anna: User, bert: User) -> None:
    nobodys = str(uuid4())
    for identity in (bert.device_id, nobodys):
        assert await anna.refusal("updateDevice", deviceId=identity, deviceName="mine") == (
            "DeviceNotUpdatedException",
            f"no such device: {identity}",
        )


@ensureDeferred
async def test_nobody_registers_a_device_without_an_account(anna: User) -> None:
    kind, _ = await anna.refusal("updateDevice", userId=str(uuid4()), deviceName="laptop")

    assert kind == "UserNotFoundException"


@pytest.mark.parametrize(
    ("fields", "complaint"),
    [
        ({"deviceName": 7}, "deviceName: must be a string"),
        ({"deviceName": "x" * 1001}, "deviceName: has 1001 characters; 1000 are allowed"),
        ({"appVersion": "\0"}, "appVersion: holds a NUL"),
        ({"os": ["Linux"]}, "os: must be a string"),
        ({"deviceId": "laptop"}, "deviceId: must be a UUID"),
    ],
)
@ensureDeferred
async def test_a_device_that_cannot_be_is_refused_with_the_field(
    anna: User, fields: dict[str, object], complaint: str
) -> None:
    assert await anna.refusal("updateDevice", **fields) == ("DeviceNotValidException", complaint)


@ensureDeferred
async def test_a_repeated_registration_is_the_same_device(anna: User) -> None:
    first = await anna.call("updateDevice", deviceName="phone", requestId="r-1")
    again = await anna.call("updateDevice", deviceName="phone", requestId="r-1")
    later = await anna.call("updateDevice", deviceName="phone", requestId="r-2")

    assert first == again != later
