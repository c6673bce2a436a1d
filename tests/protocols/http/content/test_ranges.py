"""Which part of a content the headers ``Range`` and ``If-Range`` ask for."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pytest_twisted import ensureDeferred

from stacksync.protocols.http.content.ranges import Part, part_of
from stacksync.protocols.http.errors import Refusal
from tests.protocols.http.conftest import User, path_of

SIZES = st.integers(0, 10**18)


@pytest.mark.parametrize(
    ("told", "part"),
    [
        (b"bytes=0-0", Part(0, 1)),
        (b"bytes=0-99", Part(0, 100)),
        (b"bytes=0-", Part(0, 100)),
        (b"bytes=99-", Part(99, 100)),
        (b"bytes=10-19", Part(10, 20)),
        (b"bytes=10-1000", Part(10, 100)),
        (b"bytes=-1", Part(99, 100)),
        (b"bytes=-100", Part(0, 100)),
        (b"bytes=-1000", Part(0, 100)),
        (b"BYTES=0-0", Part(0, 1)),
        (b"bytes= 0-0 ", Part(0, 1)),
        (b"bytes=,0-0,", Part(0, 1)),
        (b"bytes=007-009", Part(7, 10)),
    ],
)
def test_one_range_is_a_part(told: bytes, part: Part) -> None:
    assert part_of(told, 100) == part


@pytest.mark.parametrize(
    "told",
    [
        *(b"", b"bytes", b"bytes=", b"bytes=,", b"bytes=-", b"bytes=5", b"bytes=a-b"),
        *(b"bytes=2-1", b"bytes=0-0x", b"bytes 0-0", b"lines=0-0", b"bytes=1--2", b"bytes=+1-2"),
        *(b"bytes =0-0", b"bytes=0 - 0", b"bytes=0-0;1-1", b"bytes=0-0,x", b"bytes=0-0,5-4"),
        b"bytes=0-" + b"9" * 20,
        b"bytes=" + b"9" * 5000 + b"-",
        "bytes=0-\u0661".encode(),
    ],
)
def test_what_is_no_range_is_passed_over(told: bytes) -> None:
    assert part_of(told, 100) is None


@pytest.mark.parametrize("told", [b"bytes=0-0,2-2", b"bytes=0-, 5-9", b"bytes=-1,200-300"])
def test_several_ranges_get_the_whole(told: bytes) -> None:
    assert part_of(told, 100) is None


@pytest.mark.parametrize(
    ("told", "size"),
    [
        (b"bytes=100-", 100),
        (b"bytes=100-200", 100),
        (b"bytes=-0", 100),
        (b"bytes=100-,200-", 100),
        (b"bytes=0-0", 0),
        (b"bytes=0-", 0),
    ],
)
def test_where_there_is_nothing_of_it_the_size_is_told(told: bytes, size: int) -> None:
    with pytest.raises(Refusal) as refusal:
        part_of(told, size)

    assert refusal.value.code == 416
    assert refusal.value.headers == ((b"Content-Range", b"bytes */%d" % size),)


def test_the_end_of_nothing_is_all_of_it() -> None:
    assert part_of(b"bytes=-5", 0) is None


@given(SIZES, SIZES, SIZES)
def test_a_range_is_cut_to_what_there_is(first: int, more: int, size: int) -> None:
    told = b"bytes=%d-%d" % (first, first + more)
    if first >= size:
        with pytest.raises(Refusal):
            part_of(told, size)
    else:
        part = part_of(told, size)
        assert part is not None
        assert (part.start, part.stop) == (first, min(size, first + more + 1))
        assert part.content_range(size) == b"bytes %d-%d/%d" % (first, part.stop - 1, size)


@given(st.integers(1, 10**18), st.integers(1, 10**18))
def test_a_range_from_the_end_has_as_many_bytes_as_there_are(last: int, size: int) -> None:
    part = part_of(b"bytes=-%d" % last, size)

    assert part is not None
    assert (part.stop, part.stop - part.start) == (size, min(last, size))


@given(st.binary(max_size=40), st.integers(0, 1000))
def test_whatever_is_told_is_a_part_of_it_or_none_or_refused(told: bytes, size: int) -> None:
    for value in (told, b"bytes=" + told):
        with suppress(Refusal):
            part = part_of(value, size)
            assert part is None or 0 <= part.start < part.stop <= size


CONTENT = bytes(range(256)) * 12_000


@pytest.mark.parametrize(
    ("asked", "start", "stop"),
    [
        ("bytes=0-99", 0, 100),
        ("bytes=-100", len(CONTENT) - 100, len(CONTENT)),
        ("bytes=1000-2999999", 1000, 3_000_000),
        ("bytes=3071999-", len(CONTENT) - 1, len(CONTENT)),
    ],
)
@ensureDeferred
async def test_a_part_of_a_file_is_sent(anna: User, asked: str, start: int, stop: int) -> None:
    file = await anna.upload("bytes", CONTENT)

    answer = await anna.client.get(f"{path_of(file)}/data", headers={"Range": asked})

    assert (answer.code, answer.length) == (206, stop - start)
    assert answer.body == CONTENT[start:stop]
    assert answer.header("Content-Range") == f"bytes {start}-{stop - 1}/{len(CONTENT)}"
    assert answer.header("ETag") == '"1"'


@pytest.mark.parametrize(
    "headers",
    [
        {"Range": "bytes=0-0,2-2"},
        {"Range": "bytes=nonsense"},
        {"Range": ["bytes=0-0", "bytes=1-1"]},
        {"Range": "bytes=0-0", "If-Range": '"2"'},
        {"Range": "bytes=0-0", "If-Range": 'W/"1"'},
        {"Range": "bytes=0-0", "If-Range": "Sat, 21 Nov 2026 05:27:00 GMT"},
        {"Range": "bytes=9-", "If-Range": '"2"'},
    ],
)
@ensureDeferred
async def test_the_whole_is_sent_where_no_part_of_this_version_is_asked_for(
    anna: User, headers: dict[str, str | list[str]]
) -> None:
    file = await anna.upload("short", b"012345")

    answer = await anna.client.get(f"{path_of(file)}/data", headers=headers)

    assert (answer.code, answer.body) == (200, b"012345")
    assert answer.header("Content-Range") is None


@ensureDeferred
async def test_a_part_of_the_version_that_one_has_is_sent(anna: User) -> None:
    file = await anna.upload("short", b"012345")
    headers = {"Range": "bytes=2-3", "If-Range": '"1"'}

    answer = await anna.client.get(f"{path_of(file)}/data", headers=headers)

    assert (answer.code, answer.body) == (206, b"23")


@ensureDeferred
async def test_a_part_that_is_not_there_is_refused(anna: User) -> None:
    file = await anna.upload("short", b"012345")

    answer = await anna.client.get(f"{path_of(file)}/data", headers={"Range": "bytes=6-"})

    assert answer.code == 416
    assert answer.header("Content-Range") == "bytes */6"
    assert answer.json["description"].startswith("Range: there are 6 bytes")


@ensureDeferred
async def test_a_head_tells_of_the_whole(anna: User) -> None:
    file = await anna.upload("short", b"012345")

    answer = await anna.client.request(
        "HEAD", f"{path_of(file)}/data", headers={"Range": "bytes=0-1"}
    )

    assert (answer.code, answer.header("Content-Length"), answer.body) == (200, "6", b"")
