"""``/api/openapi.json`` as it is served."""

from __future__ import annotations

import json

import pytest
from openapi_spec_validator import validate
from pytest_twisted import ensureDeferred

from stacksync.protocols.http.openapi.document import document
from tests.protocols.http.client import Client
from tests.protocols.http.conftest import StartSite
from tests.protocols.http.engines import MadeUpEngine

PATHS = ["/api/openapi.json", "/v1/openapi.json"]


async def stranger(start_site: StartSite) -> Client:
    _, client = await start_site(MadeUpEngine())
    return Client(client.port)


@pytest.mark.parametrize("path", PATHS)
@ensureDeferred
async def test_everybody_may_read_the_description(start_site: StartSite, path: str) -> None:
    answer = await (await stranger(start_site)).get(path)

    assert answer.code == 200
    assert answer.header("Content-Type") == "application/json"
    assert answer.json == json.loads(json.dumps(document()))


@ensureDeferred
async def test_what_is_served_is_openapi(start_site: StartSite) -> None:
    answer = await (await stranger(start_site)).get(PATHS[0])

    validate(answer.json)
    assert answer.json["openapi"].startswith("3.1.")


@ensureDeferred
async def test_the_description_may_be_kept_by_all(start_site: StartSite) -> None:
    answer = await (await stranger(start_site)).get(PATHS[0])

    assert answer.header("Cache-Control") == "public, max-age=3600"


@ensureDeferred
async def test_who_has_it_already_is_told_so(start_site: StartSite) -> None:
    client = await stranger(start_site)
    tag = (await client.get(PATHS[0])).header("ETag")

    known = await client.get(PATHS[0], headers={"If-None-Match": tag})
    other = await client.get(PATHS[0], headers={"If-None-Match": '"another"'})

    assert (known.code, known.body, known.header("ETag")) == (304, b"", tag)
    assert other.code == 200


@ensureDeferred
async def test_its_tag_is_the_same_at_every_instance(start_site: StartSite) -> None:
    tags = [(await (await stranger(start_site)).get(PATHS[0])).header("ETag") for _ in range(2)]

    assert tags[0] == tags[1]


@ensureDeferred
async def test_head_tells_how_long_it_is(start_site: StartSite) -> None:
    client = await stranger(start_site)
    whole = await client.get(PATHS[0])
    answer = await client.request("HEAD", PATHS[0])

    assert answer.code == 200
    assert answer.header("ETag") == whole.header("ETag")
    assert answer.header("Content-Length") == str(len(whole.body))
