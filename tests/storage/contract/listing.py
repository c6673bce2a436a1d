"""Listings: complete, in the byte order of names, a page at a time."""

from __future__ import annotations

import random

import pytest
from pytest_twisted import ensureDeferred

from stacksync.errors import InvalidRequest
from tests.storage.contract.rig import HOME, Rig

# Orders that are easy to get wrong: case, length, beyond UTF-16's surrogates.
NAMES = ["a", "B", "Z", "aa", "ab", "é", "z", "\uffee", "\U0001f642", "~", "10", "9", "-", " "]


class ListingContract:
    @ensureDeferred
    async def test_an_empty_container_has_an_empty_list(self, rig: Rig) -> None:
        assert await rig.names() == []

    @ensureDeferred
    async def test_names_come_in_the_order_of_their_bytes(self, rig: Rig) -> None:
        for name in NAMES:
            await rig.put(name, b"")

        assert await rig.names() == sorted(NAMES, key=str.encode)

    @ensureDeferred
    async def test_a_list_tells_what_head_tells(self, rig: Rig) -> None:
        for size, name in enumerate(NAMES):
            await rig.put(name, bytes(size))

        for info in await rig.store.list(HOME):
            assert info == await rig.store.head(HOME, info.name)

    @ensureDeferred
    async def test_pages_of_any_length_are_the_whole_list_in_order(self, rig: Rig) -> None:
        numbers = random.Random(1)
        names = {f"chunk-{numbers.randrange(10**6):x}" for _ in range(60)}
        for name in names:
            await rig.put(name, b"")
        for limit in (1, 7, len(names), len(names) + 1, 1000):
            listed: list[str] = []
            while page := await rig.names(after=listed[-1] if listed else "", limit=limit):
                assert len(page) == min(limit, len(names) - len(listed)), limit
                listed.extend(page)

            assert listed == sorted(names), limit

    @ensureDeferred
    async def test_a_page_may_follow_a_name_that_is_not_there(self, rig: Rig) -> None:
        for name in ("a", "c", "e"):
            await rig.put(name, b"")

        assert await rig.names(after="b") == ["c", "e"]
        assert await rig.names(after="b", limit=1) == ["c"]
        assert await rig.names(after="e") == []
        assert await rig.names(after="z") == []

    @ensureDeferred
    async def test_what_is_deleted_or_new_shows_in_the_next_page(self, rig: Rig) -> None:
        for name in ("a", "c", "e"):
            await rig.put(name, b"")
        assert await rig.names(limit=1) == ["a"]
        await rig.store.delete(HOME, "c")
        await rig.put("d", b"")

        assert await rig.names(after="a", limit=1) == ["d"]

    @ensureDeferred
    @pytest.mark.parametrize("limit", [0, -1])
    async def test_a_page_of_nothing_is_refused(self, rig: Rig, limit: int) -> None:
        with pytest.raises(InvalidRequest, match="limit"):
            await rig.store.list(HOME, limit=limit)

    @ensureDeferred
    async def test_containers_are_listed_in_pages_too(self, rig: Rig) -> None:
        names = {"b", "a", "é", "Z", *await rig.store.containers()}
        for name in names:
            await rig.store.create_container(name)

        listed: list[str] = []
        while page := await rig.store.containers(after=listed[-1] if listed else "", limit=2):
            assert len(page) == min(2, len(names) - len(listed))
            listed.extend(page)

        assert listed == sorted(names, key=str.encode)
        assert HOME in listed

    @ensureDeferred
    async def test_a_container_that_was_removed_is_not_listed(self, rig: Rig) -> None:
        await rig.store.create_container("gone")
        await rig.store.delete_container("gone")

        assert "gone" not in await rig.store.containers()
