"""``/file/:id/versions``, ``/file/:id/version/:n``: what a file was, and making it that again."""

from __future__ import annotations

from typing import Any

import pytest
from pytest_twisted import ensureDeferred

from tests.protocols.http.conftest import User, path_of


@ensureDeferred
async def test_versions_are_listed_newest_first(anna: User) -> None:
    first = await anna.upload("draft", b"one")
    second = await anna.replace(first, b"two")
    third = (await anna.client.put(path_of(first), {"name": "final"})).json

    answer = await anna.client.get(f"{path_of(first)}/versions")

    assert answer.code == 200
    assert answer.json == {**third, "versions": [third, second, first]}
    assert answer.header("ETag") == '"3"'


@ensureDeferred
async def test_each_version_is_told_with_its_own_content_and_name(anna: User) -> None:
    first = await anna.upload("draft", b"one")
    await anna.replace(first, b"two")
    await anna.client.put(path_of(first), {"name": "final"})
    path = f"{path_of(first)}/version"

    told = [await anna.client.get(f"{path}/{number}") for number in (1, 2, 3)]
    data = [await anna.client.get(f"{path}/{number}/data") for number in (1, 2, 3)]

    assert [answer.json["filename"] for answer in told] == ["draft", "draft", "final"]
    assert [answer.header("ETag") for answer in told] == ['"1"', '"2"', '"3"']
    assert [answer.body for answer in data] == [b"one", b"two", b"two"]
    assert [answer.header("ETag") for answer in data] == ['"1"', '"2"', '"3"']
    assert 'filename="draft"' in (data[0].header("Content-Disposition") or "")


@ensureDeferred
async def test_a_part_of_an_older_version_is_sent(anna: User) -> None:
    file = await anna.upload("draft", b"012345")
    await anna.replace(file, b"")

    answer = await anna.client.get(
        f"{path_of(file)}/version/1/data", headers={"Range": "bytes=2-3"}
    )

    assert (answer.code, answer.body) == (206, b"23")


@pytest.mark.parametrize("body", [{}, {"json": {}}, {"json": {"request_id": "back"}}])
@ensureDeferred
async def test_an_older_version_is_made_the_newest_again(anna: User, body: dict[str, Any]) -> None:
    first = await anna.upload("draft", b"one")
    await anna.replace(first, b"two")
    await anna.client.put(path_of(first), {"name": "final"})

    answer = await anna.client.post(f"{path_of(first)}/version/1", body.get("json"))

    told = answer.json
    assert (answer.code, told["version"], told["status"]) == (200, 4, "CHANGED")
    assert (told["chunks"], told["filename"]) == (first["chunks"], "final")
    assert (await anna.client.get(f"{path_of(first)}/data")).body == b"one"


@ensureDeferred
async def test_the_versions_of_a_deleted_file_can_be_read_but_not_made_anew(anna: User) -> None:
    file = await anna.upload("gone", b"words")
    await anna.delete(file)
    path = f"{path_of(file)}/version/1"

    assert (await anna.client.get(path)).json == file
    assert (await anna.client.get(f"{path}/data")).body == b"words"
    assert (await anna.client.post(path)).code == 409


@pytest.mark.parametrize("number", ["0", "2", "01", "x", "-1", str(2**63), "1e0"])
@ensureDeferred
async def test_a_version_that_is_not_there_is_not_found(anna: User, number: str) -> None:
    path = f"{path_of(await anna.upload('file'))}/version/{number}"

    answers = [
        await anna.client.get(path),
        await anna.client.get(f"{path}/data"),
        await anna.client.post(path),
    ]

    assert [answer.code for answer in answers] == [404] * 3
    assert {answer.json["description"] for answer in answers} == {f"no such version: {number}"}


@ensureDeferred
async def test_somebody_elses_versions_are_not_found(anna: User, bert: User) -> None:
    path = path_of(await anna.upload("private", b"words"))

    answers = [
        await bert.client.get(f"{path}/versions"),
        await bert.client.get(f"{path}/version/1"),
        await bert.client.get(f"{path}/version/1/data"),
        await bert.client.post(f"{path}/version/1"),
    ]

    assert [answer.code for answer in answers] == [404] * 4


@ensureDeferred
async def test_a_body_that_is_not_asked_for_is_refused(anna: User) -> None:
    path = f"{path_of(await anna.upload('file'))}/version/1"

    known = await anna.client.post(path, {"name": "x"})
    typeless = await anna.client.send("POST", path, b"content")

    assert (known.code, known.json["parameter"], typeless.code) == (400, "name", 415)
