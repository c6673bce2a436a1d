"""Swift that is killed, silent or cut off in the middle, and comes back."""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable

import pytest
from pytest_twisted import ensureDeferred
from twisted.internet import reactor
from twisted.internet.threads import deferToThread

from stacksync.errors import Unavailable
from stacksync.storage import SwiftStore
from stacksync.storage.keystone import Keystone
from stacksync.streams import PIECE, BytesStream, read_all
from tests.db.observation import CapturedLog, until
from tests.servers.openstack.server import OpenStackServer
from tests.storage.contract.bodies import LosingItsStore, Pieces
from tests.storage.contract.rig import HOME, LIMIT
from tests.storage.swift.conftest import Wire

LARGE = 16

SILENCE = 2.0
"""Seconds after which a store gives up."""

PATIENCE = 6.0
"""The same for one that has to get an answer first, of a Swift that is slow as the machine is."""


@ensureDeferred
async def test_a_swift_that_is_killed_in_the_middle_is_told_and_forgotten(
    own_store: SwiftStore, own_openstack: OpenStackServer
) -> None:
    content = os.urandom(LARGE * PIECE)
    await own_store.put(HOME, "large", BytesStream(content))
    await own_store.put(HOME, "chunk", BytesStream(b"before"))
    stream = await own_store.get(HOME, "large")
    await stream.read()

    async def kill() -> None:
        own_openstack.kill_swift()

    with pytest.raises(Unavailable, match=r"^storage: "):
        await own_store.put(HOME, "chunk", LosingItsStore(kill))
    with pytest.raises(Unavailable, match=r"broke off after \d+ bytes"):
        await read_all(stream, LIMIT)
    with pytest.raises(Unavailable, match=r"^storage: .*refused"):
        await own_store.check()

    await deferToThread(own_openstack.start_swift)
    await own_store.check()
    assert await read_all(await own_store.get(HOME, "chunk"), LIMIT) == b"before"
    assert await read_all(await own_store.get(HOME, "large"), LIMIT) == content
    assert own_store.in_use == 0


@ensureDeferred
async def test_connections_that_broke_while_idle_are_not_noticed(wire: Wire) -> None:
    await wire.store.create_container(HOME)
    for number in range(5):
        wire.proxy.cut()
        await wire.store.put(HOME, f"chunk-{number}", BytesStream(bytes(2 * PIECE)))
        wire.proxy.cut()
        assert await wire.store.head(HOME, f"chunk-{number}")


@ensureDeferred
async def test_a_keystone_that_is_away_is_named(
    own_store: SwiftStore,
    own_openstack: OpenStackServer,
    make_store: Callable[..., SwiftStore],
    keystone_of_own: Callable[[OpenStackServer], Keystone],
) -> None:
    store = make_store(keystone_of_own(own_openstack))
    own_openstack.kill_keystone()

    with pytest.raises(Unavailable, match=r"^storage: no access to Swift: keystone: ") as raised:
        await store.head(HOME, "chunk")
    assert raised.value.part == "storage"


OPERATIONS: dict[str, Callable[[SwiftStore], Awaitable[object]]] = {
    "head": lambda store: store.head(HOME, "chunk"),
    "put": lambda store: store.put(HOME, "chunk", BytesStream(b"content")),
    "put large": lambda store: store.put(HOME, "chunk", Pieces([bytes(PIECE)] * LARGE)),
    "check": lambda store: store.check(),
}


@pytest.mark.parametrize("operation", OPERATIONS)
@ensureDeferred
async def test_a_silent_swift_is_given_up_in_time(
    wire: Wire, make_store: Callable[..., SwiftStore], logged: CapturedLog, operation: str
) -> None:
    await wire.store.create_container(HOME)
    store = make_store(wire.keystone, timeout=SILENCE)
    wire.proxy.hold_answers()
    began = reactor.seconds()
    with pytest.raises(Unavailable, match=f"no answer within {SILENCE:g} s"):
        await OPERATIONS[operation](store)
    # A put asks whether it was the token's fault.
    assert reactor.seconds() - began < 6 * SILENCE
    await until(lambda: store.in_use == 0)
    assert not [each for each in logged.errors if "problem" not in each]
    wire.proxy.release()


@ensureDeferred
async def test_a_reader_whose_swift_falls_silent_is_told(
    wire: Wire, make_store: Callable[..., SwiftStore]
) -> None:
    await wire.store.create_container(HOME)
    await wire.store.put(HOME, "chunk", Pieces([bytes(PIECE)] * LARGE))
    store = make_store(wire.keystone, timeout=PATIENCE)
    stream = await store.get(HOME, "chunk")
    await stream.read()
    wire.proxy.hold_answers()
    with pytest.raises(Unavailable, match=f"nothing more came within {PATIENCE:g} s"):
        await read_all(stream, LIMIT)
    await until(lambda: store.in_use == 0)
    wire.proxy.release()
