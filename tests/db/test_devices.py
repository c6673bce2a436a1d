"""Devices belong to an account, and only it sees and changes them."""

from __future__ import annotations

from uuid import uuid4

import pytest
from attrs import evolve
from pytest_twisted import ensureDeferred

from stacksync.errors import AccountNotFound
from stacksync.model import DeviceDescription
from tests.db.builders import World

FULL = DeviceDescription(name="ignored here", os="Debian 12", ip="2001:db8::1", app_version="2.0")


@ensureDeferred
async def test_a_device_is_kept_with_what_it_says_of_itself(world: World) -> None:
    anna = await world.user()
    device = await world.devices.insert(anna.account.id, "laptop", FULL)
    assert (device.account_id, device.name) == (anna.account.id, "laptop")
    assert (device.os, device.ip, device.app_version) == ("Debian 12", "2001:db8::1", "2.0")
    assert device.created_at == device.seen_at
    bare = await world.devices.insert(anna.account.id, "phone", DeviceDescription())
    assert (bare.os, bare.ip, bare.app_version) == (None, None, None)
    listed = await world.devices.of_account(anna.account.id)
    assert listed[1:] == (device, bare)


@ensureDeferred
async def test_a_device_of_nobody_is_refused(world: World) -> None:
    with pytest.raises(AccountNotFound):
        await world.devices.insert(uuid4(), "laptop", FULL)


@ensureDeferred
async def test_an_update_changes_what_is_given_and_when_the_device_was_seen(world: World) -> None:
    anna = await world.user()
    device = await world.devices.insert(anna.account.id, "laptop", FULL)
    for description, expected in (
        (DeviceDescription(), device),
        (DeviceDescription(name="new name"), evolve(device, name="new name")),
        (DeviceDescription(ip="::1"), evolve(device, name="new name", ip="::1")),
    ):
        updated = await world.devices.update(anna.account.id, device.id, description)
        assert updated is not None
        assert updated.seen_at > device.seen_at
        assert evolve(updated, seen_at=device.seen_at) == expected


@ensureDeferred
async def test_somebody_elses_device_is_out_of_reach(world: World) -> None:
    anna, berta = await world.user(), await world.user()
    for account, device in ((anna, berta.device_id), (anna, uuid4())):
        assert await world.devices.update(account.account.id, device, FULL) is None
    (mine,) = await world.devices.of_account(berta.account.id)
    assert mine.os is None
    assert await world.devices.of_account(uuid4()) == ()
