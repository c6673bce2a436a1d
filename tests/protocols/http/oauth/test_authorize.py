"""``/oauth/authorize`` where strangers ask for it all the time."""

from __future__ import annotations

from typing import Any

from pytest_twisted import ensureDeferred

from stacksync.auth.lookups import AT_ONCE
from stacksync.errors import TokenNotFound
from tests.protocols.http.client import Patience, eventually
from tests.protocols.http.conftest import StartSite
from tests.protocols.http.engines import MadeUpEngine, Noun


@ensureDeferred
async def test_strangers_who_make_up_requests_for_access_do_not_fill_the_database(
    start_site: StartSite,
) -> None:
    patience = Patience()

    async def asked(key: str) -> Any:
        await patience.wait()
        raise TokenNotFound(key)

    applications: Any = Noun(asked=asked)
    site, client = await start_site(MadeUpEngine(oauth=Noun(applications=applications)))
    strangers = [await client.raw() for _ in range(6)]
    for number, each in enumerate(strangers):
        each.send(f"GET /oauth/authorize?oauth_token={number} HTTP/1.1\r\nHost: x\r\n\r\n")
    await eventually(lambda: len(site.in_flight) == 6)

    assert len(patience.waiting) == AT_ONCE
    for each in strangers:
        each.hang_up()
    await eventually(lambda: not site.channels)
