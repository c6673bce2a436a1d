"""``/oauth/authorize``: a person says whether an application may act for them (RFC 5849 §2.2).

No session is kept: who allows something signs in for that, on the same form.
Denying takes no password.
"""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from attrs import evolve

from stacksync.auth.lookups import Lookups, stranger
from stacksync.engine.oauth.callbacks import OUT_OF_BAND
from stacksync.errors import (
    Conflict,
    InvalidRequest,
    NotAuthenticated,
    TokenNotFound,
    TooManyRequests,
)
from stacksync.protocols.http.answer import Answer
from stacksync.protocols.http.edge.html_headers import html_headers
from stacksync.protocols.http.edge.origin import check_own_page
from stacksync.protocols.http.oauth import pages
from stacksync.protocols.http.oauth.confirmation import check_confirmation, new_confirmation
from stacksync.protocols.http.oauth.form import Form, read_form
from stacksync.protocols.http.oauth.page_resource import (
    OTHER_TITLE,
    OWN_REFERRER,
    TITLES,
    PageResource,
    check_confidential,
    not_signed_in,
)

if TYPE_CHECKING:
    from stacksync.engine.oauth import OAuth
    from stacksync.interfaces import IAuthenticator
    from stacksync.model import Asked
    from stacksync.protocols.http.request import ApiRequest

FIELDS = {"oauth_token", "confirmation", "email", "password", "decision"}

OVER = {
    HTTPStatus.NOT_FOUND: "There is nothing to allow",
    HTTPStatus.CONFLICT: "This can't be allowed now",
    HTTPStatus.BAD_REQUEST: TITLES[HTTPStatus.BAD_REQUEST],
}
"""What the page is called where nothing comes of it any more."""


class AuthorizeResource(PageResource):
    """``GET /oauth/authorize`` and what its form sends."""

    def __init__(self, oauth: OAuth, authenticator: IAuthenticator) -> None:
        super().__init__({b"GET": self._ask, b"POST": self._answer}, problem_shown)
        self._oauth = oauth
        self._authenticator = authenticator
        self._lookups = Lookups()

    async def _ask(self, request: ApiRequest) -> Answer:
        check_confidential(request)
        keys = request.args.get(b"oauth_token", [])
        if len(keys) != 1:
            raise InvalidRequest("oauth_token", "must be given once")
        return question(request, await self._asked(request, keys[0].decode("utf-8", "replace")))

    async def _answer(self, request: ApiRequest) -> Answer:
        check_confidential(request)
        check_own_page(request)
        form = read_form(request, FIELDS)
        asked = await self._asked(request, form.one("oauth_token"))
        check_confirmation(request, asked.token.key, form.one("confirmation"))
        decision = form.one("decision")
        if decision == "deny":
            await self._oauth.applications.deny(asked.token.key, request.peer)
            return back(asked, {"oauth_problem": "permission_denied"}, pages.denied_page(asked))
        if decision != "allow":
            raise InvalidRequest("decision", "must be allow or deny")
        return await self._allow(request, asked, form)

    async def _allow(self, request: ApiRequest, asked: Asked, form: Form) -> Answer:
        email = form.one("email").strip()
        try:
            principal = await self._authenticator.authenticate(
                email, form.one("password"), request.peer
            )
            allowed = await self._oauth.applications.allow(
                evolve(principal, address=request.peer), asked.token.key
            )
        except (NotAuthenticated, TooManyRequests) as error:
            again = question(request, asked, email=email, problem=str(error))
            return not_signed_in(again, error)
        verifier = allowed.verifier
        return back(asked, {"oauth_verifier": verifier}, pages.verifier_page(asked, verifier))

    async def _asked(self, request: ApiRequest, key: str) -> Asked:
        asked = await self._lookups.run(
            stranger(request.peer), lambda: self._oauth.applications.asked(key)
        )
        if asked.token.account_id is not None or asked.token.is_denied:
            raise Conflict("this was answered before")
        return asked


def problem_shown(error: Exception, code: HTTPStatus, told: str) -> bytes:
    """The page on which nothing can be allowed."""
    if isinstance(error, TokenNotFound):
        told = str(error.identity)
    title = OVER.get(code, TITLES.get(code, OTHER_TITLE))
    return pages.problem_page(title, told, is_over=code in OVER)


def question(request: ApiRequest, asked: Asked, *, email: str = "", problem: str = "") -> Answer:
    """The page with the form, for a browser that has to bring back what it is given now."""
    confirmation, cookie = new_confirmation(request, asked.token.key)
    targets = () if asked.token.callback == OUT_OF_BAND else (asked.token.callback,)
    return Answer(
        pages.question(asked, confirmation, email=email, problem=problem),
        200,
        (*html_headers(targets), *OWN_REFERRER, *cookie),
    )


def back(asked: Asked, told: Mapping[str, str], page: bytes) -> Answer:
    """To where the application wants people sent; or a page, if that is nowhere."""
    callback = asked.token.callback
    if callback == OUT_OF_BAND:
        return Answer(page, 200, html_headers())
    # Only what the application has registered gets here, so nobody else can send people about.
    query = urlencode({"oauth_token": asked.token.key, **told})
    url = f"{callback}{'&' if '?' in callback else '?'}{query}"
    return Answer(
        pages.leaving_page(asked, url),
        int(HTTPStatus.SEE_OTHER),
        (*html_headers(), (b"Location", url.encode("ascii"))),
    )
