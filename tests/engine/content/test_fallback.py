"""A chunk is read where it is, while it is on its way to where it belongs."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from attrs import define, field
from pytest_twisted import ensureDeferred
from zope.interface.verify import verifyObject

from stacksync.engine.content.fallback import FallbackStore
from stacksync.errors import ChunkNotFound, ContainerNotFound, Unavailable
from stacksync.interfaces import IBlobStore
from stacksync.streams import BytesStream, read_all
from tests.storage.memory import Fault, MemoryStore


@define(eq=False)
class Listed:
    """The sources of each chunk of a container."""

    listed: dict[tuple[str, str], list[str]] = field(factory=dict)
    asked: int = 0

    async def sources(self, container: str, name: str) -> Sequence[str]:
        self.asked += 1
        return self.listed.get((container, name), [])


@pytest.fixture
def listed() -> Listed:
    return Listed()


@pytest.fixture
def reading(memory: MemoryStore, listed: Listed) -> FallbackStore:
    return FallbackStore(memory, listed)


async def put(memory: MemoryStore, container: str, name: str, body: bytes) -> None:
    await memory.create_container(container)
    await memory.put(container, name, BytesStream(body))


async def content(reading: FallbackStore, *arguments: object) -> bytes:
    return await read_all(await reading.get(*arguments), limit=1000)  # type: ignore[arg-type]


def test_it_is_a_store(reading: FallbackStore) -> None:
    assert verifyObject(IBlobStore, reading)


@ensureDeferred
async def test_what_is_in_its_own_container_is_read_there_without_asking(
    memory: MemoryStore, reading: FallbackStore, listed: Listed
) -> None:
    await put(memory, "own", "a", b"own")
    await put(memory, "old", "a", b"old")
    listed.listed["own", "a"] = ["old"]

    assert await content(reading, "own", "a") == b"own"
    assert (await reading.head("own", "a")).size == 3  # type: ignore[union-attr]
    assert listed.asked == 0


@pytest.mark.parametrize("container_is_there", [False, True])
@ensureDeferred
async def test_what_is_still_to_be_copied_is_read_from_where_it_was(
    memory: MemoryStore, reading: FallbackStore, listed: Listed, container_is_there: bool
) -> None:
    if container_is_there:
        await memory.create_container("own")
    await put(memory, "empty", "b", b"")
    await put(memory, "old", "a", b"0123456789")
    listed.listed["own", "a"] = ["gone", "empty", "old"]

    assert await content(reading, "own", "a") == b"0123456789"
    assert await content(reading, "own", "a", 3, 7) == b"3456"
    assert (await reading.head("own", "a")).size == 10  # type: ignore[union-attr]


@ensureDeferred
async def test_what_is_nowhere_is_not_found(
    memory: MemoryStore, reading: FallbackStore, listed: Listed
) -> None:
    with pytest.raises(ContainerNotFound, match="own"):
        await reading.get("own", "a")
    with pytest.raises(ContainerNotFound, match="own"):
        await reading.head("own", "a")
    await memory.create_container("own")
    listed.listed["own", "a"] = ["gone"]
    with pytest.raises(ChunkNotFound):
        await reading.get("own", "a")
    assert await reading.head("own", "a") is None


@ensureDeferred
async def test_what_has_been_copied_between_two_looks_is_found(
    memory: MemoryStore, reading: FallbackStore, listed: Listed
) -> None:
    await memory.create_container("own")
    looks = 0

    def copied_after_the_first_look(method: str, name: str) -> None:
        nonlocal looks
        looks += method in ("get", "head")
        if looks == 2:
            memory.held["own"]["a"] = memory.held["other"]["a"]

    await put(memory, "other", "a", b"copied")
    memory.before = copied_after_the_first_look

    assert await content(reading, "own", "a") == b"copied"
    del memory.held["own"]["a"]
    looks = 0
    assert (await reading.head("own", "a")).size == 6  # type: ignore[union-attr]


@ensureDeferred
async def test_a_store_that_is_away_is_not_taken_for_one_that_lacks_it(
    memory: MemoryStore, reading: FallbackStore, listed: Listed
) -> None:
    await put(memory, "old", "a", b"old")
    listed.listed["own", "a"] = ["old"]
    memory.faults.append(Fault("get", after=1))
    with pytest.raises(Unavailable):
        await reading.get("own", "a")
