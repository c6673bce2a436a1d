"""Streams in and out: piece by piece, whole or not at all, any part of an object."""

from __future__ import annotations

import os

import pytest
from pytest_twisted import ensureDeferred
from twisted.internet.defer import CancelledError, Deferred, gatherResults

from stacksync.errors import IncompleteBody, InvalidRequest
from stacksync.streams import PIECE
from tests.db.observation import until
from tests.storage.contract.bodies import Fed, Pieces
from tests.storage.contract.rig import HOME, Rig

SIZE = 3 * PIECE + 17
RANGES = [
    (0, None),
    (0, 1),
    (0, SIZE),
    (1, SIZE - 1),
    (PIECE, 2 * PIECE),
    (PIECE - 1, PIECE + 1),
    (SIZE - 4, SIZE),
    (SIZE - 1, None),
    (SIZE, None),
    (SIZE + 5, None),
    (SIZE + 5, SIZE + 9),
    (SIZE - 4, SIZE * 2),
    (7, 7),
    (9, 7),
]


class StreamingContract:
    @ensureDeferred
    async def test_an_object_comes_in_pieces_and_then_ends_for_good(self, rig: Rig) -> None:
        await rig.put("chunk", bytes(SIZE))
        stream = await rig.store.get(HOME, "chunk")
        sizes = []
        while piece := await stream.read():
            sizes.append(len(piece))

        assert max(sizes) <= PIECE
        assert sum(sizes) == SIZE
        assert await stream.read() == b""
        await stream.close()

    @ensureDeferred
    @pytest.mark.parametrize(("start", "stop"), RANGES)
    async def test_any_part_of_an_object_can_be_read(
        self, rig: Rig, start: int, stop: int | None
    ) -> None:
        content = os.urandom(SIZE)
        await rig.put("chunk", content)
        async with rig.nothing_left():
            assert await rig.content("chunk", start=start, stop=stop) == content[start:stop]

    @ensureDeferred
    async def test_a_range_counts_from_the_start_alone(self, rig: Rig) -> None:
        await rig.put("chunk", b"content")
        with pytest.raises(InvalidRequest, match="start"):
            await rig.store.get(HOME, "chunk", -1)
        with pytest.raises(InvalidRequest, match="stop"):
            await rig.store.get(HOME, "chunk", 0, -1)

    @ensureDeferred
    @pytest.mark.parametrize(
        "pieces",
        [[b"x"] * 5000, [b"x" * 70_000] * 40, [bytes(PIECE), b"x"], [b"x", bytes(PIECE)] * 3],
        ids=["bytes", "small", "last", "mixed"],
    )
    async def test_a_body_may_come_in_pieces_of_any_size(
        self, rig: Rig, pieces: list[bytes]
    ) -> None:
        info = await rig.store.put(HOME, "chunk", Pieces(pieces))

        assert info.size == sum(map(len, pieces))
        assert await rig.content("chunk") == b"".join(pieces)

    @ensureDeferred
    @pytest.mark.parametrize("size", [0, 10, PIECE, 3 * PIECE])
    async def test_a_body_that_breaks_off_leaves_what_was_there(self, rig: Rig, size: int) -> None:
        await rig.put("chunk", b"before")
        async with rig.nothing_left():
            for name in ("chunk", "new"):
                body = Pieces([bytes(PIECE)] * (size // PIECE) or [bytes(size)], Broken())
                with pytest.raises(Broken):
                    await rig.store.put(HOME, name, body)

        assert await rig.content("chunk") == b"before"
        assert await rig.names() == ["chunk"]

    @ensureDeferred
    @pytest.mark.parametrize("pieces", [0, 1, 4])
    async def test_a_put_can_be_cancelled_at_any_time(self, rig: Rig, pieces: int) -> None:
        await rig.put("chunk", b"before")
        async with rig.nothing_left():
            body = Fed()
            putting = Deferred.fromCoroutine(rig.store.put(HOME, "chunk", body))
            for _ in range(pieces):
                await until(lambda: body.is_awaited)
                body.feed(bytes(PIECE))
            await until(lambda: body.is_awaited)
            putting.cancel()
            with pytest.raises(CancelledError):
                await putting

        assert await rig.content("chunk") == b"before"

    @ensureDeferred
    async def test_a_put_that_is_cancelled_while_the_store_works_leaves_nothing_half(
        self, rig: Rig
    ) -> None:
        content = os.urandom(SIZE)
        async with rig.nothing_left():
            for number in range(20):
                putting = Deferred.fromCoroutine(rig.put(f"chunk-{number}", content))
                putting.cancel()
                with pytest.raises(CancelledError):
                    await putting

        for info in await rig.store.list(HOME):
            assert await rig.content(info.name) == content

    @ensureDeferred
    async def test_a_body_is_read_no_faster_than_it_is_taken(self, rig: Rig) -> None:
        body = Fed()
        putting = Deferred.fromCoroutine(rig.store.put(HOME, "chunk", body))
        for number in range(8):
            await until(lambda: body.is_awaited)
            assert body.asked == number + 1
            body.feed(bytes([number]) * PIECE)
        await until(lambda: body.is_awaited)
        assert not putting.called
        body.feed(b"")

        assert (await putting).size == 8 * PIECE

    @ensureDeferred
    async def test_readers_do_not_disturb_each_other(self, rig: Rig) -> None:
        content = os.urandom(SIZE)
        await rig.put("chunk", content)
        one, other = [await rig.store.get(HOME, "chunk") for _ in range(2)]
        read = {one: b"", other: b""}
        for _ in range(SIZE // PIECE + 1):
            for stream in (one, other):
                read[stream] += await stream.read()

        assert set(read.values()) == {content}
        await one.close()
        await other.close()

    @ensureDeferred
    async def test_a_reader_may_stop_in_the_middle(self, rig: Rig) -> None:
        await rig.put("chunk", bytes(SIZE))
        async with rig.nothing_left():
            stream = await rig.store.get(HOME, "chunk")
            await stream.read()
            await stream.close()
            await stream.close()

    @ensureDeferred
    async def test_a_get_can_be_cancelled_at_any_time(self, rig: Rig) -> None:
        await rig.put("chunk", bytes(SIZE))
        async with rig.nothing_left():
            for _ in range(20):
                getting = Deferred.fromCoroutine(rig.store.get(HOME, "chunk"))
                getting.cancel()
                with pytest.raises(CancelledError):
                    await getting
            stream = await rig.store.get(HOME, "chunk")
            await stream.read()
            reading = Deferred.fromCoroutine(stream.read())
            reading.cancel()
            with pytest.raises(CancelledError):
                await reading
            await stream.close()

    @ensureDeferred
    async def test_of_many_who_put_the_same_name_one_wins_whole(self, rig: Rig) -> None:
        contents = [bytes([number]) * (PIECE + number) for number in range(8)]
        await rig.put("chunk", contents[0])

        async def put_and_read(content: bytes) -> bytes:
            await rig.put("chunk", content)
            return await rig.content("chunk")

        async with rig.nothing_left():
            seen = await gatherResults(
                [Deferred.fromCoroutine(put_and_read(content)) for content in contents]
            )

        assert set(seen) <= set(contents)
        assert await rig.content("chunk") in contents


class Broken(IncompleteBody):
    """The sender went away."""
