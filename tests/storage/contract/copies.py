"""A copy is an object of its own."""

from __future__ import annotations

import os

from pytest_twisted import ensureDeferred

from stacksync.streams import PIECE
from tests.storage.contract.rig import ELSEWHERE, HOME, Rig


class CopyContract:
    @ensureDeferred
    async def test_a_copy_is_the_same_object_elsewhere(self, rig: Rig) -> None:
        content = os.urandom(2 * PIECE + 1)
        await rig.put("chunk", content)

        info = await rig.store.copy(HOME, "chunk", ELSEWHERE)

        assert (info.name, info.size) == ("chunk", len(content))
        assert info == await rig.store.head(ELSEWHERE, "chunk")
        assert await rig.content("chunk", ELSEWHERE) == content
        assert await rig.content("chunk", HOME) == content

    @ensureDeferred
    async def test_a_copy_outlives_what_it_was_made_from(self, rig: Rig) -> None:
        await rig.put("deleted", b"content")
        await rig.put("replaced", b"content")
        for name in ("deleted", "replaced"):
            await rig.store.copy(HOME, name, ELSEWHERE)

        await rig.store.delete(HOME, "deleted")
        await rig.put("replaced", b"something else")

        for name in ("deleted", "replaced"):
            assert await rig.content(name, ELSEWHERE) == b"content"

    @ensureDeferred
    async def test_what_was_copied_outlives_its_copy(self, rig: Rig) -> None:
        await rig.put("chunk", b"content")
        await rig.store.copy(HOME, "chunk", ELSEWHERE)

        await rig.put("chunk", b"something else", ELSEWHERE)
        await rig.store.delete_container(ELSEWHERE)

        assert await rig.content("chunk") == b"content"

    @ensureDeferred
    async def test_a_copy_may_be_made_again_and_again(self, rig: Rig) -> None:
        await rig.put("chunk", b"content")
        async with rig.nothing_left():
            for container in (ELSEWHERE, ELSEWHERE, HOME):
                await rig.store.copy(HOME, "chunk", container)
                assert await rig.content("chunk", container) == b"content"
                assert await rig.names(container) == ["chunk"]

    @ensureDeferred
    async def test_a_copy_replaces_what_had_the_name(self, rig: Rig) -> None:
        await rig.put("chunk", b"something else", ELSEWHERE)
        await rig.put("chunk", b"content")

        await rig.store.copy(HOME, "chunk", ELSEWHERE)

        assert await rig.content("chunk", ELSEWHERE) == b"content"

    @ensureDeferred
    async def test_a_copy_counts_as_stored_just_now(self, rig: Rig) -> None:
        first = await rig.put("chunk", b"content")
        copied = first
        # The clock of a file system goes by ticks.
        for _ in range(1000):
            copied = await rig.store.copy(HOME, "chunk", ELSEWHERE)
            if copied.modified_at > first.modified_at:
                break
        assert copied.modified_at > first.modified_at
