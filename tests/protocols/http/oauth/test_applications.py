"""``/oauth/applications`` where guessers are about, or a part of the server is away."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from attrs import define
from pytest_twisted import ensureDeferred
from twisted.internet import reactor
from zope.interface import implementer

from stacksync.config import HttpConfig
from stacksync.errors import NotAuthenticated, TooManyRequests, Unavailable
from stacksync.interfaces import IAuthenticator
from stacksync.model import Principal, SignIn
from stacksync.protocols.http.oauth.application_pages import TITLE
from stacksync.protocols.http.site import ApiSite, make_site
from tests.protocols.http.client import Client, Response
from tests.protocols.http.engines import ANNA, MadeUpEngine, Noun, raising, returning
from tests.protocols.http.oauth.html_rules import assert_for_everybody
from tests.protocols.http.oauth.test_application_pages import PHOTOS

PATH = "/oauth/applications"
TICKED = f"decision=end&token={PHOTOS.id}"
Listen = Callable[[ApiSite], Awaitable[int]]


@implementer(IAuthenticator)
@define
class Doorkeeper:
    """Lets in, unless there is a problem."""

    problem: Exception | None = None

    async def authenticate(self, email: str, password: str, address: str) -> Principal:
        if self.problem is not None:
            raise self.problem
        return Principal(ANNA, SignIn.PASSWORD)


async def sent(listening: Listen, tokens: Noun, problem: Exception | None, form: str) -> Response:
    """What the form of the page is answered."""
    engine: Any = MadeUpEngine(tokens=tokens)
    site = make_site(reactor, engine, Doorkeeper(problem), [], HttpConfig())  # type: ignore[arg-type]
    client = Client(await listening(site))
    page = await client.get(PATH)
    fields = assert_for_everybody(page.body.decode()).all("input")
    (confirmation,) = [marks["value"] for marks in fields if marks["name"] == "confirmation"]
    cookie = str(page.header("Set-Cookie")).partition(";")[0]
    return await client.request(
        "POST",
        PATH,
        body=f"confirmation={confirmation}&{form}".encode(),
        headers={"Cookie": cookie, "Content-Type": "application/x-www-form-urlencoded"},
    )


@ensureDeferred
async def test_who_guesses_is_slowed_down_and_keeps_what_was_ticked(listening: Listen) -> None:
    busy = TooManyRequests("too many attempts to sign in", retry_after=2.5)

    answer = await sent(listening, Noun(), busy, TICKED)

    assert (answer.code, answer.header("Retry-After")) == (429, "3")
    told = answer.body.decode()
    assert "Too many attempts to sign in." in told
    fields = assert_for_everybody(told).all("input")
    assert str(PHOTOS.id) in [marks.get("value") for marks in fields]


@ensureDeferred
async def test_a_password_that_is_changed_meanwhile_ends_nothing(listening: Listen) -> None:
    tokens = Noun(list=returning((PHOTOS,)), revoke=raising(NotAuthenticated("it has changed")))

    answer = await sent(listening, tokens, None, TICKED)

    assert answer.code == 403
    assert "It has changed." in answer.body.decode()


@pytest.mark.parametrize(
    ("error", "code"), [(Unavailable("database", "away"), 503), (ValueError("a fault"), 500)]
)
@ensureDeferred
async def test_what_fails_is_told_on_a_page(listening: Listen, error: Exception, code: int) -> None:
    answer = await sent(listening, Noun(list=raising(error)), None, "decision=show")

    assert answer.code == code
    told = answer.body.decode()
    assert_for_everybody(told)
    assert TITLE not in told
    assert (answer.header("Retry-After") == "1") is (code == 503)
