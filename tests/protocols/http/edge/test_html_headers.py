"""What browsers are told of our HTML pages, and of all other answers."""

from __future__ import annotations

import pytest
from pytest_twisted import ensureDeferred

from stacksync.protocols.http.edge.html_headers import html_headers
from tests.protocols.http.client import Client
from tests.protocols.http.conftest import Server, User

SCHEMES = {"https:", "xy:"}
"""Sources that stand for no site, and let nothing run."""


def policy(*targets: str) -> str:
    return dict(html_headers(targets))[b"Content-Security-Policy"].decode()


def test_a_page_loads_only_our_style_sheet_and_is_neither_framed_nor_kept() -> None:
    headers = dict(html_headers())

    assert policy() == (
        "default-src 'none'; style-src 'self'; form-action 'self';"
        " frame-ancestors 'none'; base-uri 'none'"
    )
    assert headers[b"X-Frame-Options"] == b"DENY"
    assert headers[b"X-Content-Type-Options"] == b"nosniff"
    assert headers[b"Referrer-Policy"] == b"no-referrer"
    assert headers[b"Cache-Control"] == b"no-store"
    assert headers[b"Content-Type"] == b"text/html; charset=utf-8"


@pytest.mark.parametrize(
    ("target", "source"),
    [
        ("https://app.example.org/back?verifier=1", "https://app.example.org"),
        ("https://App.Example.org:8443/", "https://app.example.org:8443"),
        ("http://user:secret@localhost:1/x", "http://localhost:1"),
        ("org.example.app:/back", "org.example.app:"),
        ("http://[::1]:80/", "http:"),
    ],
)
def test_a_form_may_lead_to_a_site_that_is_named(target: str, source: str) -> None:
    assert f"form-action 'self' {source};" in policy(target)


@pytest.mark.parametrize(
    "target",
    ["", "oob", "//host", "https://a b/", "https://x; script-src *", "x\r\ny:z", "http://["],
)
def test_what_is_no_site_does_not_get_into_the_policy(target: str) -> None:
    assert set(policy(target).split("form-action 'self'")[1].split(";")[0].split()) <= SCHEMES
    assert "script-src" not in policy(target)


def test_a_site_is_named_once() -> None:
    assert policy("https://a.org/1", "https://a.org/2").count("https://a.org") == 1


@pytest.mark.parametrize("path", ["/healthz", "/api/account", "/nowhere", "/api/openapi.json"])
@ensureDeferred
async def test_no_answer_is_taken_for_what_it_does_not_say(server: Server, path: str) -> None:
    answer = await Client(server.port).get(path)

    assert answer.header("X-Content-Type-Options") == "nosniff"
    assert answer.header("Strict-Transport-Security") is None
    assert answer.header("Access-Control-Allow-Origin") is answer.header("Vary") is None


@ensureDeferred
async def test_nothing_that_users_keep_runs_as_a_page_of_this_site(anna: User) -> None:
    file = await anna.upload("page.html", b"<script>alert(1)</script>")
    answer = await anna.client.get(f"/api/file/{file['id']}/data")

    assert answer.code == 200
    assert answer.header("X-Content-Type-Options") == "nosniff"
    assert "sandbox" in (answer.header("Content-Security-Policy") or "")
    assert (answer.header("Content-Disposition") or "").startswith("attachment")


@ensureDeferred
async def test_an_event_stream_says_so_as_well(anna: User) -> None:
    stream = await anna.client.events()
    head = await stream.until(b"\r\n\r\n")
    stream.hang_up()

    assert b"X-Content-Type-Options: nosniff" in head
    assert b"Cache-Control: no-store" in head
