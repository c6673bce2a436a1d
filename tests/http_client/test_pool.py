"""Connections are kept, and made without a word."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest_twisted
from twisted.internet import reactor
from twisted.logger import globalLogPublisher

from stacksync.http_client import WebSession
from tests.servers.openstack.server import OpenStackServer


@pytest_twisted.async_yield_fixture
async def session() -> AsyncIterator[WebSession]:
    session = WebSession(reactor, "storage", 20.0)
    yield session
    await session.close()


@pytest_twisted.ensureDeferred
async def test_a_new_connection_is_not_worth_a_line_in_the_log(
    openstack: OpenStackServer, session: WebSession
) -> None:
    events: list[str] = []

    def note(event: dict[str, object]) -> None:
        events.append(f"{event.get('log_namespace')} {event.get('log_format')}")

    globalLogPublisher.addObserver(note)
    try:
        assert (await session.request("GET", f"{openstack.swift_url}/healthcheck")).ok
    finally:
        globalLogPublisher.removeObserver(note)
    assert [each for each in events if "HTTP11ClientFactory" in each] == []
