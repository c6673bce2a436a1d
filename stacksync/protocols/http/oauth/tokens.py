"""``POST /oauth/request_token`` and ``POST /oauth/access_token`` (RFC 5849, sections 2.1, 2.3).

Answers are forms, as the RFC wants them; errors are a line of text.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
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
    from stacksync.model import SignedRequest, TokenCredentials
    from stacksync.protocols.http.request import ApiRequest

Give = Callable[
    ["ITokenProvider", "SignedRequest", str],
    Awaitable["tuple[TokenCredentials, Mapping[str, str]]"],
]

TEXT: Headers = ((b"Content-Type", b"text/plain; charset=utf-8"),)
CHALLENGE: Headers = ((b"WWW-Authenticate", b'OAuth realm="StackSync"'),)


class CredentialsResource(JSONResource):
    """Gives applications what they sign with.

    :param give: asks for it; its answer is the credentials, and what else is to be told.
    """

    def __init__(self, give: Give) -> None:
        super().__init__({b"POST": self._post})
        self._give = give

    async def _post(self, request: ApiRequest) -> Answer:
        provider = request.site.sign_ins.provider
        if provider is None:
            raise Refusal(HTTPStatus.NOT_FOUND, "applications get no access here")
        given, more = await self._give(provider, await signed_request(request), request.peer)
        fields = {"oauth_token": given.key, "oauth_token_secret": given.secret, **more}
        return Answer(urlencode(fields).encode("ascii"), 200, ((b"Content-Type", FORM),))

    def _error_answer(self, error: Exception, request: ApiRequest) -> Answer:
        return in_plain_text(super()._error_answer(error, request))


async def request_token(
    provider: ITokenProvider, signed: SignedRequest, address: str
) -> tuple[TokenCredentials, Mapping[str, str]]:
    """Temporary credentials, which a person then allows or denies."""
    return await provider.request_token(signed, address), {"oauth_callback_confirmed": "true"}


async def access_token(
    provider: ITokenProvider, signed: SignedRequest, address: str
) -> tuple[TokenCredentials, Mapping[str, str]]:
    """What the application may sign with from now on."""
    return await provider.access_token(signed, address), {}


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
