"""The page on which people see and end what can act for them, as they use it."""

from __future__ import annotations

from tests.integration.clients.oauth_app import Application, Browser, Key, Page
from tests.integration.clients.token_holder import owner
from tests.protocols.http.oauth.html_rules import assert_for_everybody
from tests.servers.stacksync import KnownUser, StackSyncProcess

UNKNOWN = "Unknown e-mail or wrong password."


def opened(server: StackSyncProcess) -> Page:
    return Browser(server).opens_applications()


def said(user: KnownUser, **more: str | list[str]) -> dict[str, str | list[str]]:
    return {"email": user.email, "password": user.password, "decision": "show", **more}


def listed(user: KnownUser, server: StackSyncProcess) -> Page:
    """The list, for whoever has signed in."""
    page = opened(server).then(**said(user))
    assert page.answer.status_code == 200, page.text
    return page


def ends(page: Page, user: KnownUser, *ticked: str, **more: str | list[str]) -> Page:
    """What comes of ticking these, by their ids, and of typing the password."""
    return page.then(**said(user, decision="end", token=list(ticked), **more))


def names(page: Page) -> list[str]:
    """What there is to be ticked."""
    return [page.labels[box] for box in page.boxes]


def tokens_of(user: KnownUser, server: StackSyncProcess) -> list[str]:
    """Their ids, as the API tells them."""
    return [each["id"] for each in owner(server, user, "GET", "/tokens").json()["tokens"]]


def works(app: Application, token: Key) -> bool:
    return app.session(token).get(app.url("/api/account")).status_code == 200


def nothing_is_ended(page: Page, code: int, user: KnownUser, server: StackSyncProcess) -> None:
    """The answer is a page with this code that says why, and all tokens are still there."""
    assert page.answer.status_code == code, page.text
    (alert,) = [marks for _, marks in page.tags if marks.get("role") == "alert"]
    assert "autofocus" in alert
    assert_for_everybody(page.answer.text)
    assert "no longer" not in page.text
    assert len(tokens_of(user, server)) == 1
