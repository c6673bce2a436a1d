"""What comes with a file's content, and what goes wrong before it does."""

from __future__ import annotations

from typing import Any

import pytest
from pytest_twisted import ensureDeferred
from twisted.logger import capturedLogs

from stacksync.errors import DamagedContent
from stacksync.streams import BytesStream
from tests.protocols.http.builders import MODIFIED, item, new_file
from tests.protocols.http.conftest import Server, StartSite, User, path_of
from tests.protocols.http.engines import MadeUpEngine, Noun, returning


@ensureDeferred
async def test_content_comes_with_what_a_browser_needs_to_know(anna: User) -> None:
    query = "name=page.html&modified_at=2026-11-21T05:27:00.123Z"
    file = (await anna.client.send("POST", f"/api/file?{query}", b"<p>")).json

    answer = await anna.client.get(f"{path_of(file)}/data")

    told = {name.decode(): values[0].decode() for name, values in answer.headers.getAllRawHeaders()}
    del told["Date"]
    assert told == {
        "Server": "StackSync",
        "Content-Type": "text/html",
        "Content-Disposition": 'attachment; filename="page.html"',
        "ETag": '"1"',
        "Last-Modified": "Sat, 21 Nov 2026 05:27:00 GMT",
        "Accept-Ranges": "bytes",
        "Cache-Control": "private, no-cache",
        "X-Content-Type-Options": "nosniff",
        "Content-Security-Policy": "default-src 'none'; sandbox",
    }
    assert answer.length == 3


@ensureDeferred
async def test_a_date_that_is_still_to_come_is_not_told(anna: User) -> None:
    query = "name=time%20machine&modified_at=9999-01-01T00:00:00Z"
    file = (await anna.client.send("POST", f"/api/file?{query}", b"x")).json

    answer = await anna.client.get(f"{path_of(file)}/data")

    assert (answer.code, answer.header("Last-Modified")) == (200, None)


@pytest.mark.parametrize("mimetype", [None, "", "text", "a/b\r\nX: y", "ü/ü", "a/" + "b" * 300])
@ensureDeferred
async def test_a_type_that_is_none_is_not_told(anna: User, mimetype: str | None) -> None:
    batch = await anna.commit(new_file(mimetype=mimetype, size=0, chunks=[], checksum=1))
    path = path_of(batch["items"][0]["metadata"])

    answer = await anna.client.get(f"{path}/data")

    assert (answer.code, answer.body) == (200, b"")
    assert answer.header("Content-Type") == "application/octet-stream"


@ensureDeferred
async def test_who_has_the_version_is_told_so(anna: User) -> None:
    file = await anna.upload("known", b"words")
    path = f"{path_of(file)}/data"

    known = await anna.client.get(path, headers={"If-None-Match": '"1"'})
    await anna.replace(file, b"other words")
    stale = await anna.client.get(path, headers={"If-None-Match": '"1"'})

    assert (known.code, known.body, known.header("ETag")) == (304, b"", '"1"')
    assert known.header("Cache-Control") == "private, no-cache"
    assert known.header("Content-Type") is None
    assert (stale.code, stale.body) == (200, b"other words")


@ensureDeferred
async def test_who_goes_on_with_another_version_is_refused(anna: User) -> None:
    file = await anna.upload("changing", b"words")
    headers = {"If-Match": '"2"', "Range": "bytes=2-"}

    answer = await anna.client.get(f"{path_of(file)}/data", headers=headers)

    assert (answer.code, answer.json["metadata"]["version"]) == (412, 1)


@ensureDeferred
async def test_a_head_asks_nothing_of_the_store(server: Server, anna: User) -> None:
    file = await anna.upload("gone", b"words")
    await server.engine.content.store.delete_container(anna.workspace.container)

    head = await anna.client.request("HEAD", f"{path_of(file)}/data")
    get = await anna.client.get(f"{path_of(file)}/data")

    assert (head.code, head.header("Content-Length"), head.header("ETag")) == (200, "5", '"1"')
    assert (get.code, get.header("Content-Disposition")) == (500, None)


@ensureDeferred
async def test_a_chunk_that_is_missing_is_found_out_before_the_answer(anna: User) -> None:
    committed = await anna.commit(new_file(modified_at=MODIFIED))
    path = path_of(committed["items"][0]["metadata"])

    answer = await anna.client.get(f"{path}/data")

    assert answer.code == 500
    assert answer.json["error"] == 500


class TornContent:
    """A file's content whose later part is damaged."""

    item = item(size=10)

    async def read(self, start: int, stop: int) -> Any:
        return TornStream(b"12345")


class TornStream(BytesStream):
    async def read(self) -> bytes:
        piece = await super().read()
        if not piece:
            raise DamagedContent("chunk 2 is missing")
        return piece


@ensureDeferred
async def test_what_turns_out_damaged_on_the_way_is_never_a_short_file(
    start_site: StartSite,
) -> None:
    engine = MadeUpEngine(files=Noun(open=returning(TornContent())))
    _, client = await start_site(engine)
    connection = await client.raw()

    with capturedLogs() as logged:
        connection.send(
            f"GET /api/file/7/data HTTP/1.1\r\nHost: x\r\n{client.authorization_line}\r\n"
        )
        answer = await connection.until_closed()

    assert b"\r\n\r\n12345" not in answer or answer.endswith(b"12345")
    assert [event["problem"] for event in logged if "problem" in event] == ["chunk 2 is missing"]
