"""A store that is away: every operation says so, and works again when it is back."""

from __future__ import annotations

from contextlib import AsyncExitStack

import pytest
from pytest_twisted import ensureDeferred
from twisted.internet.defer import Deferred, DeferredList

from stacksync.errors import Unavailable
from stacksync.streams import PIECE, BytesStream
from tests.storage.contract.bodies import LosingItsStore, Pieces
from tests.storage.contract.rig import ELSEWHERE, HOME, Rig


class OutageContract:
    @ensureDeferred
    async def test_a_store_that_works_is_healthy(self, rig: Rig) -> None:
        async with rig.nothing_left():
            await rig.store.check()
        assert rig.store.part == "storage"

    @ensureDeferred
    async def test_every_operation_says_that_the_store_is_away(self, rig: Rig) -> None:
        await rig.put("chunk", b"content")
        store = rig.store
        async with rig.away():
            # All at once: each is tried for a while.
            attempts = [
                Deferred.fromCoroutine(attempt)
                for attempt in (
                    store.check(),
                    store.create_container("workspace-3"),
                    store.delete_container(HOME),
                    store.put(HOME, "chunk", BytesStream(b"other")),
                    store.put(HOME, "large", Pieces([bytes(PIECE)] * 3)),
                    store.get(HOME, "chunk"),
                    store.head(HOME, "chunk"),
                    store.refresh(HOME, "chunk"),
                    store.delete(HOME, "chunk"),
                    store.copy(HOME, "chunk", ELSEWHERE),
                    store.list(HOME),
                )
            ]
            outcomes = await DeferredList(attempts, consumeErrors=True)
        for succeeded, outcome in outcomes:
            assert not succeeded
            with pytest.raises(Unavailable, match=r"^storage: .+") as raised:
                outcome.raiseException()
            assert raised.value.part == "storage"

        await store.check()
        assert await rig.names() == ["chunk"]
        assert await rig.content("chunk") == b"content"

    @ensureDeferred
    async def test_a_store_that_goes_away_in_the_middle_of_a_put_leaves_what_was_there(
        self, rig: Rig
    ) -> None:
        await rig.put("chunk", b"before")
        async with AsyncExitStack() as outage:
            body = LosingItsStore(lambda: outage.enter_async_context(rig.away()))
            with pytest.raises(Unavailable):
                await rig.store.put(HOME, "chunk", body)

        assert await rig.content("chunk") == b"before"
        assert await rig.names() == ["chunk"]

    @ensureDeferred
    async def test_a_stopped_store_says_so(self, rig: Rig) -> None:
        await rig.put("chunk", bytes(3 * PIECE))
        stream = await rig.store.get(HOME, "chunk")
        await stream.read()
        for _ in range(2):
            await rig.store.stop()

        with pytest.raises(Unavailable):
            await rig.store.head(HOME, "chunk")
        with pytest.raises(Unavailable):
            await stream.read()
        await stream.close()
        assert not rig.unfinished()
