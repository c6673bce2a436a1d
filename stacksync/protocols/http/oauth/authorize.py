"""``/oauth/authorize``: a person says whether an application may act for them (RFC 5849 §2.2).

No session is kept: who allows something signs in for that, on the same form.
Denying takes no password.
"""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlencode

from attrs import evolve

from stacksync.engine.oauth.callbacks import OUT_OF_BAND
from stacksync.errors import (
    Conflict,
    Forbidden,
    InvalidRequest,
    NotAuthenticated,
    TokenNotFound,
    TooManyRequests,
)
from stacksync.protocols.http.answer import Answer, Headers
from stacksync.protocols.http.edge.html_headers import html_headers
from stacksync.protocols.http.edge.origin import check_own_page
from stacksync.protocols.http.errors import headers_of
from stacksync.protocols.http.oauth import pages
from stacksync.protocols.http.oauth.confirmation import check_confirmation, new_confirmation
from stacksync.protocols.http.oauth.tokens import description_of
from stacksync.protocols.http.resource import JSONResource
from stacksync.protocols.http.signed_request import is_form

if TYPE_CHECKING:
    from stacksync.engine.oauth import OAuth
    from stacksync.interfaces import IAuthenticator
    from stacksync.model import Asked
    from stacksync.protocols.http.request import ApiRequest

FORM_BYTES = 16 * 1024
FIELDS = {"oauth_token", "confirmation", "email", "password", "decision"}

# A form that is sent with no referrer at all has no origin either, which is looked at.
OWN_REFERRER: Headers = ((b"Referrer-Policy", b"same-origin"),)

TITLES = {
    HTTPStatus.NOT_FOUND: "There is nothing to allow",
    HTTPStatus.CONFLICT: "This can't be allowed now",
    HTTPStatus.FORBIDDEN: "This was not taken",
    HTTPStatus.BAD_REQUEST: "This was not understood",
}
OTHER_TITLE = "This did not work"
OVER = {HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT, HTTPStatus.BAD_REQUEST}


class AuthorizeResource(JSONResource):
    """``GET /oauth/authorize`` and what its form sends."""

    def __init__(self, oauth: OAuth, authenticator: IAuthenticator) -> None:
        super().__init__({b"GET": self._ask, b"POST": self._answer})
        self._oauth = oauth
        self._authenticator = authenticator

    async def _ask(self, request: ApiRequest) -> Answer:
        check_confidential(request)
        keys = request.args.get(b"oauth_token", [])
        if len(keys) != 1:
            raise InvalidRequest("oauth_token", "must be given once")
        return question(request, await self._asked(keys[0].decode("utf-8", "replace")))

    async def _answer(self, request: ApiRequest) -> Answer:
        check_confidential(request)
        check_own_page(request)
        fields = read_form(request)
        asked = await self._asked(fields.get("oauth_token", ""))
        check_confirmation(request, asked.token.key, fields.get("confirmation", ""))
        decision = fields.get("decision")
        if decision == "deny":
            await self._oauth.applications.deny(asked.token.key, request.peer)
            return back(asked, {"oauth_problem": "permission_denied"}, pages.denied_page(asked))
        if decision != "allow":
            raise InvalidRequest("decision", "must be allow or deny")
        return await self._allow(request, asked, fields)

    async def _allow(self, request: ApiRequest, asked: Asked, fields: Mapping[str, str]) -> Answer:
        email = fields.get("email", "").strip()
        try:
            principal = await self._authenticator.authenticate(
                email, fields.get("password", ""), request.peer
            )
        except (NotAuthenticated, TooManyRequests) as error:
            # Not 401: the browser would ask for the password in a way of its own.
            late = isinstance(error, TooManyRequests)
            answer = question(request, asked, email=email, problem=str(error))
            code = HTTPStatus.TOO_MANY_REQUESTS if late else HTTPStatus.FORBIDDEN
            more = headers_of(error) if late else ()
            return evolve(answer, code=int(code), headers=(*answer.headers, *more))
        allowed = await self._oauth.applications.allow(
            evolve(principal, address=request.peer), asked.token.key
        )
        verifier = allowed.verifier
        return back(asked, {"oauth_verifier": verifier}, pages.verifier_page(asked, verifier))

    async def _asked(self, key: str) -> Asked:
        asked = await self._oauth.applications.asked(key)
        if asked.token.account_id is not None or asked.token.is_denied:
            raise Conflict("this was answered before")
        return asked

    def _error_answer(self, error: Exception, request: ApiRequest) -> Answer:
        answer = super()._error_answer(error, request)
        title = TITLES.get(HTTPStatus(answer.code), OTHER_TITLE)
        told = description_of(answer)
        if isinstance(error, TokenNotFound):
            told = str(error.identity)
        headers = tuple(each for each in answer.headers if each[0] != b"WWW-Authenticate")
        body = pages.problem_page(title, told, is_over=answer.code in OVER)
        return Answer(body, answer.code, (*headers, *html_headers()))


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


def check_confidential(request: ApiRequest) -> None:
    """:raises Forbidden: others could read the password."""
    if not request.is_secure_for_secrets:
        raise Forbidden("passwords are typed here over TLS only: https://, not http://")


def read_form(request: ApiRequest) -> Mapping[str, str]:
    """The fields that were sent.

    :raises InvalidRequest: this is no form of ours.
    """
    body = request.content.getvalue()
    if not is_form(request) or len(body) > FORM_BYTES:
        raise InvalidRequest("body", "must be the form of the page")
    try:
        pairs = parse_qsl(
            body.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=20
        )
    except ValueError:
        raise InvalidRequest("body", "must be a form in UTF-8, percent-encoded") from None
    fields: dict[str, str] = {}
    for name, value in pairs:
        if name not in FIELDS or name in fields:
            raise InvalidRequest("body", "must be the form of the page")
        fields[name] = value
    return fields
