"""A principal registers, changes and lists its own devices."""

from __future__ import annotations

from uuid import uuid4

import pytest
from pytest_twisted import ensureDeferred

from stacksync.engine import Engine
from stacksync.engine.devices import NAMELESS
from stacksync.errors import AccountNotFound, InvalidRequest
from stacksync.model import DeviceDescription, Principal, SignIn
from tests.engine.conftest import People


@ensureDeferred
async def test_a_device_is_registered_updated_and_listed(engine: Engine, people: People) -> None:
    anna = await people.person()
    device = await engine.devices.register(anna.principal, DeviceDescription("laptop", "Debian"))
    assert device.account_id == anna.user.account.id
    updated = await engine.devices.update(
        anna.principal, device.id, DeviceDescription(app_version="2")
    )
    assert (updated.name, updated.os, updated.app_version) == ("laptop", "Debian", "2")
    assert (await engine.devices.list(anna.principal))[1:] == (updated,)


@ensureDeferred
async def test_a_device_that_says_nothing_of_itself_has_a_name(
    engine: Engine, people: People
) -> None:
    anna = await people.person()
    for name in (None, ""):
        device = await engine.devices.register(anna.principal, DeviceDescription(name))
        assert device.name == NAMELESS


@ensureDeferred
async def test_what_cannot_be_stored_is_refused_by_name(engine: Engine, people: People) -> None:
    anna = await people.person()
    for field in ("name", "os", "ip", "app_version"):
        for text in ("nul\0", "\ud800", "x" * 1001):
            description = DeviceDescription(**{field: text})
            for asking in (
                engine.devices.register(anna.principal, description),
                engine.devices.update(anna.principal, anna.user.device_id, description),
            ):
                with pytest.raises(InvalidRequest) as caught:
                    await asking
                assert caught.value.field == field


@ensureDeferred
async def test_nobody_has_no_devices(engine: Engine) -> None:
    nobody = Principal(uuid4(), SignIn.MESSAGE)
    with pytest.raises(AccountNotFound):
        await engine.devices.register(nobody, DeviceDescription("laptop"))


@ensureDeferred
async def test_a_registration_delivered_twice_is_one_device(engine: Engine, people: People) -> None:
    anna = await people.person()
    before = await engine.devices.list(anna.principal)
    laptop, phone = DeviceDescription("laptop", "Debian"), DeviceDescription("phone")
    first = await engine.devices.register(anna.principal, laptop, request_id="r-1")
    again = await engine.devices.register(anna.principal, laptop, request_id="r-1")
    other = await engine.devices.register(anna.principal, phone, request_id="r-1")
    later = await engine.devices.register(anna.principal, laptop, request_id="r-2")
    assert again.id == first.id
    assert len({first.id, other.id, later.id}) == 3
    assert len(await engine.devices.list(anna.principal)) == len(before) + 3
