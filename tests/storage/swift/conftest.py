"""A Swift store with an account of its own in the real Swift, and what there is to see of it."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import pytest_twisted
from attrs import define, evolve
from twisted.internet import reactor

from stacksync.config import KeystoneConfig, StorageConfig
from stacksync.http_client.policy import policy_of
from stacksync.storage import SwiftStore
from stacksync.storage.keystone import Keystone
from tests.db.conftest import logged
from tests.servers.openstack.cloud import CloudProject
from tests.servers.openstack.server import OpenStackServer
from tests.servers.proxy import Proxy
from tests.storage.contract.rig import ELSEWHERE, HOME, Rig
from tests.storage.swift.sockets import sockets_to

__all__ = ["logged"]

SETTINGS = StorageConfig(url="swift", timeout=60.0)
"""Swift is one process for the whole run, and other tests may keep it busy for a while."""


class Detour(Keystone):
    """A Keystone whose catalogue names a proxy in front of Swift."""

    proxy: Proxy

    async def object_store(self, interface: str | None = None) -> str:
        return through(self.proxy, await super().object_store(interface))


class DetourToNewAccount(Detour):
    """The same, with an account there that nobody has used yet."""

    def __init__(self, proxy: Proxy, project: CloudProject) -> None:
        super().__init__(reactor, settings_of(project))
        self.proxy = proxy
        self.account = secrets.token_hex(16)

    async def object_store(self, interface: str | None = None) -> str:
        url = await super().object_store(interface)
        return f"{url.rpartition('_')[0]}_{self.account}"


def through(proxy: Proxy, url: str) -> str:
    """The same URL, on the proxy's port."""
    return f"http://127.0.0.1:{proxy.port}/v1/" + url.partition("/v1/")[2]


@define
class Wire:
    """The network between a store and its Swift."""

    proxy: Proxy
    keystone: Keystone
    store: SwiftStore

    @asynccontextmanager
    async def away(self) -> AsyncIterator[None]:
        """Nothing listens where Swift was."""
        self.proxy.refuse()
        try:
            yield
        finally:
            self.proxy.listen()

    def unfinished(self) -> list[str]:
        """The connections on which a request, or the reading of an answer, goes on."""
        pool = self.store._connections._pool
        idle = {
            each.transport.getHost().port for kept in pool._connections.values() for each in kept
        }
        return [str(port) for port in sockets_to(self.proxy.port) if port not in idle]


@pytest.fixture
def proxy(openstack: OpenStackServer) -> Iterator[Proxy]:
    made = Proxy(int(openstack.swift_url.rpartition(":")[2]))
    yield made
    made.close()


def keystone_of(project: CloudProject) -> Keystone:
    return Keystone(reactor, settings_of(project))


def settings_of(project: CloudProject) -> KeystoneConfig:
    """The section ``[keystone]`` for a project's service user; patient, as :data:`SETTINGS`."""
    return KeystoneConfig(**project.options, timeout=60.0)


@pytest.fixture(autouse=True)
def patient_checks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("stacksync.storage.swift.store.CHECK_SECONDS", SETTINGS.timeout)


@pytest_twisted.async_yield_fixture
async def keystone(project: CloudProject) -> AsyncIterator[Keystone]:
    """The service's own user in a project of this test's own."""
    made = keystone_of(project)
    made.start()
    yield made
    await made.stop()


@pytest_twisted.async_yield_fixture
async def keystone_of_own() -> AsyncIterator[Callable[[OpenStackServer], Keystone]]:
    """Makes Keystone's clients for a new project of a server."""
    made: list[Keystone] = []

    def make(server: OpenStackServer) -> Keystone:
        made.append(keystone_of(server.cloud.project()))
        return made[-1]

    yield make
    for each in made:
        await each.stop()


@pytest_twisted.async_yield_fixture
async def make_store(keystone: Keystone) -> AsyncIterator[Callable[..., SwiftStore]]:
    """Makes running stores straight at Swift, with what settings are to be others."""
    made = []

    def make(of: Keystone = keystone, **settings: object) -> SwiftStore:
        store = SwiftStore(reactor, of, evolve(SETTINGS, **settings), policy_of(Path(), ""))
        store.start()
        made.append(store)
        return store

    yield make
    for store in made:
        await store.stop()


@pytest_twisted.async_fixture
async def store(make_store: Callable[..., SwiftStore]) -> SwiftStore:
    """A running store with the container ``HOME``."""
    made = make_store()
    await made.create_container(HOME)
    return made


@pytest_twisted.async_fixture
async def own_store(
    own_openstack: OpenStackServer,
    make_store: Callable[..., SwiftStore],
    keystone_of_own: Callable[[OpenStackServer], Keystone],
) -> SwiftStore:
    """A store whose Swift is this test's own."""
    store = make_store(keystone_of_own(own_openstack))
    await store.create_container(HOME)
    return store


@pytest.fixture(scope="module")
def reseller(openstack: OpenStackServer) -> CloudProject:
    """A project whose service user may do everything in every account of Swift.

    To make an account of its own for each test takes no project then, and no
    role that is granted: Keystone works all roles out anew after that.
    """
    return openstack.cloud.project("reseller", ("ResellerAdmin",))


@pytest_twisted.async_yield_fixture
async def wire(reseller: CloudProject, proxy: Proxy) -> AsyncIterator[Wire]:
    """A store that reaches Swift through a proxy, in an account of this test's own."""
    keystone = DetourToNewAccount(proxy, reseller)
    keystone.start()
    store = SwiftStore(reactor, keystone, SETTINGS, policy_of(Path(), ""))
    store.start()
    yield Wire(proxy, keystone, store)
    await store.stop()
    await keystone.stop()


@pytest_twisted.async_yield_fixture
async def rig(wire: Wire) -> AsyncIterator[Rig]:
    """The store with two containers, which leaves no connection open after its end."""
    await wire.store.create_container(HOME)
    await wire.store.create_container(ELSEWHERE)
    yield Rig(wire.store, wire.away, wire.unfinished)
    await wire.store.stop()
    assert not sockets_to(wire.proxy.port)
