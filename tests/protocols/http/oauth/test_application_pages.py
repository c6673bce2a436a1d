"""The pages on what can act for somebody: for everybody to use, whatever the names are."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from uuid import UUID

import pytest
from attrs import evolve

from stacksync.model import Scope, Token
from stacksync.protocols.http.oauth import application_pages as pages
from tests.protocols.http.oauth.html_rules import assert_for_everybody

NOW = datetime(2026, 11, 9, 8, 5, tzinfo=UTC)
NASTY = "\"'><script>&"
EMAIL = "anna@example.org"
PHOTOS = Token(
    id=UUID("00000000-0000-4000-8000-000000000001"),
    account_id=UUID("00000000-0000-4000-8000-00000000000a"),
    name="as it was allowed",
    scope=Scope.READ_ONLY,
    device_id=None,
    consumer_key="consumer",
    application="Photo frame",
    created_at=NOW,
    expires_at=None,
    used_at=None,
)
LAPTOP = evolve(
    PHOTOS,
    id=UUID("00000000-0000-4000-8000-000000000002"),
    name="laptop",
    scope=Scope.SYNC,
    device_id=UUID("00000000-0000-4000-8000-0000000000d1"),
    consumer_key=None,
    application=None,
    expires_at=NOW + timedelta(days=30),
    used_at=NOW + timedelta(days=1),
)
BOTH = (LAPTOP, PHOTOS)
NAUGHTY = (evolve(LAPTOP, name=NASTY), evolve(PHOTOS, application=NASTY))

PAGES = {
    "sign in": pages.sign_in_page("c"),
    "not signed in": pages.sign_in_page("c", email=EMAIL, problem="wrong"),
    "ticked and not signed in": pages.sign_in_page("c", problem="wrong", chosen=[str(PHOTOS.id)]),
    "list": pages.list_page("c", EMAIL, BOTH),
    "empty list": pages.list_page("c", EMAIL, ()),
    "applications alone": pages.list_page("c", EMAIL, (PHOTOS,)),
    "nothing ticked": pages.list_page("c", EMAIL, BOTH, problem="tick one"),
    "gone": pages.list_page("c", EMAIL, BOTH, problem="gone", chosen={str(PHOTOS.id), "x"}),
    "ended": pages.list_page("c", EMAIL, (LAPTOP,), ended=(PHOTOS,)),
    "all ended": pages.list_page("c", EMAIL, (), ended=BOTH),
    "problem": pages.problem_page("This did not work", "it is away"),
    "nasty sign in": pages.sign_in_page(NASTY, email=NASTY, problem=NASTY, chosen=[NASTY]),
    "nasty list": pages.list_page(NASTY, NASTY, NAUGHTY, problem=NASTY),
    "nasty ends": pages.list_page(NASTY, NASTY, NAUGHTY, ended=NAUGHTY),
    "nasty problem": pages.problem_page(NASTY, NASTY),
}


@pytest.mark.parametrize("name", PAGES)
def test_everybody_can_use_the_page(name: str) -> None:
    assert_for_everybody(PAGES[name].decode())


def test_each_is_shown_with_what_one_has_to_know() -> None:
    told = PAGES["list"].decode()
    frame, laptop = told.index("Photo frame"), told.index(">laptop<")
    assert frame < laptop, "applications come first"
    assert told.index("<legend>Applications") < frame < told.index("<legend>Devices") < laptop
    assert "as it was allowed" not in told
    assert "Since <time" in told[frame:laptop]
    assert "change nothing" in told[frame:laptop]
    assert "Until you end it." in told[frame:laptop]
    assert "Last seen" not in told[frame:laptop]
    assert "see, change and share" in told[laptop:]
    assert ">9 December 2026, 08:05 UTC<" in told[laptop:]
    assert 'Last seen <time datetime="2026-11-10T08:05Z">' in told[laptop:]


def test_a_time_is_told_in_one_zone() -> None:
    east = timezone(timedelta(hours=9))
    assert pages.instant(NOW.astimezone(east)) == pages.instant(NOW)


@pytest.mark.parametrize("scope", Scope)
def test_every_scope_has_words(scope: Scope) -> None:
    assert pages.MAY[scope] in pages.about(evolve(PHOTOS, scope=scope))


def test_who_has_ticked_nothing_is_told_so_at_each_box() -> None:
    boxes = [
        marks
        for marks in assert_for_everybody(PAGES["nothing ticked"].decode()).all("input")
        if marks["type"] == "checkbox"
    ]
    assert [marks["aria-describedby"] for marks in boxes] == ["about-2 problem", "about-1 problem"]


def test_what_was_ticked_stays_so() -> None:
    read = assert_for_everybody(PAGES["gone"].decode())
    ticked = [marks["value"] for marks in read.all("input") if "checked" in marks]
    assert ticked == [str(PHOTOS.id)]
    kept = assert_for_everybody(PAGES["ticked and not signed in"].decode()).all("input")
    assert [marks["value"] for marks in kept if marks["name"] == "token"] == [str(PHOTOS.id)]


def test_the_end_is_told_in_words() -> None:
    told = PAGES["all ended"].decode()
    assert "<li>laptop is signed out.</li>" in told
    assert "<li>Photo frame can no longer act for you.</li>" in told
    assert "<form" not in told, "there is nothing left to be ended"


@pytest.mark.parametrize("name", [name for name in PAGES if name.startswith("nasty")])
def test_whatever_comes_from_elsewhere_is_escaped(name: str) -> None:
    page = PAGES[name]
    assert b"<script" not in page
    assert b"'><" not in page
    assert b'"><s' not in page
