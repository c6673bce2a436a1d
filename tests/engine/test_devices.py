"""A principal registers, changes and lists its own devices."""

from __future__ import annotations

from uuid import uuid4

import pytest
from attrs import evolve
from pytest_twisted import ensureDeferred
from twisted.internet.defer import Deferred, gatherResults

from stacksync.engine import Engine, devices
from stacksync.engine.devices import IMPLICIT, NAMELESS
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


@ensureDeferred
async def test_who_names_a_device_acts_from_it(engine: Engine, people: People) -> None:
    anna = await people.person()
    device_id = uuid4()
    # Whether it is there, and whose it is, the commit will say.
    acting = await engine.devices.acting(evolve(anna.principal, device_id=device_id))
    assert acting == device_id
    assert len(await engine.devices.list(anna.principal)) == 1


@ensureDeferred
async def test_who_names_none_acts_from_one_that_the_account_has_for_that(
    engine: Engine, people: People
) -> None:
    anna, berta = await people.person(), await people.person()
    asks = [Deferred.fromCoroutine(engine.devices.acting(anna.principal)) for _ in range(3)]
    (acting,) = set(await gatherResults(asks))
    assert await engine.devices.acting(anna.principal) == acting
    assert await engine.devices.acting(berta.principal) != acting
    made = [device for device in await engine.devices.list(anna.principal) if device.id == acting]
    assert [device.name for device in made] == [IMPLICIT]


@ensureDeferred
async def test_only_so_many_accounts_are_remembered(
    engine: Engine, people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(devices, "REMEMBERED", 2)
    some = [await people.person() for _ in range(4)]
    acting = [await engine.devices.acting(one.principal) for one in some]
    assert len(engine.devices._implicit) == 2
    assert [await engine.devices.acting(one.principal) for one in some] == acting


@ensureDeferred
async def test_nobody_acts_from_nothing(engine: Engine) -> None:
    with pytest.raises(AccountNotFound):
        await engine.devices.acting(Principal(uuid4(), SignIn.PASSWORD))
