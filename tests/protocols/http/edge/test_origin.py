"""A web page of somebody else's can't write with the user's credentials."""

from __future__ import annotations

import pytest
from pytest_twisted import ensureDeferred

from tests.protocols.http.conftest import User, path_of

PLAIN = {"Content-Type": "text/plain"}

foreign = pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1:1"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "cross-site", "Origin": "http://{host}"},
    ],
)


def told(headers: dict[str, str], user: User) -> dict[str, str]:
    host = f"127.0.0.1:{user.client.port}"
    return {name: value.format(host=host) for name, value in headers.items()}


@foreign
@ensureDeferred
async def test_what_a_foreign_page_sends_is_not_done(anna: User, headers: dict[str, str]) -> None:
    file = await anna.replace(await anna.upload("file", b"old"), b"new")
    gone = await anna.upload("gone")
    await anna.delete(gone)
    headers = told(headers, anna)

    answers = [
        await anna.client.request(
            "POST", "/api/file?name=x", body=b"virus", headers=PLAIN | headers
        ),
        await anna.client.post(f"{path_of(file)}/version/1", headers=headers),
        await anna.client.post(f"{path_of(gone)}/restore", headers=headers),
    ]

    assert [answer.code for answer in answers] == [403] * 3
    assert (await anna.client.get("/api/folder/0/contents")).json["contents"] == [file]


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://{host}"},
        {"Origin": "HTTPS://{host}"},
        {"Sec-Fetch-Site": "same-origin", "Origin": "https://cloud.example"},
        {"Sec-Fetch-Site": "none"},
    ],
)
@ensureDeferred
async def test_what_our_own_page_sends_is_done(anna: User, headers: dict[str, str]) -> None:
    headers = PLAIN | told(headers, anna)

    answer = await anna.client.request("POST", "/api/file?name=x", body=b"x", headers=headers)

    assert answer.code == 201


@foreign
@ensureDeferred
async def test_reading_is_not_its_business(anna: User, headers: dict[str, str]) -> None:
    file = await anna.upload("file", b"words")

    answer = await anna.client.get(f"{path_of(file)}/data", headers=told(headers, anna))

    assert answer.body == b"words"
