"""People see what can act for them, and end it, with a browser and their password."""

from __future__ import annotations

import pytest

from tests.db.observation import Psql
from tests.integration.clients.applications_page import (
    ends,
    listed,
    names,
    opened,
    said,
    tokens_of,
    works,
)
from tests.integration.clients.oauth_app import NASTY, Application, Browser, new_application
from tests.integration.clients.token_holder import TokenHolder
from tests.protocols.http.oauth.html_rules import assert_for_everybody
from tests.servers.stacksync import KnownUser, StackSyncProcess


@pytest.fixture(scope="module")
def clock(server: StackSyncProcess) -> Application:
    return new_application(server, None, NASTY)


def test_a_person_sees_what_can_act_for_them_oldest_first(
    app: Application, clock: Application, user: KnownUser, server: StackSyncProcess
) -> None:
    app.let_in(user, "read-only")
    clock.let_in(user)
    TokenHolder(server, user, name="laptop", expires_in=3600)
    app.let_in(user)

    page = listed(user, server)

    assert names(page) == ["Photo frame", NASTY, "Photo frame", "laptop"]
    assert page.text.count("change nothing") == 1
    assert page.text.count("Until you end it.") == 3, "the laptop's has an end"
    assert page.inputs["email"] == user.email
    assert page.inputs["password"] == ""
    assert sorted(page.boxes.values()) == sorted(tokens_of(user, server))
    assert "script" not in [name for name, _ in page.tags]
    assert_for_everybody(page.answer.text)


def test_what_a_person_ends_ends_at_once_and_is_told(
    app: Application, user: KnownUser, server: StackSyncProcess, psql: Psql
) -> None:
    first, second = app.let_in(user), app.let_in(user)
    laptop = TokenHolder(server, user)
    page = listed(user, server)
    older, newer = tokens_of(user, server)[:2]

    done = ends(page, user, older)

    assert done.answer.status_code == 200
    assert done.title.startswith("Access has ended")
    assert "Photo frame can no longer act for you." in done.text
    assert list(done.boxes.values()) == [newer, laptop.told["id"]]
    assert not works(app, first)
    assert works(app, second)
    assert laptop.status() == 200
    (told,) = psql.rows(
        "SELECT address, sign_in, detail->>'token_id' FROM audit_event"
        " WHERE account_id = %s AND kind = 'token-revoked'",
        str(user.id),
    )
    assert told == ("127.0.0.1", "password", older)

    done = ends(done, user, newer, laptop.told["id"])

    assert "laptop is signed out." in done.text
    assert not done.boxes
    assert not works(app, second)
    assert laptop.status() == 401


def test_there_may_be_nothing_to_end(user: KnownUser, server: StackSyncProcess) -> None:
    page = listed(user, server)
    assert "No application can act for you" in page.text
    assert not page.boxes
    assert not page.action


def test_two_tabs_of_one_browser_do_not_meet(user: KnownUser, server: StackSyncProcess) -> None:
    browser = Browser(server)
    one, two = browser.opens_applications(), browser.opens_applications()
    for page in (one, two):
        assert page.then(**said(user)).answer.status_code == 200


def test_nobody_frames_or_keeps_any_of_the_pages_and_they_tell_no_secret(
    app: Application, user: KnownUser, server: StackSyncProcess
) -> None:
    token = app.let_in(user)
    laptop = TokenHolder(server, user)
    asked = opened(server)
    shown = asked.then(**said(user))
    refused = shown.then(**said(user, password="wrong", decision="end"))
    done = ends(shown, user, laptop.told["id"])
    unclear = shown.then(**said(user, decision="perhaps"))
    for page in (asked, shown, refused, done, unclear):
        headers = page.answer.headers
        policy = headers["Content-Security-Policy"]
        for rule in ("default-src 'none'", "frame-ancestors 'none'", "form-action 'self';"):
            assert rule in policy
        assert "unsafe" not in policy
        assert headers["Content-Type"] == "text/html; charset=utf-8"
        assert headers["X-Frame-Options"] == "DENY"
        assert headers["Cache-Control"] == "no-store"
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert "Location" not in headers
        if page is not unclear:
            assert headers["Referrer-Policy"] == "same-origin"
            assert "HttpOnly; SameSite=Strict" in headers["Set-Cookie"]
        for secret in (user.password, token.key, token.secret, laptop.told["token"], 'wrong"'):
            assert secret not in page.answer.text
            assert secret not in str(headers)
    assert page.browser.http.head(f"{server.http_url}/oauth/applications").status_code == 200
