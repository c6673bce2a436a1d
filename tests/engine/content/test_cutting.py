"""Cuts are where the content wants them, however it comes, today and in years."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stacksync.engine.content.cutting import (
    AVERAGE,
    CUTS,
    IS_COMPILED,
    LARGEST,
    SMALLEST,
    Cutter,
)
from tests.engine.content.builders import MIB, noise

CONTENT = noise(6 * MIB)


def cut(content: bytes, places: list[int] | None = None) -> list[bytes]:
    """The chunks of a content that is fed in pieces which end at these places."""
    cutter = Cutter()
    chunks = []
    begin = 0
    for end in [*sorted(places or []), len(content)]:
        chunks += cutter.feed(content[begin:end])
        begin = end
    return chunks + cutter.finish()


def test_chunks_are_what_was_fed() -> None:
    assert b"".join(cut(CONTENT)) == CONTENT


@pytest.mark.parametrize("size", [0, 1, SMALLEST, SMALLEST + 1, 3 * MIB + 1])
def test_any_size_can_be_cut(size: int) -> None:
    assert b"".join(cut(CONTENT[:size])) == CONTENT[:size]
    assert len(cut(CONTENT[:size])) == 0 if size == 0 else len(cut(CONTENT[:size])) >= 1


def test_chunks_are_within_their_bounds() -> None:
    *chunks, last = cut(noise(40 * MIB, seed=2))
    assert all(SMALLEST <= len(chunk) <= LARGEST for chunk in chunks)
    assert 0 < len(last) <= LARGEST
    assert AVERAGE * 0.6 < sum(map(len, chunks)) / len(chunks) < AVERAGE * 1.6


def test_content_without_any_features_is_cut_at_the_largest_size() -> None:
    assert [len(chunk) for chunk in cut(bytes(2 * LARGEST + 5))] == [LARGEST, LARGEST, 5]
    assert [len(chunk) for chunk in cut(bytes(LARGEST))] == [LARGEST]


@settings(max_examples=60, deadline=None)
@given(
    size=st.integers(0, len(CONTENT)),
    begin=st.integers(0, 1000),
    places=st.lists(st.integers(0, len(CONTENT)), max_size=30),
)
def test_cuts_do_not_depend_on_the_pieces_that_come(
    size: int, begin: int, places: list[int]
) -> None:
    content = CONTENT[begin : begin + size]
    whole = [cut.length for cut in CUTS.cut_buf(content)]
    fed = cut(content, [place for place in places if place < len(content)])
    assert [len(chunk) for chunk in fed] == whole


@settings(max_examples=30, deadline=None)
@given(place=st.integers(0, 3 * MIB))
def test_a_cutter_goes_on_from_anothers_tail(place: int) -> None:
    content = CONTENT[: 3 * MIB]
    first = Cutter()
    chunks = first.feed(content[:place])
    assert len(first.tail) < LARGEST
    second = Cutter(first.tail)
    assert [*chunks, *second.feed(content[place:]), *second.finish()] == cut(content)


def test_a_byte_more_moves_the_cuts_near_it_alone() -> None:
    content = noise(16 * MIB, seed=3)
    middle = len(content) // 2
    before, after = set(cut(content)), set(cut(content[:middle] + b"!" + content[middle:]))
    assert len(after - before) <= 3


def test_cuts_are_the_same_for_ever() -> None:
    sizes = ",".join(str(len(chunk)) for chunk in cut(CONTENT))
    digest = hashlib.sha256(sizes.encode()).hexdigest()
    assert digest == "48bf07d520fb8a2cbc5923bc742bd047e5f8db52c1ada896ae8a3b1dd866ec1d", sizes


def test_the_library_is_compiled_here() -> None:
    assert IS_COMPILED
