"""The page on which a person says yes or no: what it shows, and what it takes from whom."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

import pytest
import requests

from tests.integration.clients.oauth_app import (
    CALLBACK,
    NASTY,
    Application,
    Browser,
    Page,
    new_application,
)
from tests.integration.surroundings.people import People
from tests.servers.stacksync import KnownUser, StackSyncProcess


@pytest.fixture(scope="module")
def app(server: StackSyncProcess) -> Application:
    return new_application(server, f"{CALLBACK}?here=1")


@pytest.fixture(scope="module")
def desk(server: StackSyncProcess) -> Application:
    """One whose name makes trouble, and that shows people a field for the verifier."""
    return new_application(server, None, NASTY)


def opened(app: Application, **asked: str) -> Page:
    return Browser(app.server).opens(app.ask(**asked).key)


def said(user: KnownUser, decision: str = "allow") -> dict[str, str]:
    return {"email": user.email, "password": user.password, "decision": decision}


def nobody_is_let_in(page: Page, answer: requests.Response, code: int) -> None:
    """The answer has this code and says why, and the question is still open."""
    assert answer.status_code == code, answer.text
    assert "Location" not in answer.headers
    assert "verifier" not in answer.text
    told = Page(page.browser, answer)
    (alert,) = [marks for _, marks in told.tags if marks.get("role") == "alert"]
    assert "autofocus" in alert
    assert "tabindex" in alert
    assert page.browser.gets(page.inputs["oauth_token"]).status_code == 200


def test_the_page_says_who_asks_for_what_and_where_one_goes(app: Application) -> None:
    page = opened(app)
    assert page.answer.status_code == 200
    assert page.title.startswith("Photo frame asks for access")
    for told in ("Photo frame", "change, move and delete", "share", "https://app.example.org"):
        assert told in page.text
    assert ("a", {"href": "applications"}) in page.tags, "where one can end it"


def test_the_page_is_for_everybody_and_without_script(app: Application) -> None:
    page = opened(app)
    tags = dict(page.tags)
    assert tags["html"]["lang"] == "en"
    assert tags.keys() >= {"title", "h1", "main", "label"}
    assert tags.keys().isdisjoint({"script", "style", "iframe", "img"})
    labelled = {marks["for"] for name, marks in page.tags if name == "label"}
    seen = {m["id"]: m for n, m in page.tags if n == "input" and m.get("type") != "hidden"}
    assert labelled == set(seen) == {"email", "password"}
    assert seen["email"]["autocomplete"] == "username"
    assert seen["password"]["autocomplete"] == "current-password"
    assert not [marks for _, marks in page.tags if any(name.startswith("on") for name in marks)]
    style = page.browser.http.get(f"{page.browser.server.http_url}/oauth/{tags['link']['href']}")
    assert style.headers["Content-Type"].startswith("text/css")
    assert "color-scheme: light dark" in style.text
    assert ":focus-visible" in style.text


def test_nobody_frames_or_keeps_the_page_or_hears_where_one_was(app: Application) -> None:
    headers = opened(app).answer.headers
    policy = headers["Content-Security-Policy"]
    assert "frame-ancestors 'none'" in policy
    assert "default-src 'none'" in policy
    assert "form-action 'self' https://app.example.org;" in policy
    assert "unsafe" not in policy
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["Cache-Control"] == "no-store"
    assert headers["Referrer-Policy"] == "same-origin"
    cookie = headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Strict" in cookie


def test_a_name_that_makes_trouble_is_shown_as_it_is(desk: Application, user: KnownUser) -> None:
    page = opened(desk)
    assert NASTY in page.text
    assert "script" not in [name for name, _ in page.tags]
    done = Page(page.browser, page.sends(**said(user)))
    assert NASTY in done.text
    assert "script" not in [name for name, _ in done.tags]


def test_what_was_typed_is_shown_as_it_is(desk: Application) -> None:
    page = opened(desk)
    answer = page.sends(email=f"{NASTY}@x", password="x", decision="allow")
    nobody_is_let_in(page, answer, 403)
    again = Page(page.browser, answer)
    assert again.inputs["email"] == f"{NASTY}@x"
    assert again.inputs["password"] == ""


def test_yes_leads_back_with_the_verifier_and_no_referrer(
    app: Application, user: KnownUser
) -> None:
    page = opened(app)
    answer = page.sends(**said(user))
    assert answer.status_code == 303
    where = urlsplit(answer.headers["Location"])
    assert f"{where.scheme}://{where.netloc}{where.path}" == CALLBACK
    assert parse_qs(where.query).keys() == {"here", "oauth_token", "oauth_verifier"}
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert answer.headers["Cache-Control"] == "no-store"


def test_no_takes_no_password_and_leads_back_without_a_verifier(app: Application) -> None:
    page = opened(app)
    answer = page.sends(decision="deny")
    query = parse_qs(urlsplit(answer.headers["Location"]).query)
    assert query["oauth_problem"] == ["permission_denied"]
    assert "oauth_verifier" not in query


def test_no_is_a_page_where_there_is_nowhere_to_go(desk: Application) -> None:
    answer = opened(desk).sends(decision="deny")
    assert answer.status_code == 200
    assert "was not let in" in answer.text


def test_what_was_answered_can_not_be_answered_again(app: Application, people: People) -> None:
    for answer in (said(people.add()), {"decision": "deny"}):
        page = opened(app)
        assert page.sends(**answer).status_code == 303
        for again in (said(people.add()), {"decision": "deny"}):
            assert page.sends(**again).status_code == 409
        assert page.browser.gets(page.inputs["oauth_token"]).status_code == 409


def test_a_form_of_another_site_s_is_refused(app: Application, user: KnownUser) -> None:
    page = opened(app)
    for headers in (
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "https://evil.example.org"},
        {"Origin": "null"},
    ):
        nobody_is_let_in(page, page.sends(headers=headers, **said(user)), 403)


def test_a_form_without_the_page_s_cookie_or_with_another_s_is_refused(
    app: Application, user: KnownUser
) -> None:
    page, other = opened(app), opened(app)
    (name,) = page.browser.http.cookies.keys()
    for confirmation in ("", "x", "ä", other.inputs["confirmation"]):
        answer = page.sends(**said(user), confirmation=confirmation)
        nobody_is_let_in(page, answer, 403)
    # The cookie of a page about another request proves nothing either.
    page.browser.http.cookies.clear()
    page.browser.http.cookies.update(other.browser.http.cookies)
    answer = page.sends(**said(user), confirmation=other.inputs["confirmation"])
    nobody_is_let_in(page, answer, 403)
    # Nor does it under the name of this one's.
    (value,) = other.browser.http.cookies.values()
    page.browser.http.cookies.clear()
    page.browser.http.cookies.set(name, value)
    answer = page.sends(**said(user), confirmation=other.inputs["confirmation"])
    nobody_is_let_in(page, answer, 403)
    page.browser.http.cookies.clear()
    nobody_is_let_in(page, page.sends(**said(user)), 403)


def test_two_pages_in_one_browser_do_not_meet(app: Application, user: KnownUser) -> None:
    browser = Browser(app.server)
    one, two = browser.opens(app.ask().key), browser.opens(app.ask().key)
    assert one.sends(**said(user)).status_code == 303
    assert two.sends(**said(user)).status_code == 303


@pytest.mark.parametrize("email", ["", "nobody@example.org", None])
def test_a_wrong_password_and_an_unknown_e_mail_are_told_alike(
    app: Application, user: KnownUser, email: str | None
) -> None:
    page = opened(app)
    typed = user.email if email is None else email
    answer = page.sends(email=typed, password="wrong", decision="allow")
    nobody_is_let_in(page, answer, 403)
    assert "Unknown e-mail or wrong password." in answer.text
    assert "WWW-Authenticate" not in answer.headers


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"decision": "perhaps"}, 400),
        ({"more": "x"}, 400),
        ({"email": ["a", "b"]}, 400),
        ({"oauth_token": ""}, 404),
        ({"email": "\x00" * 20000}, 413),
    ],
)
def test_what_is_no_form_of_ours_is_refused(
    app: Application, fields: dict[str, str | list[str]], code: int
) -> None:
    nobody_reads_json(opened(app).sends(**fields), code)


def test_what_is_not_even_a_form_is_refused(app: Application) -> None:
    headers = {"Sec-Fetch-Site": "same-origin", "Content-Type": "text/plain"}
    nobody_reads_json(opened(app).sends(headers=headers), 415)


def nobody_reads_json(answer: requests.Response, code: int) -> None:
    assert answer.status_code == code
    assert answer.headers["Content-Type"].startswith("text/html")


def test_nobody_has_asked(server: StackSyncProcess) -> None:
    for key in ("nobodys", "", "x" * 500, "\x00"):
        answer = Browser(server).gets(key)
        assert answer.status_code == 404, key
        assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]
    assert requests.get(f"{server.http_url}/oauth/authorize", timeout=30).status_code == 400
