"""When there is no room for another connection, the one goes that does nothing for longest."""

from __future__ import annotations

from typing import Any

import pytest
from attrs import define, field
from hypothesis import given
from hypothesis import strategies as st
from pytest_twisted import ensureDeferred
from twisted.internet.task import Clock
from twisted.logger import capturedLogs

from stacksync.protocols.http.edge import allowance, connections
from stacksync.protocols.http.edge.connections import Connections
from stacksync.protocols.http.sign_in import SignInWays
from tests.protocols.http.client import Client, Conversation, Patience, eventually
from tests.protocols.http.conftest import StartSite
from tests.protocols.http.engines import MadeUpEngine, Noun, returning

LINE = "GET /healthz HTTP/1.1\r\n"


async def idle(client: Client, begun: str = "") -> Conversation:
    connection = await client.raw()
    connection.send(begun)
    return connection


async def assert_serves(client: Client) -> None:
    assert (await client.get("/healthz")).code == 200


@ensureDeferred
async def test_the_ones_that_are_silent_or_incomplete_go_the_oldest_first(
    start_site: StartSite,
) -> None:
    site, client = await start_site(MadeUpEngine(), connections_max=16)
    silent = []
    for number in range(16):
        silent.append(await idle(client, LINE[:number]))
        await eventually(lambda count=number + 1: len(site.channels) == count)

    for gone in range(1, 4):
        connection = await client.raw()
        connection.send(LINE + "Host: x\r\n\r\n")
        assert (await connection.until(b"}")).startswith(b"HTTP/1.1 200 ")
        await eventually(lambda count=gone: sum(each.closed for each in silent) == count)

    assert [each.closed for each in silent[:4]] == [True, True, True, False]
    assert len(site.channels) == 16


@ensureDeferred
async def test_who_has_just_been_answered_stays_longer_than_who_sends_byte_by_byte(
    start_site: StartSite,
) -> None:
    site, client = await start_site(MadeUpEngine(), connections_max=16)
    asking = await idle(client)
    dripping = [await idle(client, LINE[:3]) for _ in range(15)]
    await eventually(lambda: len(site.channels) == 16)
    asking.send(LINE + "Host: x\r\n\r\n")
    await asking.until(b"}")
    for each in dripping:
        each.send(LINE[3])

    await assert_serves(client)

    assert not asking.closed
    await eventually(lambda: any(each.closed for each in dripping))


