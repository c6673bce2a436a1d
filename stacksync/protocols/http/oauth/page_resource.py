"""What the resources that people see in a browser do alike: their errors are pages.

What a page says is not known here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import TYPE_CHECKING

from attrs import evolve

from stacksync.errors import Forbidden, NotAuthenticated, TooManyRequests
from stacksync.protocols.http.answer import Answer, Headers
from stacksync.protocols.http.edge.html_headers import html_headers
from stacksync.protocols.http.errors import headers_of
from stacksync.protocols.http.oauth.tokens import description_of
from stacksync.protocols.http.resource import Handler, JSONResource

if TYPE_CHECKING:
    from stacksync.protocols.http.request import ApiRequest

# A form that is sent with no referrer at all has no origin either, which is looked at.
OWN_REFERRER: Headers = ((b"Referrer-Policy", b"same-origin"),)

TITLES = {
    HTTPStatus.FORBIDDEN: "This was not taken",
    HTTPStatus.BAD_REQUEST: "This was not understood",
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE: "This was not understood",
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "This is too long",
}
OTHER_TITLE = "This did not work"


Problem = Callable[[Exception, HTTPStatus, str], bytes]
"""The page that tells an error, of its code and what it says."""


class PageResource(JSONResource):
    """A resource whose answers people read."""

    def __init__(self, handlers: Mapping[bytes, Handler], problem: Problem) -> None:
        super().__init__(handlers)
        self._problem = problem

    def _error_answer(self, error: Exception, request: ApiRequest) -> Answer:
        answer = super()._error_answer(error, request)
        headers = tuple(each for each in answer.headers if each[0] != b"WWW-Authenticate")
        body = self._problem(error, HTTPStatus(answer.code), description_of(answer))
        return evolve(answer, body=body, headers=(*headers, *html_headers()))


def not_signed_in(answer: Answer, error: NotAuthenticated | TooManyRequests) -> Answer:
    """The answer for whom no password has let in, with a page that says so."""
    if isinstance(error, TooManyRequests):
        return evolve(
            answer,
            code=int(HTTPStatus.TOO_MANY_REQUESTS),
            headers=(*answer.headers, *headers_of(error)),
        )
    # Not 401: the browser would ask for the password in a way of its own.
    return evolve(answer, code=int(HTTPStatus.FORBIDDEN))


def check_confidential(request: ApiRequest) -> None:
    """:raises Forbidden: others could read the password."""
    if not request.is_secure_for_secrets:
        raise Forbidden("passwords are typed here over TLS only: https://, not http://")
