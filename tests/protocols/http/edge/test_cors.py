"""Web pages of other origins: those that the settings name may use the API, no others."""

from __future__ import annotations

import pytest
from pytest_twisted import ensureDeferred

from stacksync.config import HttpConfig
from tests.protocols.http.builders import NOBODYS
from tests.protocols.http.client import Client, Response
from tests.protocols.http.conftest import Server, User

PAGE = "https://app.example.org"
STRANGER = "https://evil.example"


@pytest.fixture
def settings() -> HttpConfig:
    return HttpConfig(cors_origins=(PAGE, "http://localhost:3000"))


def names(answer: Response, header: str) -> set[str]:
    return {name.strip() for name in (answer.header(header) or "").split(",")}


async def ask(server: Server, method: str, path: str, origin: str, wanted: str = "") -> Response:
    """What a browser asks before it sends what a form could not."""
    return await Client(server.port).request(
        method,
        path,
        headers={
            "Origin": origin,
            "Access-Control-Request-Method": "PUT",
            "Access-Control-Request-Headers": wanted,
        },
    )


@pytest.mark.parametrize(
    ("path", "methods"),
    [
        ("/api/account", {"GET", "HEAD"}),
        ("/api/folder", {"POST"}),
        (f"/api/uploads/{NOBODYS}", {"HEAD", "PATCH", "DELETE", "OPTIONS"}),
        ("/healthz", {"GET", "HEAD"}),
    ],
)
@ensureDeferred
async def test_a_page_is_told_beforehand_what_it_may_send(
    server: Server, path: str, methods: set[str]
) -> None:
    answer = await ask(server, "OPTIONS", path, PAGE)

    assert (answer.code, answer.body) == (204, b"")
    assert answer.header("Access-Control-Allow-Origin") == PAGE
    assert methods <= names(answer, "Access-Control-Allow-Methods")
    assert {"Authorization", "Content-Type", "If-Match", "Upload-Offset", "Tus-Resumable"} <= names(
        answer, "Access-Control-Allow-Headers"
    )
    assert {"StackSync-Device", "Idempotency-Key"} <= names(answer, "Access-Control-Allow-Headers")
    assert answer.header("Vary") == "Origin"
    assert answer.header("Access-Control-Allow-Credentials") is None


@ensureDeferred
async def test_a_page_reads_the_answers_that_are_meant_for_it(server: Server, anna: User) -> None:
    answer = await anna.client.get("/api/account", headers={"Origin": PAGE})
    refused = await Client(server.port).get("/api/account", headers={"Origin": PAGE})

    assert (answer.code, refused.code) == (200, 401)
    for each in (answer, refused):
        assert each.header("Access-Control-Allow-Origin") == PAGE
        assert {"ETag", "Location", "Content-Range", "Upload-Offset"} <= names(
            each, "Access-Control-Expose-Headers"
        )
        assert each.header("Vary") == "Origin"


@ensureDeferred
async def test_a_page_may_write(anna: User) -> None:
    headers = {"Origin": PAGE, "Sec-Fetch-Site": "cross-site", "Content-Type": "text/plain"}
    answer = await anna.client.request("POST", "/api/file?name=x", body=b"y", headers=headers)

    assert answer.code == 201
    assert answer.header("Access-Control-Allow-Origin") == PAGE


@ensureDeferred
async def test_a_page_hears_events(anna: User) -> None:
    stream = await anna.client.raw()
    stream.send(
        "GET /api/events HTTP/1.1\r\nHost: x\r\n"
        f"Origin: {PAGE}\r\n{anna.client.authorization_line}\r\n"
    )
    head = await stream.until(b"\r\n\r\n")
    stream.hang_up()

    assert f"Access-Control-Allow-Origin: {PAGE}".encode() in head


@pytest.mark.parametrize("origin", [STRANGER, "null", PAGE + ".evil.example", PAGE + ":8443"])
@ensureDeferred
async def test_other_pages_are_told_nothing(server: Server, anna: User, origin: str) -> None:
    before = await ask(server, "OPTIONS", "/api/account", origin)
    answer = await anna.client.get("/api/account", headers={"Origin": origin})

    assert before.code == 405
    assert answer.code == 200
    for each in (before, answer):
        assert each.header("Access-Control-Allow-Origin") is None
        # Or a cache would hand this to a page that may.
        assert each.header("Vary") == "Origin"


@ensureDeferred
async def test_what_does_not_exist_is_not_there_for_pages_either(server: Server) -> None:
    answer = await ask(server, "OPTIONS", "/api/nowhere", PAGE)

    assert answer.code == 404


class TestWithoutSettings:
    """No page of another origin may do anything."""

    @pytest.fixture
    def settings(self) -> HttpConfig:
        return HttpConfig()

    @ensureDeferred
    async def test_nothing_is_said_at_all(self, server: Server, anna: User) -> None:
        before = await ask(server, "OPTIONS", "/api/account", PAGE)
        answer = await anna.client.get("/api/account", headers={"Origin": PAGE})
        tus = await ask(server, "OPTIONS", "/api/uploads", PAGE)

        assert (before.code, answer.code, tus.code) == (405, 200, 204)
        for each in (before, answer, tus):
            told = {name.lower() for name, _ in each.headers.getAllRawHeaders()}
            assert not any(name.startswith(b"access-control-") for name in told)
            assert b"vary" not in told
