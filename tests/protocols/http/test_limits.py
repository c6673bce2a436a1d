"""What is too much for one account or one address, on a real site."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from pytest_twisted import ensureDeferred
from twisted.internet.task import Clock

from stacksync.config import HttpConfig, LimitsConfig
from stacksync.errors import NotAuthenticated
from stacksync.model import SignedRequest
from stacksync.protocols.http.sign_in import SignInWays
from stacksync.protocols.http.site import ApiSite, make_site
from tests.protocols.http.client import Client, Patience, Response, eventually
from tests.protocols.http.conftest import StartSite
from tests.protocols.http.engines import AnybodyIsAnna, MadeUpEngine, Noun, returning

NOTHING = returning(())
ENGINE = {"devices": Noun(list=NOTHING, register=NOTHING), "workspaces": Noun(list=NOTHING)}


def assert_too_many(answer: Response, whose: str) -> None:
    assert answer.code == 429
    assert answer.json["error"] == 429
    assert whose in answer.json["description"]
    assert int(answer.header("Retry-After") or 0) >= 1


@ensureDeferred
async def test_an_address_is_told_to_slow_down_before_anybody_looks_who_it_is(
    start_site: StartSite,
) -> None:
    limits = LimitsConfig(address_rate=1, address_burst=3)
    _, client = await start_site(MadeUpEngine(**ENGINE), limits=limits, clock=Clock())
    stranger = Client(client.port)
    assert [(await stranger.get("/api/devices")).code for _ in range(2)] == [401, 401]
    assert (await stranger.get("/nowhere")).code == 404

    for path in ("/api/devices", "/nowhere", "/api/openapi.json"):
        assert_too_many(await stranger.get(path), "from this address")
        assert_too_many(await client.get(path), "from this address")


@ensureDeferred
async def test_an_application_is_told_to_slow_down_before_anybody_looks_what_it_has_signed(
    listening: Callable[[ApiSite], Awaitable[int]],
) -> None:
    looked_at: list[Any] = []

    class Looks:
        """Checks signatures, at some cost, and finds all of them wrong."""

        async def look(self, request: SignedRequest, address: str) -> Any:
            looked_at.append(request)
            raise NotAuthenticated("wrong")

        authenticate_signed = request_token = access_token = look

    ways: Any = SignInWays(signatures=Looks(), provider=Looks())  # type: ignore[arg-type]
    limits = LimitsConfig(address_rate=1, address_burst=3)
    clock: Any = Clock()
    engine: Any = MadeUpEngine(**ENGINE)
    site = make_site(clock, engine, AnybodyIsAnna(), [], HttpConfig(), limits=limits, sign_ins=ways)
    application = Client(await listening(site))
    signed = {"Authorization": 'OAuth oauth_consumer_key="x"'}
    asked = [
        ("GET", "/api/devices"),
        ("POST", "/oauth/request_token"),
        ("POST", "/oauth/access_token"),
    ]
    for method, path in asked:
        assert (await application.request(method, path, headers=signed)).code == 401
    assert len(looked_at) == len(asked)

    for method, path in (*asked, ("GET", "/oauth/authorize?oauth_token=x")):
        assert (await application.request(method, path, headers=signed)).code == 429
    assert len(looked_at) == len(asked)


@ensureDeferred
async def test_who_watches_the_service_is_never_told_to_slow_down(start_site: StartSite) -> None:
    limits = LimitsConfig(address_rate=1, address_burst=1)
    engine = MadeUpEngine(metrics=Noun(text=returning(b"")), **ENGINE)
    _, client = await start_site(engine, limits=limits)

    for path in ("/healthz", "/readyz", "/metrics") * 2:
        assert (await client.get(path)).code == 200


@ensureDeferred
async def test_an_account_is_told_to_slow_down(start_site: StartSite) -> None:
    limits = LimitsConfig(account_rate=1, account_burst=2)
    _, client = await start_site(MadeUpEngine(**ENGINE), limits=limits, clock=Clock())
    assert [(await client.get("/api/devices")).code for _ in range(2)] == [200, 200]

    assert_too_many(await client.get("/api/workspaces"), "of this account")
    assert (await Client(client.port).get("/api/devices")).code == 401


@ensureDeferred
async def test_an_account_leaves_connections_to_others(start_site: StartSite) -> None:
    """Who reads slowly, or asks what takes long, could otherwise have them all."""
    patience = Patience()

    async def find(*_: Any, **__: Any) -> Any:
        await patience.wait()
        return ()

    engine = MadeUpEngine(devices=Noun(list=find), workspaces=Noun(list=NOTHING))
    _, client = await start_site(engine, connections_max=16)
    under_way = [await client.raw() for _ in range(4)]
    for connection in under_way:
        connection.send(f"GET /api/devices HTTP/1.1\r\nHost: x\r\n{client.authorization_line}\r\n")
    await eventually(lambda: len(patience.waiting) == 4)

    assert_too_many(await client.get("/api/workspaces"), "this account has 4 requests under way")

    under_way[0].hang_up()
    await eventually(lambda: patience.waiting[0].called)
    assert (await client.get("/api/workspaces")).code == 200
    patience.go_on()
    for connection in under_way[1:]:
        connection.hang_up()


@ensureDeferred
async def test_rates_can_be_off(start_site: StartSite) -> None:
    limits = LimitsConfig(account_rate=0, account_burst=1, address_rate=0, address_burst=1)
    _, client = await start_site(MadeUpEngine(**ENGINE), limits=limits)

    assert [(await client.get("/api/devices")).code for _ in range(5)] == [200] * 5


def slow_chunks(patience: Patience) -> MadeUpEngine:
    async def put(*_: Any, **__: Any) -> Any:
        await patience.wait()

    return MadeUpEngine(chunks=Noun(put=put), **ENGINE)


@ensureDeferred
async def test_an_account_sends_so_many_bodies_at_a_time(start_site: StartSite) -> None:
    patience = Patience()
    limits = LimitsConfig(account_uploads=2)
    _, client = await start_site(slow_chunks(patience), limits=limits)
    path = "/api/workspaces/00000000-0000-4000-8000-000000000000/chunks/a"
    under_way = [await client.raw() for _ in range(2)]
    for connection in under_way:
        connection.send(
            f"PUT {path} HTTP/1.1\r\nHost: x\r\n{client.authorization_line}"
            "Content-Type: application/octet-stream\r\nContent-Length: 10\r\n\r\nabc"
        )
    await eventually(lambda: len(patience.waiting) == 2)

    assert_too_many(await client.send("PUT", path, b"0123456789"), "sending 2 bodies")
    assert (await client.get("/api/devices")).code == 200

    under_way[0].hang_up()
    patience.waiting.pop(0).callback(None)
    third = await client.raw()
    third.send(
        f"PUT {path} HTTP/1.1\r\nHost: x\r\n{client.authorization_line}"
        "Content-Type: application/octet-stream\r\nContent-Length: 10\r\n\r\nabc"
    )
    await eventually(lambda: len(patience.waiting) == 2)
    patience.go_on()
    under_way[1].hang_up()
    third.hang_up()


@ensureDeferred
async def test_an_account_has_so_many_event_streams(start_site: StartSite) -> None:
    _, client = await start_site(MadeUpEngine(**ENGINE), limits=LimitsConfig(account_streams=2))
    streams = [await client.events() for _ in range(2)]
    for stream in streams:
        await stream.until(b"hello")

    refused = await client.get("/api/events")
    assert_too_many(refused, "2 event streams open")
    assert refused.header("Retry-After") == "30"

    streams[0].hang_up()

    async def has_room() -> bool:
        third = await client.events()
        streams.append(third)
        return b" 200 " in await third.until(b"\r\n")

    while not await has_room():
        pass
    for stream in streams:
        stream.hang_up()


@pytest.mark.parametrize("depth", [7, 100_000])
@ensureDeferred
async def test_how_deep_json_may_be_is_the_operators_to_say(
    start_site: StartSite, depth: int
) -> None:
    _, client = await start_site(MadeUpEngine(**ENGINE), limits=LimitsConfig(json_depth=8))
    body = b'{"name":' + b"[" * depth + b"]" * depth + b"}"

    answer = await client.post("/api/devices", body=body)

    assert answer.code == 400
    if depth == 7:
        assert answer.json["parameter"] == "name"
    else:
        assert answer.json["description"] == (
            "body: has lists and objects in one another more than 8 levels deep"
        )
