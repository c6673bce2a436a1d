"""Where hints of other instances may be missing, event streams look for what they have not told."""

from __future__ import annotations

from attrs import evolve
from pytest_twisted import ensureDeferred

from tests.protocols.http.client import Patience, eventually
from tests.protocols.http.conftest import StartSite
from tests.protocols.http.events.test_account_streams import SHARED, Estate
from tests.protocols.http.streams import HOME, opened


@ensureDeferred
async def test_all_streams_look(start_site: StartSite) -> None:
    estate = Estate()
    engine = estate.engine
    _, client = await start_site(engine)
    streams = [await opened(client) for _ in range(2)]
    estate.workspaces[:] = [evolve(HOME, latest_revision=20), SHARED]

    engine.notifier.missed()

    for stream in streams:
        assert await stream.event() == ("commit", {"workspace_id": str(HOME.id), "revision": 20})
        assert (await stream.event())[1]["id"] == str(SHARED.id)


@ensureDeferred
async def test_what_is_missed_while_they_look_is_looked_for_as_well(start_site: StartSite) -> None:
    estate, patience = Estate(), Patience()
    engine = estate.engine
    _, client = await start_site(engine)
    stream = await opened(client)
    estate.patience = patience

    engine.notifier.missed()
    await eventually(lambda: patience.waiting)
    estate.workspaces.append(SHARED)
    engine.notifier.missed()
    estate.patience = None
    patience.go_on()

    name, told = await stream.event()
    assert (name, told["id"]) == ("workspace", str(SHARED.id))
