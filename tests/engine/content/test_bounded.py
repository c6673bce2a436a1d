"""A body is as long as was agreed on, or fails."""

from __future__ import annotations

import pytest
from pytest_twisted import ensureDeferred

from stacksync.engine.content.bounded import BoundedBody
from stacksync.errors import IncompleteBody, QuotaExceeded, TooLarge
from tests.engine.content.builders import Pieces, all_of


def refusal() -> QuotaExceeded:
    return QuotaExceeded("no room")


@ensureDeferred
async def test_a_body_of_the_announced_length_passes() -> None:
    body = BoundedBody(Pieces([b"ab", b"c"]), length=3, most=3, refusal=refusal)
    assert await all_of(body) == b"abc"
    assert await all_of(BoundedBody(Pieces([]), length=0, most=0)) == b""
    assert await all_of(BoundedBody(Pieces([b"abc"]))) == b"abc"


@ensureDeferred
async def test_more_than_allowed_fails_with_the_first_byte_too_many() -> None:
    body = BoundedBody(Pieces([b"ab", b"c", b"d"]), most=2, refusal=refusal)
    assert await body.read() == b"ab"
    with pytest.raises(QuotaExceeded, match="no room"):
        await body.read()


@ensureDeferred
async def test_another_length_than_announced_fails() -> None:
    body = BoundedBody(Pieces([b"ab", b"c"]), length=2)
    assert await body.read() == b"ab"
    with pytest.raises(TooLarge, match="after the 2 bytes"):
        await body.read()
    body = BoundedBody(Pieces([b"ab"]), length=3)
    assert await body.read() == b"ab"
    with pytest.raises(IncompleteBody, match="after 2 of the 3"):
        await body.read()


@ensureDeferred
async def test_closing_closes_what_it_came_from() -> None:
    body = BoundedBody(Pieces([b"ab"]))
    await body.close()
    assert await body.read() == b""
