"""Who can't end what acts for somebody: without the password, by another page, or not theirs."""

from __future__ import annotations

from uuid import uuid4

import pytest
import requests

from tests.integration.clients.applications_page import (
    UNKNOWN,
    ends,
    listed,
    names,
    nothing_is_ended,
    opened,
    said,
    tokens_of,
    works,
)
from tests.integration.clients.oauth_app import Application, Browser, Page
from tests.integration.surroundings.people import People
from tests.protocols.http.oauth.html_rules import assert_for_everybody
from tests.servers.stacksync import KnownUser, StackSyncProcess


@pytest.mark.parametrize("email", ["", "nobody@example.org", "\x00", None])
def test_a_wrong_password_and_an_unknown_e_mail_are_told_alike(
    user: KnownUser, server: StackSyncProcess, email: str | None
) -> None:
    typed = user.email if email is None else email

    page = opened(server).then(email=typed, password="wrong", decision="show")

    assert page.answer.status_code == 403
    assert UNKNOWN in page.text
    assert page.title.startswith("Not signed in")
    assert page.inputs["email"] == typed
    assert page.inputs["password"] == ""
    assert "WWW-Authenticate" not in page.answer.headers
    assert_for_everybody(page.answer.text)


def test_to_end_something_takes_the_password_again_and_what_was_ticked_is_kept(
    app: Application, user: KnownUser, server: StackSyncProcess
) -> None:
    token = app.let_in(user)
    page = listed(user, server)

    for wrong in ("", "wrong"):
        refused = ends(page, user, *page.boxes.values(), password=wrong)
        nothing_is_ended(refused, 403, user, server)
        assert UNKNOWN in refused.text
        assert "Photo frame" not in refused.text
        assert "You have ticked 1" in refused.text
        assert refused.ticked == list(page.boxes.values())

    done = refused.then(password=user.password, decision="end")
    assert "Photo frame can no longer act for you." in done.text
    assert not works(app, token)


def test_who_has_ticked_nothing_is_told_at_the_boxes(
    app: Application, user: KnownUser, server: StackSyncProcess
) -> None:
    app.let_in(user)
    page = ends(listed(user, server), user)
    nothing_is_ended(page, 400, user, server)
    assert "Tick what is to be ended." in page.text
    assert page.title.startswith("Nothing was ended")
    assert names(page) == ["Photo frame"]


def test_somebody_elses_token_looks_like_none(
    app: Application, user: KnownUser, people: People, server: StackSyncProcess
) -> None:
    app.let_in(user)
    stranger = people.add()
    app.let_in(stranger)
    page = listed(user, server)
    (mine,) = page.boxes.values()
    (strangers,) = tokens_of(stranger, server)
    told = set()
    for other in (strangers, str(uuid4()), "nonsense", "\x00", mine.upper() + " "):
        refused = ends(page, user, mine, other)
        nothing_is_ended(refused, 404, user, server)
        assert refused.ticked == [mine]
        told.add(refused.text)
    assert len(told) == 1
    assert tokens_of(stranger, server) == [strangers]


def test_what_has_ended_can_not_be_ended_again(
    app: Application, user: KnownUser, server: StackSyncProcess
) -> None:
    app.let_in(user)
    page = listed(user, server)
    assert ends(page, user, *page.boxes.values()).answer.status_code == 200
    again = ends(page, user, *page.boxes.values())
    assert again.answer.status_code == 404
    assert "not there any more" in again.text


@pytest.mark.parametrize(
    ("headers", "fields"),
    [
        ({"Sec-Fetch-Site": "cross-site"}, {}),
        ({"Sec-Fetch-Site": "same-site"}, {}),
        ({"Origin": "https://evil.example.org"}, {}),
        ({"Origin": "null"}, {}),
        ({}, {"confirmation": []}),
        ({}, {"confirmation": ""}),
        ({}, {"confirmation": "x"}),
        ({}, {"confirmation": "\N{LATIN SMALL LETTER A WITH DIAERESIS}"}),
    ],
)
def test_a_form_of_another_page_s_is_refused(
    app: Application,
    user: KnownUser,
    server: StackSyncProcess,
    headers: dict[str, str],
    fields: dict[str, str | list[str]],
) -> None:
    app.let_in(user)
    page = listed(user, server)
    sent = said(user, decision="end", token=list(page.boxes.values()), **fields)
    answer = page.sends(headers=headers, **sent)
    nothing_is_ended(Page(page.browser, answer), 403, user, server)


