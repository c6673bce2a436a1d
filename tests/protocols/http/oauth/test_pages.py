"""The pages say in people's words who asks and for what, whoever has chosen the words."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from attrs import evolve

from stacksync.model import Asked, RequestToken, Scope
from stacksync.protocols.http.oauth import pages
from tests.protocols.http.oauth.html_rules import assert_for_everybody

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
NASTY = "\"'><script>&"
ASKED = Asked(
    RequestToken(
        key="token",
        consumer_key="consumer",
        callback="https://app.example.org/done?state=1",
        scope=Scope.SYNC,
        account_id=None,
        is_denied=False,
        created_at=NOW,
        expires_at=NOW,
        secret="secret",
    ),
    "Photo frame",
)


@pytest.mark.parametrize(
    ("callback", "place"),
    [
        ("https://app.example.org/done?state=1", "https://app.example.org"),
        ("http://localhost:5000/x", "http://localhost:5000"),
        ("org.example.app:/done", "org.example.app:"),
        ("oob", None),
    ],
)
def test_a_person_is_told_where_the_way_leads(callback: str, place: str | None) -> None:
    assert pages.place_of(callback) == place
    asked = evolve(ASKED, token=evolve(ASKED.token, callback=callback))
    assert (place or "a code") in pages.question(asked, "c").decode()


@pytest.mark.parametrize("scope", Scope)
def test_every_scope_has_words(scope: Scope) -> None:
    asked = evolve(ASKED, token=evolve(ASKED.token, scope=scope))
    assert pages.MAY_NOT[scope] in pages.question(asked, "c").decode()


def test_whatever_comes_from_elsewhere_is_escaped() -> None:
    asked = evolve(ASKED, application=NASTY, token=evolve(ASKED.token, key=NASTY, callback=NASTY))
    for page in (
        pages.question(asked, NASTY, email=NASTY, problem=NASTY),
        pages.verifier_page(asked, NASTY),
        pages.denied_page(asked),
        pages.leaving_page(asked, NASTY),
        pages.problem_page(NASTY, NASTY, is_over=True),
    ):
        assert b"<script" not in page
        assert b"'><" not in page
        assert b'"><s' not in page


@pytest.mark.parametrize(
    "page",
    [
        pages.question(ASKED, "c"),
        pages.question(ASKED, "c", email="anna@example.org", problem="wrong"),
        pages.verifier_page(ASKED, "abc"),
        pages.denied_page(ASKED),
        pages.leaving_page(ASKED, "https://app.example.org/done"),
        pages.problem_page("This did not work", "it is away", is_over=True),
    ],
    ids=["question", "not signed in", "verifier", "denied", "leaving", "problem"],
)
def test_everybody_can_use_the_page(page: bytes) -> None:
    assert_for_everybody(page.decode())


def test_no_secret_is_shown() -> None:
    assert b"secret" not in pages.question(ASKED, "c")


def test_a_problem_is_a_sentence() -> None:
    assert pages.sentence("wrong password") == "Wrong password."
    assert pages.sentence("Really?") == "Really?"
