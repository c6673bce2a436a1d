"""``/oauth/applications``: people see what can act for them, and end it.

No session is kept, and no password either: whoever ends something signs in
for that, with what was ticked.  So there is nothing in the page or the browser
that would let anybody else see or end anything.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from http import HTTPStatus
from typing import TYPE_CHECKING

from attrs import evolve

from stacksync.errors import InvalidRequest, NotAuthenticated, TokenNotFound, TooManyRequests
from stacksync.protocols.http.answer import Answer
from stacksync.protocols.http.edge.html_headers import html_headers
from stacksync.protocols.http.edge.origin import check_own_page
from stacksync.protocols.http.oauth import application_pages as pages
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
    from stacksync.engine.sign_in.tokens import Tokens
    from stacksync.interfaces import IAuthenticator
    from stacksync.model import Principal
    from stacksync.protocols.http.request import ApiRequest

PURPOSE = "applications"
FIELDS = {"confirmation", "email", "password", "decision"}
CHOSEN = "token"

NONE_TICKED = "tick what is to be ended"
NOT_THERE = "what was ticked is not there any more: look at what still is"


class ApplicationsResource(PageResource):
    """``GET /oauth/applications`` and what its forms send."""

    def __init__(self, tokens: Tokens, authenticator: IAuthenticator) -> None:
        super().__init__({b"GET": self._ask, b"POST": self._answer}, problem_shown)
        self._tokens = tokens
        self._authenticator = authenticator

    async def _ask(self, request: ApiRequest) -> Answer:
        check_confidential(request)
        return shown(request, pages.sign_in_page)

    async def _answer(self, request: ApiRequest) -> Answer:
        check_confidential(request)
        check_own_page(request)
        form = read_form(request, FIELDS, {CHOSEN})
        check_confirmation(request, PURPOSE, form.one("confirmation"))
        if form.one("decision") not in ("show", "end"):
            raise InvalidRequest("decision", "must be show or end")
        email = form.one("email").strip()
        try:
            principal = await self._authenticator.authenticate(
                email, form.one("password"), request.peer
            )
            principal = evolve(principal, address=request.peer)
            if form.one("decision") == "end":
                return await self._end(request, principal, form)
            tokens = await self._tokens.list(principal)
        except (NotAuthenticated, TooManyRequests) as error:
            return refusal(request, form, error)
        return shown(request, lambda confirmation: pages.list_page(confirmation, email, tokens))

    async def _end(self, request: ApiRequest, principal: Principal, form: Form) -> Answer:
        email, chosen = form.one("email").strip(), set(form.all(CHOSEN))
        tokens = await self._tokens.list(principal)
        ended = [each for each in tokens if str(each.id) in chosen]
        if not chosen or len(ended) < len(chosen):
            # All that was ticked or nothing; somebody else's token looks like none.
            told, code = (
                (NOT_THERE, HTTPStatus.NOT_FOUND)
                if chosen
                else (NONE_TICKED, HTTPStatus.BAD_REQUEST)
            )
            return shown(
                request,
                lambda confirmation: pages.list_page(
                    confirmation, email, tokens, problem=told, chosen=chosen
                ),
                code,
            )
        for each in ended:
            # Whoever was quicker has ended it as well.
            with suppress(TokenNotFound):
                await self._tokens.revoke(principal, each.id)
        left = await self._tokens.list(principal)
        return shown(
            request,
            lambda confirmation: pages.list_page(confirmation, email, left, ended=ended),
        )


def problem_shown(_: Exception, code: HTTPStatus, told: str) -> bytes:
    """The page on which nothing can be shown or ended."""
    return pages.problem_page(TITLES.get(code, OTHER_TITLE), told)


def refusal(request: ApiRequest, form: Form, error: NotAuthenticated | TooManyRequests) -> Answer:
    """For whom the password has not let in; what was ticked is kept."""
    chosen = form.all(CHOSEN) if form.one("decision") == "end" else ()
    answer = shown(
        request,
        lambda confirmation: pages.sign_in_page(
            confirmation, email=form.one("email").strip(), problem=str(error), chosen=chosen
        ),
    )
    return not_signed_in(answer, error)


def shown(request: ApiRequest, make: Callable[[str], bytes], code: int = 200) -> Answer:
    """A page with a form, for a browser that has to bring back what it is given now.

    :param make: makes it of the confirmation that the form is to hold.
    """
    confirmation, cookie = new_confirmation(request, PURPOSE)
    return Answer(make(confirmation), int(code), (*html_headers(), *OWN_REFERRER, *cookie))
