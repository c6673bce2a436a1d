"""Requests over connections that are kept open.

Redirects are not followed: a token belongs to the host that it was made for.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import orjson
from treq.client import HTTPClient
from twisted.internet.defer import CancelledError, Deferred
from twisted.web.client import Agent
from twisted.web.http_headers import Headers
from twisted.web.iweb import IBodyProducer, IResponse

from stacksync.http_client.answer import Answer
from stacksync.http_client.body import whole_body
from stacksync.http_client.failures import no_answer
from stacksync.http_client.policy import policy_of
from stacksync.http_client.pool import connection_pool

CONNECT = 10.0
"""Seconds that making a connection may take."""


class WebSession:
    """Connections to one part of the world around us.

    Every request raises :class:`NoAnswer` (an ``Unavailable`` of this part)
    when no answer comes, and may be cancelled.

    :param reactor: an ``IReactorTCP``, ``IReactorTime`` and the like.
    :param part: what to call it in errors: ``keystone``, ``storage``.
    :param timeout: seconds for a request's answer.
    :param connections: how many to keep to one host; more are made when needed.
    :param ca_file: see :func:`~stacksync.tls.trust.trust_of`.
    :param ca_option: which setting names that file, for error messages.
    :raises ConfigurationError: as :func:`~stacksync.tls.trust.trust_of`.
    """

    def __init__(
        self,
        reactor: Any,
        part: str,
        timeout: float,
        *,
        connections: int = 8,
        ca_file: Path = Path(),
        ca_option: str = "ca_file",
    ) -> None:
        self.part = part
        self._reactor = reactor
        self._timeout = timeout
        self._pool = connection_pool(reactor, connections)
        policy = policy_of(ca_file, ca_option)
        self._agent = Agent(reactor, policy, connectTimeout=min(CONNECT, timeout), pool=self._pool)
        self._client = HTTPClient(self._agent)

    async def request(
        self,
        method: str,
        url: str,
        *,
        headers: dict[str, str] | None = None,
        json: Any = None,
        body: bytes | None = None,
        patience: float | None = None,
    ) -> Answer:
        """Ask, and wait for the whole answer.

        :param url: with everything quoted that has to be.
        :param json: a document to send; or ``body``: bytes.
        :param patience: seconds until the whole answer has to be here; ``None``: as set.
        """
        sent = _raw(headers)
        if json is not None:
            body = orjson.dumps(json)
            sent.setRawHeaders("Content-Type", ["application/json"])

        async def whole() -> Answer:
            response = await self._client.request(
                method,
                url,
                headers=sent,
                data=body,
                allow_redirects=False,
                unbuffered=True,
                reactor=self._reactor,
            )
            # treq's own response is in the way of giving up a body half-way.
            received = await whole_body(response.original)
            names = {
                name.decode("latin-1").lower(): values[-1].decode("latin-1")
                for name, values in response.headers.getAllRawHeaders()
            }
            return Answer(self.part, described(method, url), response.code, names, received)

        answer: Answer = await self._limited(
            Deferred.fromCoroutine(whole()), method, url, patience or self._timeout
        )
        return answer

    async def open(
        self,
        method: str,
        url: str,
        *,
        headers: dict[str, str] | None = None,
        body: IBodyProducer | bytes | None = None,
        patience: float | None = None,
    ) -> IResponse:
        """Ask, and return as soon as status and headers are here; ``deliverBody`` has the rest.

        The body comes as it was stored, whatever its ``Content-Encoding``.  Who
        doesn't want it has to say so: :func:`~stacksync.http_client.body.let_go`.

        :param patience: seconds until the headers have to be here; ``None``: no
            limit of ours, for who sends a body at the pace of somebody else.
        """
        # Past treq, which would unpack what is stored with an encoding.
        begun = self._agent.request(
            method.encode("ascii"),
            url.encode("ascii"),
            _raw(headers),
            None if body is None else IBodyProducer(body),
        )
        response: IResponse = await self._limited(begun, method, url, patience)
        return response

    async def close(self) -> None:
        """Close the connections that nobody uses now."""
        await self._pool.closeCachedConnections()

    async def _limited(
        self, asked: Deferred[Any], method: str, url: str, patience: float | None
    ) -> Any:
        answer = _cancellable(asked)
        if patience is not None:
            answer.addTimeout(patience, self._reactor)
        try:
            return await answer
        except CancelledError:
            raise
        except Exception as error:
            told = no_answer(self.part, described(method, url), error)
            if told is None:
                raise
            raise told from None


def _cancellable(asked: Deferred[Any]) -> Deferred[Any]:
    """The same result, but that of a request which is cancelled is always ``CancelledError``.

    Twisted may call that a lost connection, which would be worth another try.
    """

    is_cancelled = False

    def cancel(_: Deferred[Any]) -> None:
        nonlocal is_cancelled
        is_cancelled = True
        asked.cancel()

    def relay(result: Any) -> None:
        if not is_cancelled:
            # A Failure fires the errbacks.
            answer.callback(result)

    answer: Deferred[Any] = Deferred(cancel)
    asked.addBoth(relay)
    return answer


def _raw(headers: dict[str, str] | None) -> Headers:
    return Headers({name: [value] for name, value in (headers or {}).items()})


def described(method: str, url: str) -> str:
    """For error messages: without the query, which may hold a signature."""
    parts = urlsplit(url)
    return f"{method} {parts.scheme}://{parts.netloc}{parts.path}"
