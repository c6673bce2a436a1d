"""Streams of what is at hand already."""

from __future__ import annotations

import pytest
from pytest_twisted import ensureDeferred

from stacksync.errors import TooLarge
from stacksync.streams import PIECE, BytesStream, read_all


@ensureDeferred
async def test_what_fits_into_one_piece_is_given_as_it_is() -> None:
    content = b"x" * PIECE
    stream = BytesStream(content)

    assert await stream.read() is content
    assert await stream.read() == b""


@pytest.mark.parametrize("size", [0, 1, PIECE, PIECE + 1, 3 * PIECE])
@ensureDeferred
async def test_everything_comes_in_pieces_of_at_most_so_much(size: int) -> None:
    content = bytes(range(256)) * (size // 256 + 1)
    content = content[:size]
    stream = BytesStream(content)
    pieces = []
    while piece := await stream.read():
        pieces.append(piece)

    assert b"".join(pieces) == content
    assert all(len(piece) <= PIECE for piece in pieces)


@ensureDeferred
async def test_a_closed_stream_is_at_its_end() -> None:
    stream = BytesStream(b"content")
    await stream.close()

    assert await stream.read() == b""


@ensureDeferred
async def test_all_of_a_stream_is_read_if_it_is_no_more_than_allowed() -> None:
    assert await read_all(BytesStream(b"1234567"), 7) == b"1234567"
    with pytest.raises(TooLarge):
        await read_all(BytesStream(b"12345678"), 7)
