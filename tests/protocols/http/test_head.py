"""The head of an answer, as it goes over the wire."""

from __future__ import annotations

from typing import Any

import pytest_twisted
from pytest_twisted import ensureDeferred

from stacksync.protocols.http.answer import Answer, Headers
from stacksync.protocols.http.resource import JSONResource
from tests.protocols.http.conftest import StartSite
from tests.protocols.http.engines import MadeUpEngine


@pytest_twisted.async_fixture
async def told(start_site: StartSite) -> Any:
    """Has an answer with these headers told to a request; its lines without the last one."""
    site, client = await start_site(MadeUpEngine(), cors_origins=("https://app.example.org",))

    async def tell(method: str, headers: Headers, body: bytes = b"{}", code: int = 200) -> Any:
        async def handle(_: Any) -> Answer:
            return Answer(body, code, headers)

        site.resource.putChild(b"told", JSONResource({b"GET": handle}))
        connection = await client.raw()
        connection.send(f"{method} /told HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        return (await connection.until_closed()).split(b"\r\n")

    return tell


@ensureDeferred
async def test_no_value_begins_a_line_of_its_own(told: Any) -> None:
    lines = await told("GET", ((b"X-Told", b"a\r\nSet-Cookie: b\nc\rd"),))

    assert b"X-Told: a Set-Cookie: b c d" in lines
    assert not any(line.startswith((b"Set-Cookie", b"c", b"d")) for line in lines)


@ensureDeferred
async def test_what_an_answer_says_itself_stands_instead_of_what_all_say(told: Any) -> None:
    lines = await told("GET", ((b"Cache-Control", b"max-age=5"),))

    names = [line.partition(b":")[0] for line in lines[1:-2]]
    assert b"Cache-Control: max-age=5" in lines
    assert len(set(names)) == len(names)
    assert {b"Server", b"Date", b"Vary", b"X-Content-Type-Options", b"Connection"} <= set(names)
    assert lines[-2:] == [b"", b"{}"]


@ensureDeferred
async def test_head_says_the_length_and_sends_nothing(told: Any) -> None:
    lines = await told("HEAD", (), b"[" + b" " * 200_000 + b"]")

    assert b"Content-Length: 200002" in lines
    assert lines[-2:] == [b"", b""]


@ensureDeferred
async def test_what_has_no_content_has_no_length(told: Any) -> None:
    lines = await told("GET", (), code=204)

    assert lines[0] == b"HTTP/1.1 204 No Content"
    assert not any(line.startswith(b"Content-Length") for line in lines)
    assert lines[-2:] == [b"", b""]
