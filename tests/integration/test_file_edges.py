"""Contents, ranges and names at their limits."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from itertools import accumulate
from random import Random
from urllib.parse import unquote

import pytest

from stacksync.engine.content.cutting import LARGEST, SMALLEST, Cutter
from tests.integration.clients.answers import Item, Refused
from tests.integration.clients.file_client import FileClient


def noise(seed: int, size: int) -> bytes:
    return Random(seed).randbytes(size)


def cut(content: bytes) -> list[bytes]:
    """The content in the chunks that the server makes of it."""
    cutter = Cutter()
    return [*cutter.feed(content), *cutter.finish()]


LONG = noise(1, 5 * LARGEST)
CUT = cut(LONG)
ENDS = list(accumulate(map(len, CUT)))

CONTENTS: dict[str, Callable[[], tuple[bytes, int]]] = {
    "nothing": lambda: (b"", 0),
    "one byte": lambda: (b"x", 1),
    "one NUL": lambda: (b"\0", 1),
    "the smallest chunk": lambda: (LONG[:SMALLEST], 1),
    "up to where the first chunk ends": lambda: (LONG[: ENDS[0]], 1),
    "a byte less": lambda: (LONG[: ENDS[0] - 1], 1),
    "a byte more": lambda: (LONG[: ENDS[0] + 1], 2),
    "up to where the third chunk ends": lambda: (LONG[: ENDS[2]], 3),
    "the largest chunk": lambda: (bytes(LARGEST), 1),
    "the largest chunk and a byte": lambda: (bytes(LARGEST + 1), 2),
    "the same chunk three times": lambda: (bytes(3 * LARGEST), 3),
    "all of it": lambda: (LONG, len(CUT)),
}
"""By what it is: the content, and how many chunks it is cut into."""


@pytest.mark.parametrize("name", CONTENTS)
def test_a_content_of_any_size_comes_back(name: str, files: FileClient) -> None:
    content, count = CONTENTS[name]()

    for file in (files.upload(name, content), files.upload(f"{name}, chunked", iter([content]))):
        assert (file["size"], file["checksum"]) == (len(content), zlib.adler32(content))
        assert len(file["chunks"]) == count
        assert files.download(file) == content
        if content:
            assert files.download(file, "-1") == content[-1:]


@pytest.fixture
def long(files: FileClient) -> Item:
    """A file of many chunks."""
    return files.upload("long", LONG)


def test_a_range_is_cut_out_of_the_chunks_exactly(files: FileClient, long: Item) -> None:
    size = len(LONG)
    cases = {
        "0-0": (0, 1),
        f"{size - 1}-": (size - 1, size),
        f"{size - 1}-{size + 100}": (size - 1, size),
        "-1": (size - 1, size),
        f"-{size}": (0, size),
        f"-{size + 1}": (0, size),
        "0-": (0, size),
        f"{ENDS[0] - 1}-{ENDS[0]}": (ENDS[0] - 1, ENDS[0] + 1),
        f"{ENDS[0]}-{ENDS[1] - 1}": (ENDS[0], ENDS[1]),
        f"{ENDS[1] - 7}-{ENDS[4] + 7}": (ENDS[1] - 7, ENDS[4] + 8),
    }
    for part, (start, stop) in cases.items():
        answer = files.send("GET", f"/file/{long['id']}/data", headers={"Range": f"bytes={part}"})
        assert answer.status_code == 206
        assert answer.headers["Content-Range"] == f"bytes {start}-{stop - 1}/{size}", part
        assert answer.content == LONG[start:stop], part


@pytest.mark.parametrize("part", [f"{len(LONG)}-", f"{len(LONG) + 5}-{len(LONG) + 9}", "-0"])
def test_a_range_beyond_the_end_is_told_with_the_size(
    part: str, files: FileClient, long: Item
) -> None:
    answer = files.send("GET", f"/file/{long['id']}/data", headers={"Range": f"bytes={part}"})

    assert answer.status_code == 416
    assert answer.headers["Content-Range"] == f"bytes */{len(LONG)}"
    assert str(len(LONG)) in answer.json()["description"]


@pytest.mark.parametrize("told", ["bytes=0-1,5-6", "lines=1-2", "bytes=5-2", "bytes=x"])
def test_several_ranges_or_none_that_can_be_understood_get_the_whole(
    told: str, files: FileClient, long: Item
) -> None:
    answer = files.send("GET", f"/file/{long['id']}/data", headers={"Range": told})

    assert answer.status_code == 200
    assert answer.content == LONG


def test_an_empty_file_has_no_range(files: FileClient) -> None:
    empty = files.upload("empty", b"")

    with pytest.raises(Refused, match="416: "):
        files.download(empty, "0-0")


def test_a_download_goes_on_only_if_the_file_is_still_the_same(files: FileClient) -> None:
    file = files.upload("film", b"first cut")
    first_half = {"Range": "bytes=0-4", "If-Range": '"1"'}
    assert files.send("GET", f"/file/{file['id']}/data", headers=first_half).content == b"first"

    files.overwrite(file, b"final cut")

    second_half = {"Range": "bytes=5-", "If-Range": '"1"'}
    answer = files.send("GET", f"/file/{file['id']}/data", headers=second_half)
    assert (answer.status_code, answer.content) == (200, b"final cut")


def test_what_a_reader_has_already_is_not_sent_again(files: FileClient) -> None:
    file = files.upload("page", b"text")
    tag = files.send("GET", f"/file/{file['id']}/data").headers["ETag"]
    known = {"If-None-Match": tag}

    answer = files.send("GET", f"/file/{file['id']}/data", headers=known)
    assert (answer.status_code, answer.content) == (304, b"")

    files.overwrite(file, b"new text")
    answer = files.send("GET", f"/file/{file['id']}/data", headers=known)
    assert (answer.status_code, answer.content) == (200, b"new text")


NAMES = [
    "résumé, final (2).pdf",
    "Отчёт за год.txt",
    "写真 — 夏.jpg",
    "ملف.txt",
    "👩‍👩‍👧 holiday.png",
    "e\u0301 is not \xe9",
    'with "quotes" and \\ backslash',
    "it's 100 % sure; filename=other",
    " leading and trailing ",
    "+plus&ampersand=equals#hash?question",
    "line\nbreak\ttab",
    "..hidden",
    "x" * 255,
    "я" * 127,
]


@pytest.mark.parametrize("name", NAMES)
def test_a_name_in_any_script_comes_back_as_it_was_given(name: str, files: FileClient) -> None:
    file = files.upload(name, b"content")

    assert file["filename"] == name
    assert files.names() == [name]
    disposition = files.send("GET", f"/file/{file['id']}/data").headers["Content-Disposition"]
    assert disposition.startswith('attachment; filename="')
    _, extended, exact = disposition.partition("; filename*=UTF-8''")
    plain = disposition.removeprefix('attachment; filename="').partition('"')[0]
    assert (unquote(exact) if extended else plain) == name


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", "a\0b", "x" * 256, "я" * 128])
def test_what_can_be_no_name_is_refused(name: str, files: FileClient) -> None:
    with pytest.raises(Refused, match="400: name: "):
        files.upload(name, b"content")
    with pytest.raises(Refused, match="400: name: "):
        files.make_folder(name)
    assert files.names() == []