@ensureDeferred
async def test_requests_under_way_and_event_streams_stay(
    start_site: StartSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    # All connections are one account's here.
    monkeypatch.setattr(allowance, "SHARE", 1)
    patience = Patience()

    async def slowly(*_: Any) -> Any:
        await patience.wait()
        return ()

    engine = MadeUpEngine(devices=Noun(list=slowly), workspaces=Noun(list=returning(())))
    site, client = await start_site(engine, connections_max=16)
    streams = [await client.events() for _ in range(8)]
    for stream in streams:
        await stream.until(b"hello")
    asking = []
    for _ in range(7):
        asking.append(
            await idle(
                client, f"GET /api/devices HTTP/1.1\r\nHost: x\r\n{client.authorization_line}\r\n"
            )
        )
    await eventually(lambda: len(patience.waiting) == 7)
    silent = await idle(client)
    await eventually(lambda: len(site.channels) == 16)

    await assert_serves(client)
    await eventually(lambda: silent.closed)
    asking.append(
        await idle(
            client, f"GET /api/devices HTTP/1.1\r\nHost: x\r\n{client.authorization_line}\r\n"
        )
    )
    await eventually(lambda: len(patience.waiting) == 8)

    # Nobody can go now: it is the new one that is not let in.
    assert await (await client.raw()).until_closed() == b""
    assert not any(each.closed for each in streams + asking)
    patience.go_on()
    for each in asking:
        assert (await each.until(b"}")).startswith(b"HTTP/1.1 200 ")
    await assert_serves(client)
    for stream in streams:
        stream.hang_up()


# None of it takes a password; each asks for something, and then makes us wait.
STREAMED = "PUT /api/file/1/data HTTP/1.1\r\nHost: x\r\nContent-Length: 60000\r\n"
STRANGERS = {
    "to read what is signed": STREAMED
    + "Authorization: OAuth\r\nContent-Type: application/x-www-form-urlencoded\r\n\r\n",
    "to drop the rest of a body that was refused": STREAMED + "\r\n",
    "to read a long answer": "GET /api/openapi.json HTTP/1.1\r\nHost: x\r\n\r\n" * 60,
}


@pytest.mark.parametrize("asked", STRANGERS.values(), ids=STRANGERS)
@ensureDeferred
async def test_who_has_not_signed_in_keeps_nobody_out_whatever_it_makes_us_wait_for(
    start_site: StartSite, asked: str
) -> None:
    site, client = await start_site(MadeUpEngine(), connections_max=16)
    ways: Any = SignInWays(signatures=Noun())  # type: ignore[arg-type]
    site.sign_ins = ways
    strangers = [await idle(client) for _ in range(16)]
    for each in strangers:
        each.transport.pauseProducing()
        each.send(asked)
    await eventually(lambda: sum(bool(each.requests) for each in site.channels) == 16)

    await assert_serves(client)

    for each in strangers:
        each.hang_up()


@ensureDeferred
async def test_the_log_tells_of_it_but_not_of_each(start_site: StartSite) -> None:
    with capturedLogs() as logged:
        site, client = await start_site(MadeUpEngine(), connections_max=16)
        for _ in range(16):
            await idle(client)
        await eventually(lambda: len(site.channels) == 16)
        for _ in range(5):
            await assert_serves(client)

    told = [e for e in logged if "as many as may be" in (e.get("log_format") or "")]
    assert [each["count"] for each in told] == [16]


@ensureDeferred
async def test_bodies_that_do_not_end_go_when_they_are_too_much_together(
    start_site: StartSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "BODIES_BYTES", 0)
    devices = Noun(list=returning(()), register=returning(None))
    site, client = await start_site(MadeUpEngine(devices=devices), max_body=10_000)
    head = "POST /api/devices HTTP/1.1\r\nHost: x\r\nContent-Length: 9000\r\n\r\n"
    slow = []
    for number in range(4):
        slow.append(await idle(client, head + "x" * 8900))
        await eventually(lambda count=number + 1: len(site.connections._bodies) == count)
    assert not any(each.closed for each in slow)

    answer = await client.post("/api/devices", {"name": 3, "os": "x" * 8000})

    assert answer.code == 400
    await eventually(lambda: slow[0].closed)
    assert not any(each.closed for each in slow[1:])
    for each in slow[1:]:
        each.hang_up()
    await eventually(lambda: not site.connections._bodies_bytes)


@define(eq=False)
class MadeUpChannel:
    """One that only knows whether it was ended."""

    ended: list[MadeUpChannel] = field(repr=False)

    def forceAbortClient(self) -> None:
        self.ended.append(self)


STEPS = st.sampled_from(["open", "open", "open", "arrived", "works", "waits", "closed"])


@given(st.lists(STEPS, max_size=60), st.data())
def test_whatever_they_do_there_are_never_more_than_may_be(
    steps: list[str], data: st.DataObject
) -> None:
    clock: Any = Clock()
    open_ones = Connections(clock, 4, 1000)
    since: dict[Any, int] = {}
    ended: list[Any] = []
    working: set[Any] = set()
    for moment, step in enumerate(steps):
        if step == "open":
            before = dict(since)
            has_room = open_ones.has_room()
            assert len(ended) == (len(before) == 4 and has_room)
            for gone in ended:
                # The one for which it has been so for longest.
                assert since.pop(gone) == min(
                    each for channel, each in before.items() if channel not in working
                )
            assert has_room or working == set(since)
            ended.clear()
            if has_room:
                channel: Any = MadeUpChannel(ended)
                open_ones.opened(channel)
                since[channel] = moment
        elif since:
            channel = data.draw(st.sampled_from(sorted(since, key=since.__getitem__)))
            getattr(open_ones, step)(channel)
            if step == "closed":
                del since[channel]
            elif step == ("waits" if channel in working else "arrived"):
                since[channel] = moment
        working = open_ones.all - open_ones._waiting.keys()
        assert len(open_ones.all) <= 4
        assert open_ones.all == set(since)
