"""How many requests go on at the same time, and who counts."""

from __future__ import annotations

from collections.abc import Callable

from pytest_twisted import ensureDeferred
from twisted.internet.defer import Deferred, gatherResults

from stacksync.storage import SwiftStore
from stacksync.streams import PIECE, BytesStream, read_all
from tests.storage.contract.bodies import Pieces
from tests.storage.contract.rig import HOME, LIMIT

LARGE = 7


@ensureDeferred
async def test_a_place_is_waited_for_and_given_back(
    make_store: Callable[..., SwiftStore],
) -> None:
    store = make_store(connections=2)
    await store.create_container(HOME)

    async def put(number: int) -> None:
        await store.put(HOME, f"chunk-{number}", BytesStream(b"content"))
        assert store.in_use <= 2

    await gatherResults([Deferred.fromCoroutine(put(number)) for number in range(12)])

    assert len(await store.list(HOME)) == 12
    assert store.in_use == 0


@ensureDeferred
async def test_readers_who_dawdle_do_not_stop_the_others(
    make_store: Callable[..., SwiftStore],
) -> None:
    store = make_store(connections=2)
    await store.create_container(HOME)
    await store.put(HOME, "chunk", Pieces([bytes(PIECE)] * LARGE))
    dawdlers = [await store.get(HOME, "chunk") for _ in range(6)]

    await store.put(HOME, "other", BytesStream(b"content"))

    for each in dawdlers:
        assert len(await read_all(each, LIMIT)) == LARGE * PIECE
    assert store.in_use == 0
