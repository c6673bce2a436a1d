"""``/metrics`` shows numbers, unless the operator does not want that."""

from __future__ import annotations

from pytest_twisted import ensureDeferred

from stacksync.metrics import CONTENT_TYPE
from tests.protocols.http.conftest import StartSite
from tests.protocols.http.engines import MadeUpEngine, Noun


async def text() -> bytes:
    return b"stacksync_jobs_done_total 4711.0\n"


@ensureDeferred
async def test_it_is_for_prometheus_and_open_to_all(start_site: StartSite) -> None:
    _, client = await start_site(MadeUpEngine(metrics=Noun(text=text)))
    answer = await client.get("/metrics")
    assert (answer.code, answer.body) == (200, await text())
    assert answer.header("Content-Type") == CONTENT_TYPE


@ensureDeferred
async def test_it_is_not_there_where_it_is_off(start_site: StartSite) -> None:
    _, client = await start_site(MadeUpEngine(), metrics=False)
    assert (await client.get("/metrics")).code == 404
