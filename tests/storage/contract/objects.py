"""Objects by name: what was put is there, and everything says so alike."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta

import pytest
from pytest_twisted import ensureDeferred

from stacksync.errors import ChunkNotFound, ContainerNotFound, InvalidRequest
from stacksync.model import BlobInfo
from stacksync.streams import PIECE, BytesStream
from tests.storage.contract.rig import ELSEWHERE, HOME, NOWHERE, Rig

SIZES = [0, 1, PIECE - 1, PIECE, PIECE + 1, 3 * PIECE + 17]

ODD_NAMES = [
    "a",
    "...",
    " ",
    "-rf",
    "a b\tc",
    "line\nend",
    "back\\slash",
    "%2F..%2F",
    "?query#fragment",
    "quo\"te's",
    "é" * 127 + "e",
    "漢字🙂",
    "x" * 255,
    "SHA256-X",
    "sha256-x",
]

IMPOSSIBLE_NAMES = ["", ".", "..", "a/b", "/", "../a", "nul\0", "x" * 256, "é" * 128, "\ud800"]


class ObjectContract:
    @ensureDeferred
    @pytest.mark.parametrize("size", SIZES)
    async def test_what_was_put_is_got(self, rig: Rig, size: int) -> None:
        content = os.urandom(size)

        info = await rig.put("chunk", content)

        assert (info.name, info.size) == ("chunk", size)
        assert await rig.content("chunk") == content
        assert await rig.store.head(HOME, "chunk") == info

    @ensureDeferred
    async def test_the_time_is_that_of_the_put_in_utc(self, rig: Rig) -> None:
        before = datetime.now(UTC)
        info = await rig.put("chunk", b"content")
        # The clock of a file system may lag by a tick, another machine's by more.
        lag = timedelta(seconds=5)
        assert before - lag < info.modified_at < datetime.now(UTC) + lag
        assert info.modified_at.utcoffset() == timedelta(0)
        assert info.modified_at.microsecond % 1000 == 0

    @ensureDeferred
    async def test_an_object_is_replaced_by_another_of_its_name(self, rig: Rig) -> None:
        await rig.put("chunk", b"the longer content that was there first")
        info = await rig.put("chunk", b"second")

        assert info.size == 6
        assert await rig.content("chunk") == b"second"
        assert await rig.names() == ["chunk"]

    @ensureDeferred
    async def test_an_object_that_is_not_there_is_told(self, rig: Rig) -> None:
        await rig.put("chunk", b"content")

        assert await rig.store.head(HOME, "other") is None
        assert await rig.store.refresh(HOME, "other") is None
        assert await rig.store.delete(HOME, "other") is False
        with pytest.raises(ChunkNotFound, match="other"):
            await rig.store.get(HOME, "other")
        with pytest.raises(ChunkNotFound, match="other"):
            await rig.store.copy(HOME, "other", ELSEWHERE)

    @ensureDeferred
    async def test_a_deleted_object_is_gone_and_the_others_are_not(self, rig: Rig) -> None:
        await rig.put("one", b"1")
        await rig.put("two", b"2")

        assert await rig.store.delete(HOME, "one") is True

        assert await rig.store.head(HOME, "one") is None
        assert await rig.names() == ["two"]
        assert await rig.content("two") == b"2"

    @ensureDeferred
    async def test_any_possible_name_is_kept_as_it_is(self, rig: Rig) -> None:
        for name in ODD_NAMES:
            await rig.put(name, b"content")

            assert await rig.content(name) == b"content", ascii(name)
            assert await rig.names() == [name]
            assert (await rig.store.copy(HOME, name, ELSEWHERE)).name == name
            assert await rig.store.delete(HOME, name), ascii(name)
        assert await rig.names(ELSEWHERE) == sorted(ODD_NAMES, key=str.encode)

    @ensureDeferred
    async def test_a_container_may_have_any_possible_name(self, rig: Rig) -> None:
        for name in ODD_NAMES:
            await rig.store.create_container(name)
            await rig.put("chunk", name.encode(), name)
        for name in ODD_NAMES:
            assert await rig.content("chunk", name) == name.encode()
            await rig.store.delete_container(name)

    @ensureDeferred
    async def test_a_name_that_cannot_be_is_refused(self, rig: Rig) -> None:
        for name in IMPOSSIBLE_NAMES:
            await self._refuses_object(rig, name)
            await self._refuses_container(rig, name)

    async def _refuses_object(self, rig: Rig, name: str) -> None:
        store = rig.store
        for operation in (
            lambda: store.put(HOME, name, BytesStream(b"content")),
            lambda: store.get(HOME, name),
            lambda: store.head(HOME, name),
            lambda: store.refresh(HOME, name),
            lambda: store.delete(HOME, name),
            lambda: store.copy(HOME, name, ELSEWHERE),
        ):
            with pytest.raises(InvalidRequest, match=r"^name: "):
                await operation()

    async def _refuses_container(self, rig: Rig, name: str) -> None:
        store = rig.store
        for operation in (
            lambda: store.create_container(name),
            lambda: store.delete_container(name),
            lambda: store.put(name, "chunk", BytesStream(b"content")),
            lambda: store.get(name, "chunk"),
            lambda: store.list(name),
        ):
            with pytest.raises(InvalidRequest, match=r"^container: "):
                await operation()

    @ensureDeferred
    async def test_a_container_that_is_not_there_is_told(self, rig: Rig) -> None:
        store = rig.store
        await rig.put("chunk", b"content")
        for operation in (
            lambda: store.put(NOWHERE, "chunk", BytesStream(b"content")),
            lambda: store.put(NOWHERE, "chunk", BytesStream(bytes(3 * PIECE))),
            lambda: store.get(NOWHERE, "chunk"),
            lambda: store.head(NOWHERE, "chunk"),
            lambda: store.refresh(NOWHERE, "chunk"),
            lambda: store.delete(NOWHERE, "chunk"),
            lambda: store.copy(NOWHERE, "chunk", HOME),
            lambda: store.copy(HOME, "chunk", NOWHERE),
            lambda: store.list(NOWHERE),
        ):
            async with rig.nothing_left():
                with pytest.raises(ContainerNotFound, match=NOWHERE):
                    await operation()

    @ensureDeferred
    async def test_a_container_that_is_there_is_left_as_it_is(self, rig: Rig) -> None:
        await rig.put("chunk", b"content")
        await rig.store.create_container(HOME)

        assert await rig.content("chunk") == b"content"

    @ensureDeferred
    async def test_a_container_goes_with_all_that_is_in_it(self, rig: Rig) -> None:
        for number in range(40):
            await rig.put(f"chunk-{number}", b"content")
        await rig.put("chunk", b"elsewhere", ELSEWHERE)

        await rig.store.delete_container(HOME)
        await rig.store.delete_container(HOME)

        with pytest.raises(ContainerNotFound):
            await rig.store.list(HOME)
        await rig.store.create_container(HOME)
        assert await rig.names() == []
        await rig.put("chunk-1", b"again")
        assert await rig.names() == ["chunk-1"]
        assert await rig.content("chunk", ELSEWHERE) == b"elsewhere"

    @ensureDeferred
    async def test_refreshing_makes_it_younger_and_changes_nothing_else(self, rig: Rig) -> None:
        first = await rig.put("chunk", b"content")
        refreshed = first
        # The clock of a file system goes by ticks.
        for _ in range(1000):
            refreshed = await younger(rig, first)
            if refreshed.modified_at > first.modified_at:
                break
        assert refreshed.modified_at > first.modified_at
        assert (refreshed.name, refreshed.size) == ("chunk", 7)
        assert await rig.store.head(HOME, "chunk") == refreshed
        assert await rig.content("chunk") == b"content"


async def younger(rig: Rig, first: BlobInfo) -> BlobInfo:
    refreshed = await rig.store.refresh(HOME, first.name)
    assert refreshed is not None
    return refreshed
