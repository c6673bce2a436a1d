"""``GET /events``: hello, then every event at once, whoever else is slow."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest
from pytest_twisted import ensureDeferred
from zope.interface.verify import verifyObject

from stacksync.errors import Unavailable
from stacksync.events import Committed, WorkspaceTouched, WorkspaceUpdated
from stacksync.interfaces import IEventSink
from stacksync.model import CommitResult, Refusal
from stacksync.protocols.fields import iso
from stacksync.protocols.http import events
from stacksync.protocols.http.resources.commits import encode_result
from tests.protocols.http.builders import changed, commit_result, new_file
from tests.protocols.http.client import Patience, eventually
from tests.protocols.http.conftest import Server, StartSite, User
from tests.protocols.http.engines import ANNA, MadeUpEngine, Noun, raising
from tests.protocols.http.streams import ACCOUNT, HOME, announce, engine_with, opened, workspace


@ensureDeferred
async def test_a_stream_says_hello_and_then_every_commit(anna: User) -> None:
    await anna.commit(new_file())
    stream = await anna.client.events()

    head = await stream.until(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200 OK\r\n")
    assert b"Content-Type: text/event-stream\r\n" in head
    assert b"Cache-Control: no-store\r\n" in head
    assert await stream.event() == (
        "hello",
        {"workspaces": [{"id": str(anna.workspace.id), "revision": 1}], "shares": []},
    )

    told = await anna.commit(new_file("ü.txt", temp_id=9), headers={"Idempotency-Key": "mine"})
    assert await stream.event() == ("commit", told)
    told = await anna.commit(changed(told["items"][0]["metadata"], size=9))
    assert await stream.event() == ("commit", told)


@ensureDeferred
async def test_everybody_hears_of_their_own_workspaces_only(anna: User, bert: User) -> None:
    mine, also_mine = await opened(anna.client), await opened(anna.client)
    theirs = await opened(bert.client)

    told = await anna.commit(new_file())
    also_told = await bert.commit(new_file())

    assert await mine.event() == await also_mine.event() == ("commit", told)
    assert await theirs.event() == ("commit", also_told)
    assert not mine.received.strip(b"\r\n")


@ensureDeferred
async def test_a_renamed_workspace_is_told_to_its_members_devices(anna: User) -> None:
    stream = await opened(anna.client)

    answer = await anna.client.put(
        f"/api/workspaces/{anna.workspace.id}",
        {"name": "Zuhause"},
        headers={"Idempotency-Key": "mine"},
    )

    assert await stream.event() == ("workspace", {"request_id": "mine", **answer.json})


@ensureDeferred
async def test_a_commit_at_another_instance_is_told_as_a_hint(start_site: StartSite) -> None:
    engine = engine_with(HOME)
    _, client = await start_site(engine)
    stream = await opened(client)

    await announce(engine, [WorkspaceTouched(uuid4(), 1), WorkspaceTouched(HOME.id, 12)])

    assert await stream.event() == ("commit", {"workspace_id": str(HOME.id), "revision": 12})


@ensureDeferred
async def test_a_commit_that_changed_nothing_is_not_told(start_site: StartSite) -> None:
    engine = engine_with(HOME)
    _, client = await start_site(engine)
    stream = await opened(client)

    refused = commit_result(HOME.id, 4, refusal=Refusal.STALE)
    await announce(engine, [Committed(refused), Committed(commit_result(HOME.id, 5))])

    assert (await stream.event())[1]["revision"] == 5


@ensureDeferred
async def test_a_huge_commit_is_told_as_a_hint(start_site: StartSite) -> None:
    engine = engine_with(HOME)
    _, client = await start_site(engine)
    stream = await opened(client)

    await announce(engine, [Committed(commit_result(HOME.id, 4, items=5000))])

    assert await stream.event() == ("commit", {"workspace_id": str(HOME.id), "revision": 4})


@ensureDeferred
async def test_an_event_is_encoded_once_for_all_and_not_at_all_for_nobody(
    start_site: StartSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    encoded = []

    def encode(result: CommitResult) -> bytes:
        encoded.append(result)
        return encode_result(result)

    monkeypatch.setattr(events, "encode_result", encode)
    engine = engine_with(HOME)
    _, client = await start_site(engine)
    streams = [await opened(client) for _ in range(5)]

    await announce(engine, [Committed(commit_result(uuid4())), Committed(commit_result(HOME.id))])

    assert len({repr(await stream.event()) for stream in streams}) == 1
    assert len(encoded) == 1


@ensureDeferred
async def test_no_commit_falls_between_hello_and_the_first_event(start_site: StartSite) -> None:
    """The commit comes after the workspaces were read and before hello is said."""
    patience = Patience()

    async def list_slowly(principal: Any) -> Any:
        await patience.wait()
        return (HOME,)

    engine = MadeUpEngine(workspaces=Noun(list=list_slowly))
    _, client = await start_site(engine)
    stream = await client.events()
    await eventually(lambda: patience.waiting)
    patience.go_on()
    await eventually(lambda: patience.waiting)
    await announce(engine, [Committed(commit_result(HOME.id, 4))])
    patience.go_on()

    await stream.until(b"\r\n\r\n")
    assert (await stream.event())[0] == "hello"
    assert (await stream.event())[1]["revision"] == 4


@ensureDeferred
async def test_a_workspace_that_appears_meanwhile_is_listened_to(start_site: StartSite) -> None:
    new = workspace()
    answers = [(HOME,), (HOME, new)]

    async def list_more(principal: Any) -> Any:
        return answers.pop(0) if len(answers) > 1 else answers[0]

    engine = MadeUpEngine(workspaces=Noun(list=list_more))
    _, client = await start_site(engine)
    stream = await client.events()
    await stream.until(b"\r\n\r\n")
    _, hello = await stream.event()
    assert [each["id"] for each in hello["workspaces"]] == [str(HOME.id), str(new.id)]

    await announce(engine, [Committed(commit_result(new.id, 4))])

    assert (await stream.event())[1]["workspace_id"] == str(new.id)


@ensureDeferred
async def test_the_number_of_streams_is_bounded(start_site: StartSite) -> None:
    _, client = await start_site(engine_with(HOME), event_streams_max=2)
    first, _second = await opened(client), await opened(client)

    answer = await client.get("/api/events")
    assert answer.code == 503
    assert answer.json["description"] == "too many event streams are open"
    assert answer.header("Retry-After") == "30"

    first.hang_up()
    await eventually(lambda: first.closed)
    await opened(client)


@ensureDeferred
async def test_a_stream_that_cannot_begin_is_answered_with_the_error(
    start_site: StartSite,
) -> None:
    away = Unavailable("database", "restarting")
    site, client = await start_site(MadeUpEngine(workspaces=Noun(list=raising(away))))

    answer = await client.get("/api/events")

    assert answer.code == 503
    assert answer.header("Content-Type") == "application/json"
    assert len(site.streams) == 0


@ensureDeferred
async def test_head_tells_that_it_is_a_stream(anna: User, server: Server) -> None:
    answer = await anna.client.request("HEAD", "/api/events")

    assert answer.code == 200
    assert answer.header("Content-Type") == "text/event-stream"
    assert len(server.site.streams) == 0


@ensureDeferred
async def test_a_renaming_is_told_to_that_account_only(start_site: StartSite) -> None:
    engine = engine_with(HOME)
    _, client = await start_site(engine)
    stream = await opened(client)

    await announce(
        engine,
        [WorkspaceUpdated(uuid4(), "r 1", HOME), WorkspaceUpdated(ANNA, "r 2", HOME)],
    )

    name, told = await stream.event()
    assert (name, told["request_id"], told["name"]) == ("workspace", "r 2", "Home")
    assert told["owner"]["id"] == str(ANNA)
    assert iso(ACCOUNT.created_at) not in str(told)


@ensureDeferred
async def test_the_streams_are_a_sink(start_site: StartSite) -> None:
    site, _ = await start_site(engine_with(HOME))

    assert verifyObject(IEventSink, site.streams)
    assert site.streams.name == "event streams"
