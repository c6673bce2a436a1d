"""A request that comes again with its ``Idempotency-Key`` has no second effect."""

from __future__ import annotations

import json
from typing import Any

import pytest
from pytest_twisted import ensureDeferred

from tests.protocols.http.conftest import User, path_of


@ensureDeferred
async def test_a_repeat_is_answered_as_the_first_time(anna: User) -> None:
    async def twice(method: str, path: str, **options: Any) -> Any:
        headers = {"Idempotency-Key": f"{method} {path}", "Content-Type": "text/plain"}
        if "content" in options:
            del headers["Content-Type"]
        one, other = [
            await anna.client.request(method, path, headers=headers, **options) for _ in range(2)
        ]
        assert (one.code, one.json, one.header("Location")) == (
            *(other.code, other.json, other.header("Location")),
        )
        assert one.code in (200, 201)
        return one.json

    file = await twice("POST", "/api/file?name=once", body=b"content")
    path = path_of(file)
    await twice("PUT", f"{path}/data", body=b"more content")
    await twice("PUT", path, content={"name": "renamed"})
    await twice("POST", f"{path}/version/1")
    await twice("DELETE", path)
    restored = await twice("POST", f"{path}/restore")
    await twice("POST", "/api/folder", content={"name": "folder once"})

    assert restored["version"] == 6
    assert len((await anna.client.get(f"{path}/versions")).json["versions"]) == 6


@ensureDeferred
async def test_the_content_of_a_repeat_need_not_be_sent(anna: User) -> None:
    path, key = "/api/file?name=once", {"Idempotency-Key": "upload 1"}
    made = await anna.client.send("POST", path, b"content", **key)
    connection = await anna.client.raw()
    connection.send(
        f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: 7\r\nExpect: 100-continue\r\n"
        f"Idempotency-Key: upload 1\r\n{anna.client.authorization_line}\r\n"
    )

    assert b" 201 " in await connection.until(b"\r\n")
    assert json.loads((await connection.until(b"}")).partition(b"\r\n\r\n")[2]) == made.json


@ensureDeferred
async def test_a_key_that_stands_for_something_else_is_refused(anna: User) -> None:
    key = {"headers": {"Idempotency-Key": "reused"}}
    await anna.client.post("/api/folder", {"name": "one"}, **key)

    answer = await anna.client.post("/api/folder", {"name": "two"}, **key)

    assert answer.code == 409


@pytest.mark.parametrize("key", ["", "x" * 129, "a\0b"])
@ensureDeferred
async def test_what_can_be_no_key_is_refused_before_anything_is_done(anna: User, key: str) -> None:
    file = await anna.upload("file")
    folder = await anna.client.post("/api/folder", {"name": "one", "request_id": key})
    renamed = await anna.client.put(path_of(file), {"name": "two", "request_id": key})

    assert [answer.json["parameter"] for answer in (folder, renamed)] == ["request_id"] * 2
    if "\0" not in key:
        connection = await anna.client.raw()
        connection.send(
            "POST /api/file?name=x HTTP/1.1\r\nHost: x\r\nContent-Length: 7\r\n"
            f"Expect: 100-continue\r\nIdempotency-Key: {key}\r\n"
            f"{anna.client.authorization_line}\r\n"
        )
        assert b" 400 " in await connection.until(b"\r\n")
