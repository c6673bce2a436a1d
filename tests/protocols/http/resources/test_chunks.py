"""``/workspaces/:id/chunks/:name``: chunks as they are stored, for clients that cut files."""

from __future__ import annotations

import gzip
import zlib
from hashlib import sha1, sha256
from urllib.parse import quote

import pytest
from pytest_twisted import ensureDeferred

from stacksync.config import HttpConfig
from tests.db.conftest import psql
from tests.db.observation import Psql
from tests.protocols.http.builders import new_file
from tests.protocols.http.conftest import User, path_of

__all__ = ["psql"]

LARGEST = 100_000


@pytest.fixture
def settings() -> HttpConfig:
    return HttpConfig(max_body=LARGEST)


def chunk(content: bytes) -> tuple[str, bytes]:
    """Name and object of a chunk as clients make it."""
    return f"chk-{sha1(content).hexdigest().upper()}-1", gzip.compress(content, mtime=0)


def path_to(user: User, name: str) -> str:
    return f"/api/workspaces/{user.workspace.id}/chunks/{quote(name, safe='')}"


@ensureDeferred
async def test_a_chunk_is_put_and_got_as_it_is(anna: User) -> None:
    name, stored = chunk(b"words" * 100)
    path = path_to(anna, name)

    put = await anna.client.send("PUT", path, stored)
    got = await anna.client.get(path)
    head = await anna.client.request("HEAD", path)

    assert put.code == 201
    assert (put.json["name"], put.json["size"]) == (name, len(stored))
    assert put.header("Location") == path
    assert (got.code, got.body) == (200, stored)
    assert (head.code, head.body, head.header("Content-Length")) == (200, b"", str(len(stored)))
    assert put.header("ETag") == got.header("ETag") == head.header("ETag") is not None
    assert got.header("Cache-Control") == "private, max-age=31536000, immutable"
    assert got.header("Content-Type") == "application/octet-stream"
    assert got.header("X-Content-Type-Options") == "nosniff"


@ensureDeferred
async def test_a_chunk_that_is_there_is_kept(anna: User) -> None:
    name, stored = chunk(b"words")
    await anna.client.send("PUT", path_to(anna, name), stored)

    again = await anna.client.send("PUT", path_to(anna, name), stored)

    assert (again.code, again.header("Location")) == (200, None)


@ensureDeferred
async def test_other_bytes_under_a_name_that_tells_nothing_are_a_conflict(anna: User) -> None:
    path = path_to(anna, "piece ü/2".replace("/", "-"))
    await anna.client.send("PUT", path, b"one")

    other = await anna.client.send("PUT", path, b"two")

    assert other.code == 409
    assert (await anna.client.get(path)).body == b"one"


@ensureDeferred
async def test_a_chunk_that_is_not_what_its_name_says_is_not_kept(anna: User) -> None:
    name, _ = chunk(b"words")

    answers = [
        await anna.client.send("PUT", path_to(anna, name), gzip.compress(b"other words")),
        await anna.client.send("PUT", path_to(anna, name), b"no gzip at all"),
    ]

    assert [answer.code for answer in answers] == [400, 400]
    assert (await anna.client.get(path_to(anna, name))).code == 404


@ensureDeferred
async def test_a_part_of_a_chunk_is_sent(anna: User) -> None:
    name, stored = chunk(b"words")
    path = path_to(anna, name)
    await anna.client.send("PUT", path, stored)

    size = len(stored)
    parts = [
        await anna.client.get(path, headers={"Range": told})
        for told in ("bytes=2-5", "bytes=-4", f"bytes={size}-")
    ]

    assert [part.code for part in parts] == [206, 206, 416]
    assert [part.body for part in parts[:2]] == [stored[2:6], stored[-4:]]
    assert parts[1].header("Content-Range") == f"bytes {size - 4}-{size - 1}/{size}"
    assert parts[2].header("Content-Range") == f"bytes */{size}"


@ensureDeferred
async def test_who_has_a_chunk_is_told_so(anna: User) -> None:
    name, stored = chunk(b"words")
    tag = (await anna.client.send("PUT", path_to(anna, name), stored)).header("ETag")

    answer = await anna.client.get(path_to(anna, name), headers={"If-None-Match": tag})

    assert (answer.code, answer.body, answer.header("ETag")) == (304, b"", tag)


@ensureDeferred
async def test_a_chunk_that_is_not_there_or_not_ones_own_is_not_found(
    anna: User, bert: User
) -> None:
    name, stored = chunk(b"words")
    await anna.client.send("PUT", path_to(anna, name), stored)

    answers = [
        await anna.client.get(path_to(anna, "nothing")),
        await anna.client.request("HEAD", path_to(anna, "nothing")),
        await anna.client.get(f"/api/workspaces/{anna.workspace.id}/chunks/%ff"),
        await bert.client.get(path_to(anna, name)),
        await bert.client.request("HEAD", path_to(anna, name)),
        await bert.client.send("PUT", path_to(anna, "mine"), b"x"),
        await anna.client.get("/api/workspaces/nonsense/chunks/x"),
    ]

    assert [answer.code for answer in answers] == [404] * 7


@pytest.mark.parametrize("name", ["a/b", "..", "x" * 256, "a\0b"])
@ensureDeferred
async def test_what_can_be_no_name_is_refused(anna: User, name: str) -> None:
    answers = [
        await anna.client.get(path_to(anna, name)),
        await anna.client.send("PUT", path_to(anna, name), b"x"),
    ]

    assert [answer.code for answer in answers] == [400, 400]


@ensureDeferred
async def test_a_viewer_reads_and_does_not_write(anna: User, psql: Psql) -> None:
    name, stored = chunk(b"words")
    await anna.client.send("PUT", path_to(anna, name), stored)
    psql.rows("UPDATE membership SET role = 'viewer' WHERE account_id = %s", str(anna.account.id))

    assert (await anna.client.get(path_to(anna, name))).body == stored
    assert (await anna.client.send("PUT", path_to(anna, "new"), b"x")).code == 403


@ensureDeferred
async def test_a_chunk_is_bounded_like_any_body_that_is_no_file(anna: User) -> None:
    told = await anna.client.send("PUT", path_to(anna, "big"), b"x" * (LARGEST + 1))
    packed = await anna.client.send("PUT", path_to(anna, "a"), b"x", Content_Encoding="gzip")

    assert (told.code, packed.code) == (413, 415)


@ensureDeferred
async def test_a_file_of_chunks_that_a_client_made_is_read_as_a_whole(anna: User) -> None:
    parts = [b"first half, " * 50, b"second half" * 70]
    names = []
    for part in parts:
        name, stored = chunk(part)
        names.append(name)
        assert (await anna.client.send("PUT", path_to(anna, name), stored)).code == 201
    content = b"".join(parts)
    fields = {"size": len(content), "checksum": zlib.adler32(content), "chunks": names}
    committed = await anna.commit(new_file("assembled", **fields))

    path = f"{path_of(committed['items'][0]['metadata'])}/data"

    assert (await anna.client.get(path)).body == content
    some = await anna.client.get(path, headers={"Range": "bytes=595-605"})
    assert some.body == content[595:606]


@ensureDeferred
async def test_a_file_of_the_server_is_read_chunk_by_chunk(anna: User) -> None:
    content = b"words" * 1000
    (name,) = (await anna.upload("file", content))["chunks"]

    stored = (await anna.client.get(path_to(anna, name))).body

    assert gzip.decompress(stored) == content
    assert name == f"sha256-{sha256(content).hexdigest()}-{len(content)}"
