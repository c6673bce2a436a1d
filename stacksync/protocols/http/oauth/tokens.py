"""``POST /oauth/request_token`` and ``POST /oauth/access_token`` (RFC 5849, sections 2.1, 2.3).

Answers are forms, as the RFC wants them; errors are a line of text.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import urlencode

import orjson
from attrs import evolve

from stacksync.protocols.http.answer import Answer, Headers
from stacksync.protocols.http.errors import Refusal
from stacksync.protocols.http.resource import JSONResource
from stacksync.protocols.http.signed_request import FORM, signed_request

if TYPE_CHECKING:
    from stacksync.interfaces import ITokenProvider
    from stacksync.model import TokenCredentials
    from stacksync.protocols.http.request import ApiRequest

TEXT: Headers = ((b"Content-Type", b"text/plain; charset=utf-8"),)
CHALLENGE: Headers = ((b"WWW-Authenticate", b'OAuth realm="StackSync"'),)


class TokenResource(JSONResource):
    """What both do alike."""

    def __init__(self) -> None:
        super().__init__({b"POST": self._give})

    async def _give(self, request: ApiRequest) -> Answer:
        provider = request.site.sign_ins.provider
        if provider is None:
            raise Refusal(HTTPStatus.NOT_FOUND, "applications get no access here")
        given, more = await self._given(request, provider)
        fields = {"oauth_token": given.key, "oauth_token_secret": given.secret, **more}
        return Answer(urlencode(fields).encode("ascii"), 200, ((b"Content-Type", FORM),))

    async def _given(
        self, request: ApiRequest, provider: ITokenProvider
    ) -> tuple[TokenCredentials, dict[str, str]]:
        """The credentials, and what else the answer says."""
        raise NotImplementedError

    def _error_answer(self, error: Exception, request: ApiRequest) -> Answer:
        return in_plain_text(super()._error_answer(error, request))


class RequestTokenResource(TokenResource):
    """``POST /oauth/request_token``."""

    async def _given(
        self, request: ApiRequest, provider: ITokenProvider
    ) -> tuple[TokenCredentials, dict[str, str]]:
        given = await provider.request_token(await signed_request(request), request.peer)
        return given, {"oauth_callback_confirmed": "true"}


class AccessTokenResource(TokenResource):
    """``POST /oauth/access_token``."""

    async def _given(
        self, request: ApiRequest, provider: ITokenProvider
    ) -> tuple[TokenCredentials, dict[str, str]]:
        return await provider.access_token(await signed_request(request), request.peer), {}


def in_plain_text(answer: Answer) -> Answer:
    """An error without its JSON, for libraries that show what they get."""
    text = description_of(answer) + "\n"
    headers = tuple(each for each in answer.headers if each[0] != b"WWW-Authenticate")
    if answer.code == HTTPStatus.UNAUTHORIZED:
        headers += CHALLENGE
    return evolve(answer, body=text.encode(), headers=headers + TEXT)


def description_of(answer: Answer) -> str:
    """What an error says."""
    return str(orjson.loads(answer.body)["description"])
