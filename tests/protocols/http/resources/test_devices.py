"""``/devices``: register, describe anew, list one's own."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest
from pytest_twisted import ensureDeferred

from tests.protocols.http.builders import new_file
from tests.protocols.http.conftest import User

PHONE = {"name": "Ännes Telefon 📱", "os": "Linux", "ip": "192.0.2.1", "app_version": "2.0"}


@ensureDeferred
async def test_a_device_is_registered_and_may_commit(anna: User) -> None:
    answer = await anna.client.post("/api/devices", PHONE)

    assert answer.code == 201
    told = answer.json
    assert {name: told[name] for name in PHONE} == PHONE
    assert answer.header("Location") == f"/api/devices/{told['id']}"
    batch = {**anna.batch(new_file()), "device_id": told["id"]}
    assert (await anna.client.post(anna.commits, batch)).code == 200


@ensureDeferred
async def test_a_device_is_described_anew_where_it_says_so(anna: User) -> None:
    device = (await anna.client.post("/api/devices", PHONE)).json

    answer = await anna.client.put(f"/api/devices/{device['id']}", {"name": "phone", "os": None})

    assert answer.code == 200
    assert {name: answer.json[name] for name in PHONE} == {**PHONE, "name": "phone"}


@ensureDeferred
async def test_everybody_sees_their_own_devices(anna: User, bert: User) -> None:
    await anna.client.post("/api/devices", {"name": "phone"})

    mine = (await anna.client.get("/api/devices")).json["devices"]
    theirs = (await bert.client.get("/api/devices")).json["devices"]

    assert [device["name"] for device in mine] == ["laptop", "phone"]
    assert [device["name"] for device in theirs] == ["laptop"]
    assert set(mine[0]) == {*PHONE, "id", "created_at", "seen_at"}


@ensureDeferred
async def test_somebody_elses_device_looks_like_none(anna: User, bert: User) -> None:
    answers = [
        await bert.client.put(f"/api/devices/{device}", {"name": "mine now"})
        for device in (anna.device_id, uuid4(), "nonsense", "%00", "1" * 500)
    ]

    assert [answer.code for answer in answers] == [404] * 5
    assert (await anna.client.get("/api/devices")).json["devices"][0]["name"] == "laptop"


@pytest.mark.parametrize(
    ("fields", "parameter"),
    [
        ({"name": 3}, "name"),
        ({"os": ["Linux"]}, "os"),
        ({"ip": False}, "ip"),
        ({"name": "a\0b"}, "name"),
        ({"app_version": "x" * 100_000}, "app_version"),
        ({"device_name": "phone"}, "device_name"),
    ],
)
@ensureDeferred
async def test_a_description_that_cannot_be_kept_is_refused(
    anna: User, fields: dict[str, Any], parameter: str
) -> None:
    answers = [
        await anna.client.post("/api/devices", fields),
        await anna.client.put(f"/api/devices/{anna.device_id}", fields),
    ]

    assert [(answer.code, answer.json["parameter"]) for answer in answers] == [(400, parameter)] * 2


@ensureDeferred
async def test_a_repeated_registration_is_the_same_device(anna: User) -> None:
    headers = {"Idempotency-Key": "r-1"}

    first = await anna.client.post("/api/devices", PHONE, headers=headers)
    again = await anna.client.post("/api/devices", PHONE, headers=headers)

    assert (first.code, again.code) == (201, 201)
    assert first.json["id"] == again.json["id"]
