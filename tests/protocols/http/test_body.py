"""Bodies and queries are read strictly; each refusal names what is wrong."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import orjson
import pytest
from pytest_twisted import ensureDeferred

from tests.protocols.http.builders import NOBODYS, commit_result, new_file
from tests.protocols.http.client import Client
from tests.protocols.http.conftest import StartSite, User
from tests.protocols.http.engines import MadeUpEngine, Noun, returning

WORKSPACE = UUID(NOBODYS)
COMMITS = f"/api/workspaces/{WORKSPACE}/commits"
DEVICE = "d0000000-0000-4000-8000-000000000001"


async def client_of(start_site: StartSite) -> Client:
    commits = Noun(commit=returning(commit_result(WORKSPACE)))
    _, client = await start_site(MadeUpEngine(commits=commits))
    return client


def batch(**fields: Any) -> bytes:
    return orjson.dumps({"device_id": DEVICE, "items": [new_file("a")], **fields})


def batch_of(**fields: Any) -> bytes:
    """A batch whose second item has these fields."""
    return batch(items=[new_file("a"), new_file("b", **fields)])


def nested(depth: int) -> bytes:
    return b'{"items":[],"device_id":' + b"[" * depth + b"]" * depth + b"}"


@pytest.mark.parametrize(
    ("body", "parameter", "problem"),
    [
        (b"", "body", "not JSON"),
        (b"{", "body", "not JSON"),
        (b"not json", "body", "not JSON"),
        (b'{"device_id": NaN}', "body", "not JSON"),
        (b'{"device_id": "\xff\xfe"}', "body", "not JSON in UTF-8"),
        (b'{"device_id": "\\ud800"}', "body", "not JSON"),
        (b'{"device_id": "a\0b"}', "body", "not JSON"),
        (batch() + b"{}", "body", "not JSON"),
        (nested(100_000), "body", "has lists and objects in one another more than 64"),
        (nested(64), "body", "has lists and objects in one another more than 64"),
        (nested(63), "device_id", "must be a UUID"),
        (batch(items=[None] * 5001), "items", "has 5001 items; 5000 are allowed"),
        (b"[]", "body", "must be an object"),
        (b'"text"', "body", "must be an object"),
        (b"null", "body", "must be an object"),
        (b"{}", "items", "is missing"),
        (batch(items=None), "items", "is missing"),
        (batch(items={}), "items", "must be a list"),
        (batch(items=[3]), "items[0]", "must be an object"),
        (batch(items=[new_file("a"), None]), "items[1]", "must be an object"),
        (batch(device_id=None), "device_id", "is missing"),
        (batch(device_id=7), "device_id", "must be a UUID"),
        (batch(device_id=DEVICE.replace("-", "")), "device_id", "must be a UUID"),
        (batch(device_id="{" + DEVICE[1:-1] + "}"), "device_id", "must be a UUID"),
        (batch(device_id="a\0" + DEVICE[2:]), "device_id", "must be a UUID"),
        (batch(request_id=7), "request_id", "must be a string"),
        (batch(user_id="x"), "user_id", "unknown; known are device_id, items, request_id"),
        (batch(**{"x" * 5000: 1}), "x" * 80 + "…", "unknown"),
        (batch_of(name="c"), "items[1].name", "unknown; known are checksum, chunks, filename"),
        (batch_of(version=None), "items[1].version", "is missing"),
        (batch_of(version="1"), "items[1].version", "must be an integer of 64 bits"),
        (batch_of(version=1.0), "items[1].version", "must be an integer of 64 bits"),
        (batch_of(version=True), "items[1].version", "must be an integer of 64 bits"),
        (
            batch_of(size=12).replace(b":12,", b":%d," % 2**64),
            "items[1].size",
            "must be an integer of 64 bits",
        ),
        (batch_of(id=[]), "items[1].id", "must be an integer of 64 bits"),
        (batch_of(status=None), "items[1].status", "is missing"),
        (batch_of(status="new"), "items[1].status", "must be one of NEW, CHANGED"),
        (batch_of(status=["NEW"]), "items[1].status", "must be one of NEW, CHANGED"),
        (batch_of(filename=3), "items[1].filename", "must be a string"),
        (batch_of(is_folder=1), "items[1].is_folder", "must be true or false"),
        (batch_of(is_folder="true"), "items[1].is_folder", "must be true or false"),
        (batch_of(chunks="chk-1"), "items[1].chunks", "must be a list of strings"),
        (batch_of(chunks=["a", None]), "items[1].chunks[1]", "must be a string"),
        (batch_of(modified_at=None), "items[1].modified_at", "is missing"),
        (batch_of(modified_at=""), "items[1].modified_at", "must be an ISO 8601 date"),
        (batch_of(modified_at="yesterday"), "items[1].modified_at", "must be an ISO 8601 date"),
        (
            batch_of(modified_at="2026-11-21T05:27:00"),
            "items[1].modified_at",
            "must be an ISO 8601 date and time with its zone",
        ),
        (
            batch_of(modified_at="0001-01-01T00:00:00+14:00"),
            "items[1].modified_at",
            "must be an ISO 8601 date",
        ),
        (batch_of(modified_at=2**62), "items[1].modified_at", "must be an ISO 8601 date"),
        (batch_of(modified_at=1.5), "items[1].modified_at", "must be an ISO 8601 date"),
        (batch_of(modified_at=True), "items[1].modified_at", "must be an ISO 8601 date"),
    ],
)
@ensureDeferred
async def test_a_bad_body_is_refused_by_the_name_of_what_is_wrong(
    start_site: StartSite, body: bytes, parameter: str, problem: str
) -> None:
    client = await client_of(start_site)

    answer = await client.post(COMMITS, body=body)

    assert answer.code == 400
    assert answer.json["error"] == 400
    assert answer.json["parameter"] == parameter
    assert answer.json["description"].startswith(f"{parameter}: {problem}")
    assert (await client.post(COMMITS, body=batch())).code == 200, "and the next good one is served"


@pytest.mark.parametrize(
    "body",
    [
        batch(),
        b" \r\n" + batch(request_id="r"),
        batch_of(parent_id=None, mimetype=None, checksum=-(2**63)),
        batch_of(modified_at=0),
        batch_of(modified_at=-1),
        batch_of(modified_at="2026-11-21T06:27:00.123456+01:00"),
        batch().replace(b'"items"', b'"items":7,"items"'),
    ],
)
@ensureDeferred
async def test_a_body_that_is_unusual_but_right_is_taken(
    start_site: StartSite, body: bytes
) -> None:
    client = await client_of(start_site)

    assert (await client.post(COMMITS, body=body)).code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"Content-Type": "application/x-www-form-urlencoded"},
        {"Content-Type": "text/plain"},
        {"Content-Type": "application/jsonp"},
        {"Content-Type": "multipart/form-data"},
        {"Content-Type": []},
        {"Content-Type": ["application/json", "text/plain"]},
        {"Content-Encoding": "gzip"},
    ],
)
@ensureDeferred
async def test_a_body_that_is_not_declared_as_plain_json_is_refused(
    start_site: StartSite, headers: dict[str, str | list[str]]
) -> None:
    client = await client_of(start_site)

    answer = await client.post(COMMITS, body=batch(), headers=headers)

    assert answer.code == 415
    assert answer.json["description"].split(":")[0] in ("Content-Type", "Content-Encoding")


@pytest.mark.parametrize("declared", ["application/json; charset=utf-8", "Application/JSON"])
@ensureDeferred
async def test_json_may_be_declared_as_the_standard_lets_one(
    start_site: StartSite, declared: str
) -> None:
    client = await client_of(start_site)

    answer = await client.post(COMMITS, body=batch(), headers={"Content-Type": declared})

    assert answer.code == 200


@pytest.mark.parametrize(
    ("keys", "problem"),
    [
        (["one", "two"], "Idempotency-Key: must be one header"),
        (["\udcff"], "Idempotency-Key: must be UTF-8"),
    ],
)
@ensureDeferred
async def test_an_idempotency_key_is_one_text(
    start_site: StartSite, keys: list[str], problem: str
) -> None:
    client = await client_of(start_site)
    connection = await client.raw()
    body = batch()
    lines = "".join(f"Idempotency-Key: {key}\r\n" for key in keys)
    head = (
        f"POST {COMMITS} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{client.authorization_line}"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n{lines}\r\n"
    )
    connection.send(head.encode("utf-8", "surrogateescape") + body)

    answer = await connection.until_closed()

    assert b" 400 " in answer.splitlines()[0]
    assert problem.encode() in answer


@pytest.mark.parametrize(
    ("request_id", "problem"),
    [("", "is empty"), ("x" * 129, "128"), ("a\0b", "NUL")],
)
@ensureDeferred
async def test_an_impossible_request_id_is_refused(
    anna: User, request_id: str, problem: str
) -> None:
    content = {**anna.batch(new_file()), "request_id": request_id}

    answer = await anna.client.post(anna.commits, content)

    assert answer.code == 400
    assert answer.json["parameter"] == "request_id"
    assert problem in answer.json["description"]


@pytest.mark.parametrize(
    ("query", "parameter"),
    [
        ("since=", "since"),
        ("since=-1", "since"),
        ("since=+1", "since"),
        ("since=1.0", "since"),
        ("since=x", "since"),
        ("since=%00", "since"),
        ("since=1&since=2", "since"),
        (f"since={2**63}", "since"),
        (f"since={10**30}", "since"),
        ("since=%D9%A1", "since"),
        ("sinse=1", "sinse"),
        ("since=1&limit=2", "limit"),
        ("%ff=1", "\ufffd"),
    ],
)
@ensureDeferred
async def test_a_bad_query_is_refused_by_name(anna: User, query: str, parameter: str) -> None:
    answer = await anna.client.get(f"{anna.changes}?{query}")

    assert answer.code == 400
    assert answer.json["parameter"] == parameter
