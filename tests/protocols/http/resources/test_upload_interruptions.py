"""A connection that ends in the middle, and a body that is refused before it is sent."""

from __future__ import annotations

import time

from pytest_twisted import ensureDeferred

from tests.protocols.http.client import eventually
from tests.protocols.http.conftest import User
from tests.protocols.http.tus import PIECE_TYPE, UPLOADS, begin, content_of, head, metadata, patch


@ensureDeferred
async def test_what_arrived_before_the_client_went_is_kept(anna: User) -> None:
    path = await begin(anna, 100_000, filename="a")
    raw = await anna.client.raw()
    raw.send(
        f"PATCH {path} HTTP/1.1\r\nHost: x\r\n{anna.client.authorization_line}"
        f"Tus-Resumable: 1.0.0\r\nContent-Type: {PIECE_TYPE}\r\nUpload-Offset: 0\r\n"
        "Content-Length: 100000\r\nExpect: 100-continue\r\n\r\n"
    )
    await raw.until(b"100 Continue\r\n\r\n")
    raw.send(b"x" * 70_000)
    raw.transport.loseConnection()
    await raw.until_closed()
    began = time.monotonic()
    while (offset := (await head(anna, path)).header("Upload-Offset")) != "70000":
        assert time.monotonic() - began < 30, offset
    last = await patch(anna, path, 70_000, b"y" * 30_000)
    content = await content_of(anna, last.header("StackSync-File"))
    assert content == b"x" * 70_000 + b"y" * 30_000


@ensureDeferred
async def test_what_cannot_succeed_is_refused_before_the_body(anna: User) -> None:
    await anna.upload("taken.txt")
    raw = await anna.client.raw()
    raw.send(
        f"POST {UPLOADS} HTTP/1.1\r\nHost: x\r\n{anna.client.authorization_line}"
        f"Tus-Resumable: 1.0.0\r\nContent-Type: {PIECE_TYPE}\r\nUpload-Length: 1000000\r\n"
        f"Upload-Metadata: {metadata(filename='taken.txt')}\r\n"
        "Content-Length: 1000000\r\nExpect: 100-continue\r\n\r\n"
    )
    answer = await raw.until(b"\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 409 ")
    await eventually(lambda: b'"metadata"' in raw.received)