def test_a_form_without_the_cookie_of_its_page_or_with_another_s_is_refused(
    app: Application, user: KnownUser, server: StackSyncProcess
) -> None:
    app.let_in(user)
    page, other = listed(user, server), opened(server)
    (name,) = page.browser.http.cookies.keys()
    (others,) = other.browser.http.cookies.values()
    page.browser.http.cookies.set(name, others, domain="127.0.0.1", path="/oauth")
    nothing_is_ended(ends(page, user, *page.boxes.values()), 403, user, server)
    page.browser.http.cookies.clear()
    nothing_is_ended(ends(page, user, *page.boxes.values()), 403, user, server)
    # A page on which somebody answers an application proves nothing here.
    asking = page.browser.opens(app.ask().key)
    confirmation = asking.inputs["confirmation"]
    refused = ends(page, user, *page.boxes.values(), confirmation=confirmation)
    nothing_is_ended(refused, 403, user, server)


def test_a_cookie_that_is_none_of_ours_is_replaced(server: StackSyncProcess) -> None:
    browser = Browser(server)
    browser.opens_applications()
    (name,) = browser.http.cookies.keys()
    for value in ("x" * 31, "x" * 33, f"{'x' * 31};", ""):
        answer = requests.get(
            f"{server.http_url}/oauth/applications",
            headers={"Cookie": f"{name}={value}"},
            timeout=30,
        )
        assert len(answer.cookies[name]) == 32
        assert not answer.cookies[name].startswith("xxx")


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"decision": "perhaps"}, 400),
        ({"decision": []}, 400),
        ({"more": "x"}, 400),
        ({"email": ["a", "b"]}, 400),
        ({"decision": ["show", "end"]}, 400),
        ({"token": ["a", "a"]}, 400),
        ({"email": "\x00" * 20000}, 413),
    ],
)
def test_what_is_no_form_of_ours_is_refused(
    user: KnownUser, server: StackSyncProcess, fields: dict[str, str | list[str]], code: int
) -> None:
    page = opened(server).then(**said(user) | fields)
    assert page.answer.status_code == code
    assert ("a", {"href": "applications"}) in page.tags
    assert_for_everybody(page.answer.text)


def test_a_body_that_is_no_form_is_refused(server: StackSyncProcess) -> None:
    page = opened(server)
    for headers in ({"Content-Type": "text/plain"}, {"Content-Encoding": "gzip"}):
        answer = page.sends(headers={"Sec-Fetch-Site": "same-origin", **headers})
        assert answer.status_code == 415
        assert_for_everybody(answer.text)
    url = f"{server.http_url}/oauth/applications"
    wrong = page.browser.http.delete(url)
    assert (wrong.status_code, wrong.headers["Allow"]) == (405, "GET, HEAD, POST")
    assert_for_everybody(wrong.text)
    broken = page.browser.http.post(
        url, b"email=%ff", headers={"Content-Type": "application/x-www-form-urlencoded"}
    )
    assert broken.status_code == 400
    assert "UTF-8" in broken.text


def test_passwords_are_typed_where_nobody_listens(
    user: KnownUser, server: StackSyncProcess
) -> None:
    page = opened(server)
    passed_on = {"X-Forwarded-For": "192.0.2.7"}
    url = f"{server.http_url}/oauth/applications"
    for answer in (
        page.browser.http.get(url, headers=passed_on),
        page.sends(headers=passed_on, **said(user)),
    ):
        assert answer.status_code == 403
        assert "TLS" in answer.text
        assert "<input" not in answer.text
