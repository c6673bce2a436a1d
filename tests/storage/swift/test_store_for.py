"""Which store the settings choose, and what it needs to be told."""

from __future__ import annotations

from pathlib import Path

import pytest
from attrs import evolve
from pytest_twisted import ensureDeferred
from twisted.internet import reactor

from stacksync.config import Config, KeystoneConfig, StorageConfig
from stacksync.errors import ConfigurationError, Unavailable
from stacksync.storage import SwiftStore, store_for
from stacksync.storage.keystone import Keystone
from tests.servers.openstack.cloud import CloudProject
from tests.storage.swift.conftest import settings_of

SWIFT = evolve(Config(), storage=StorageConfig(url="swift"))


def test_swift_needs_a_keystone() -> None:
    with pytest.raises(ConfigurationError, match=r"\[keystone\] url"):
        store_for(reactor, SWIFT)


def test_a_file_of_certificates_that_is_not_there_is_named(tmp_path: Path) -> None:
    keystone = KeystoneConfig(url="https://keystone.example.org/v3", ca_file=tmp_path / "none.pem")
    with pytest.raises(ConfigurationError, match=r"none\.pem"):
        store_for(reactor, evolve(SWIFT, keystone=keystone))


@ensureDeferred
async def test_a_store_has_a_keystone_of_its_own_if_none_is_given(project: CloudProject) -> None:
    store = store_for(reactor, evolve(SWIFT, keystone=settings_of(project)))
    assert isinstance(store, SwiftStore)
    store.start()
    await store.create_container("box")
    assert await store.containers() == ["box"]
    await store.stop()
    with pytest.raises(Unavailable):
        await store.containers()


@ensureDeferred
async def test_a_keystone_that_is_given_is_left_running(
    keystone: Keystone, project: CloudProject
) -> None:
    config = evolve(SWIFT, keystone=settings_of(project))
    store = store_for(reactor, config, keystone)
    store.start()
    await store.check()
    await store.stop()
    assert await keystone.token()
