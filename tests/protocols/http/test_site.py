"""The site as a whole: stopping, the access log, and what it subscribes to."""

from __future__ import annotations

from typing import Any

import pytest
from pytest_twisted import ensureDeferred
from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.logger import LogLevel, capturedLogs

from stacksync.config import HttpConfig
from stacksync.protocols.http.site import make_site
from tests.protocols.http.client import Client, Patience, eventually
from tests.protocols.http.conftest import StartSite
from tests.protocols.http.engines import AnybodyIsAnna, MadeUpEngine, Noun, returning


def slow_engine(patience: Patience) -> MadeUpEngine:
    async def list_slowly(principal: Any) -> Any:
        await patience.wait()
        return ()

    return MadeUpEngine(devices=Noun(list=list_slowly), workspaces=Noun(list=returning(())))


@ensureDeferred
async def test_draining_waits_for_requests_under_way_and_closes_the_rest(
    start_site: StartSite,
) -> None:
    patience = Patience()
    site, client = await start_site(slow_engine(patience))
    idle = await client.raw()
    stream = await client.events()
    await stream.until(b"hello")
    asked = await client.raw()
    asked.send(f"GET /api/devices HTTP/1.1\r\nHost: x\r\n{client.authorization_line}\r\n")
    await eventually(lambda: patience.waiting)

    drained = Deferred.fromCoroutine(site.drain(within=10))
    await idle.until_closed()
    await stream.until_closed()
    assert not drained.called
    patience.go_on()

    assert b'{"devices":[]}' in await asked.until_closed()
    await drained
    assert not site.channels


@ensureDeferred
async def test_draining_does_not_wait_for_ever(start_site: StartSite) -> None:
    patience = Patience()
    site, client = await start_site(slow_engine(patience))
    asked = await client.raw()
    asked.send(f"GET /api/devices HTTP/1.1\r\nHost: x\r\n{client.authorization_line}\r\n")
    await eventually(lambda: patience.waiting)

    await site.drain(within=0.05)

    assert b"HTTP" not in await asked.until_closed()


@ensureDeferred
async def test_draining_a_quiet_site_is_nothing(start_site: StartSite) -> None:
    site, _ = await start_site(MadeUpEngine())

    await site.drain(within=10)


@ensureDeferred
async def test_it_hears_events_while_it_listens(listening: Any) -> None:
    engine = MadeUpEngine()
    site = make_site(reactor, engine, AnybodyIsAnna(), [], HttpConfig())
    assert not engine.notifier.sinks

    await listening(site)
    assert engine.notifier.sinks == [site.streams]

    site.stopFactory()
    assert not engine.notifier.sinks
    site.startFactory()


@pytest.mark.parametrize("access_log", [False, True])
@ensureDeferred
async def test_requests_are_logged_when_asked_for_without_their_query(
    listening: Any, access_log: bool
) -> None:
    site = make_site(
        reactor, MadeUpEngine(), AnybodyIsAnna(), [], HttpConfig(), access_log=access_log
    )
    client = Client(await listening(site))

    with capturedLogs() as logged:
        await client.get("/healthz?token=secret")

    logged = [event for event in logged if event.get("log_namespace", "").endswith("ApiSite")]
    assert len(logged) == access_log
    if access_log:
        assert logged[0]["summary"] == "GET /healthz"
        assert logged[0]["log_level"] is LogLevel.debug
        assert (logged[0]["code"], logged[0]["length"]) == (200, len(b'{"status":"ok"}'))


@ensureDeferred
async def test_only_http_1_1_is_offered(start_site: StartSite) -> None:
    site, _ = await start_site(MadeUpEngine())

    assert site.acceptableProtocols() == [b"http/1.1"]
