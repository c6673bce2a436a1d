"""``GET /workspaces/:id/changes``: what became of a workspace since a revision."""

from __future__ import annotations

import json
from uuid import UUID

import pytest
from pytest_twisted import ensureDeferred
from twisted.internet.task import Clock

from stacksync.errors import CursorExpired
from stacksync.model import Changes
from tests.protocols.http.builders import NOBODYS, changed, new_file, new_folder
from tests.protocols.http.client import eventually
from tests.protocols.http.conftest import StartSite, User
from tests.protocols.http.engines import MadeUpEngine, Noun, raising, returning

WORKSPACE = UUID(NOBODYS)
CHANGES = f"/api/workspaces/{WORKSPACE}/changes"


@ensureDeferred
async def test_an_empty_workspace_has_no_items_and_revision_0(anna: User) -> None:
    answer = await anna.client.get(f"{anna.changes}?since=0")

    assert answer.json == {"revision": 0, "items": []}
    assert answer.header("Content-Type") == "application/json"
    assert answer.header("Cache-Control") == "no-store"


@ensureDeferred
async def test_who_was_away_gets_what_was_missed_and_the_cursor_for_next_time(
    anna: User,
) -> None:
    told = await anna.commit(new_folder("a", 1), new_file("kept", parent_id=1), new_file("gone"))
    folder, kept, gone = [each["metadata"] for each in told["items"]]
    await anna.commit(changed(kept, size=6), changed(gone, status="DELETED"))
    await anna.commit(new_file("new"))

    missed = (await anna.client.get(f"{anna.changes}?since=1")).json
    assert missed["revision"] == 3
    assert [(each["filename"], each["status"]) for each in missed["items"]] == [
        ("kept", "CHANGED"),
        ("gone", "DELETED"),
        ("new", "NEW"),
    ]
    assert (await anna.client.get(f"{anna.changes}?since=3")).json == {"revision": 3, "items": []}

    whole = (await anna.client.get(anna.changes)).json
    assert [each["id"] for each in whole["items"]][:2] == [folder["id"], kept["id"]]
    assert "DELETED" not in [each["status"] for each in whole["items"]]


@ensureDeferred
async def test_a_cursor_from_the_future_is_gone(anna: User) -> None:
    await anna.commit(new_file())

    answer = await anna.client.get(f"{anna.changes}?since=5")

    assert answer.code == 410
    assert (answer.json["oldest"], answer.json["latest"]) == (0, 1)
    assert "not since 5" in answer.json["description"]


@ensureDeferred
async def test_a_cursor_that_has_expired_is_told_what_is_kept(start_site: StartSite) -> None:
    error = CursorExpired(WORKSPACE, 3, 10, 20)
    _, client = await start_site(MadeUpEngine(changes=Noun(since=raising(error))))

    answer = await client.get(f"{CHANGES}?since=3")

    assert answer.code == 410
    assert answer.json == {"error": 410, "description": str(error), "oldest": 10, "latest": 20}


@pytest.mark.parametrize("workspace", [NOBODYS, "nonsense", "%00", "%ff", "..", "x" * 3000])
@ensureDeferred
async def test_an_unknown_workspace_is_not_found(anna: User, workspace: str) -> None:
    assert (await anna.client.get(f"/api/workspaces/{workspace}/changes")).code == 404


@ensureDeferred
async def test_somebody_elses_workspace_is_not_found(anna: User, bert: User) -> None:
    mine, unknown = [
        await bert.client.get(path) for path in (anna.changes, f"/api/workspaces/{NOBODYS}/changes")
    ]

    assert mine.code == unknown.code == 404
    assert mine.json["description"].startswith("no such workspace: ")
    assert unknown.json["description"].startswith("no such workspace: ")


def megabytes(count: int) -> Changes:
    items = json.dumps(["x" * 1000] * 1000 * count).encode()
    return Changes(WORKSPACE, 9, items, 1000 * count)


@ensureDeferred
async def test_megabytes_of_changes_arrive_whole(start_site: StartSite) -> None:
    _, client = await start_site(MadeUpEngine(changes=Noun(since=returning(megabytes(5)))))

    answer = await client.get(CHANGES)

    assert answer.json == {"revision": 9, "items": ["x" * 1000] * 5000}
    assert answer.length == len(answer.body)


@ensureDeferred
async def test_a_client_that_does_not_read_costs_a_piece_of_buffer_and_is_dropped(
    start_site: StartSite,
) -> None:
    clock = Clock()
    engine = MadeUpEngine(changes=Noun(since=returning(megabytes(30))))
    site, client = await start_site(engine, clock=clock, request_timeout=60)
    connection = await client.raw()
    connection.transport.pauseProducing()
    connection.send(f"GET {CHANGES} HTTP/1.1\r\nHost: x\r\n{client.authorization_line}\r\n")
    await eventually(lambda: site.in_flight)
    (channel,) = site.channels
    await eventually(lambda: channel._waitingForTransport)

    buffered = len(channel.transport.dataBuffer) + channel.transport._tempDataLen
    assert buffered < 512 * 1024

    clock.advance(61)

    await eventually(lambda: not site.channels)


@ensureDeferred
async def test_a_client_that_reads_slowly_gets_all(start_site: StartSite) -> None:
    site, client = await start_site(MadeUpEngine(changes=Noun(since=returning(megabytes(20)))))
    connection = await client.raw()
    connection.transport.pauseProducing()
    connection.send(
        f"GET {CHANGES} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{client.authorization_line}\r\n"
    )
    await eventually(lambda: site.in_flight)
    (channel,) = site.channels
    await eventually(lambda: channel._waitingForTransport)
    connection.transport.resumeProducing()

    _, _, body = (await connection.until_closed()).partition(b"\r\n\r\n")
    assert len(json.loads(body)["items"]) == 20_000
