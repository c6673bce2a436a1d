"""One request and its answer, over one connection, from the first byte to the last."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Any
from urllib.parse import urlsplit

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IStreamClientEndpoint
from twisted.python.failure import Failure
from twisted.web.client import Agent, HTTPConnectionPool
from twisted.web.http_headers import Headers
from twisted.web.iweb import IPolicyForHTTPS, IResponse

from stacksync.http_client import CertificateRefused
from stacksync.http_client.failures import no_answer
from stacksync.storage.swift.answer import Answer, AnswerBody
from stacksync.storage.swift.patience import Patience
from stacksync.storage.swift.request_body import RequestBody
from stacksync.storage.threads import PART


class Broken(Exception):
    """No answer: the connection could not be made, broke, or stayed silent.

    :ivar was_sent: whether Swift may have got the request.
    :ivar is_final: whether another try would not help.
    """

    def __init__(self, problem: str, was_sent: bool, is_final: bool) -> None:
        super().__init__(problem)
        self.was_sent = was_sent
        self.is_final = is_final


class Exchange:
    """Stands between an Agent and its pool, so that it knows its connection and can break it.

    :param let_go: told when the place is not needed any more, and whether
        all is over.
    :ivar has_place: whether it counts as a request that goes on.
    """

    persistent = True

    def __init__(
        self,
        reactor: Any,
        pool: HTTPConnectionPool,
        policy: IPolicyForHTTPS,
        timeout: float,
        let_go: Callable[[Exchange, bool], None],
    ) -> None:
        self.has_place = True
        self._reactor = reactor
        self._pool = pool
        self._policy = policy
        self._timeout = timeout
        self._let_go = let_go
        self._connection: Any = None
        self._asking: Deferred[IResponse] | None = None
        self._outcome: Deferred[IResponse] = Deferred(lambda _: self._give_up())
        self._patience = Patience(reactor, timeout, self._expired)
        self._request_body: RequestBody | None = None
        self._answer_body: AnswerBody | None = None
        self._host = ""

    async def answer_to(
        self, method: bytes, url: bytes, headers: Headers, body: RequestBody | None
    ) -> Answer:
        """Send the request and wait for the answer's headers; see ``Connections.ask``."""
        if body is not None:
            body.patience = self._patience
            self._request_body = body
        # Without the path: what is told is kept, so as not to be told too often.
        self._host = "{0.scheme}://{0.netloc}".format(urlsplit(url.decode()))
        agent = Agent(self._reactor, self._policy, pool=self)
        self._patience.progress()
        self._asking = agent.request(method, url, headers, body)
        self._asking.addCallbacks(self._answered, self._failed)
        try:
            response = await self._outcome
        finally:
            self._patience.rest()
            if body is not None:
                # Swift may answer before it has got everything.
                body.stopProducing()
            if self._answer_body is None:
                self.abort()
                self._let_go(self, True)
        assert self._answer_body is not None
        return Answer(response.code, response.headers, self._answer_body)

    def getConnection(  # noqa: N802
        self, key: Hashable, endpoint: IStreamClientEndpoint
    ) -> Deferred[Any]:
        """What an Agent asks its pool for."""
        return self._pool.getConnection(key, endpoint).addCallback(self._connected)

    def abort(self) -> None:
        """Break the connection, if it is still this exchange's."""
        if self._connection is not None:
            connection, self._connection = self._connection, None
            connection.transport.abortConnection()

    def withdraw(self, problem: str) -> None:
        """Break off, whatever stage it is at."""
        if self._answer_body is not None:
            self._answer_body.withdraw(problem)
        else:
            self._break(problem)

    def _connected(self, connection: Any) -> Any:
        self._connection = connection
        self._patience.progress()
        return connection

    def _answered(self, response: IResponse) -> None:
        if self._asking is None:
            return
        body = AnswerBody(self._reactor, self._timeout, self.abort, self._dawdled, self._ended)
        self._answer_body = body
        connection, request_body = self._connection, self._request_body
        response.deliverBody(body)
        if request_body is not None and not request_body.is_sent:
            # Swift knew its answer before it had everything.  Twisted would
            # wait for the rest of the body before it closes.
            connection.transport.abortConnection()
        self._outcome.callback(response)

    def _dawdled(self) -> None:
        self._let_go(self, False)

    def _ended(self) -> None:
        """The answer is complete, or the connection is gone; the pool has what is left of it."""
        self._connection = None
        self._let_go(self, True)

    def _failed(self, failure: Failure) -> None:
        if self._asking is None:
            return
        if self._request_body is not None and self._request_body.failure is not None:
            self._outcome.errback(self._request_body.failure)
        else:
            told = no_answer(PART, self._host, failure.value or Exception())
            problem = told.problem if told is not None else failure.getErrorMessage()
            self._break(problem, isinstance(told, CertificateRefused))

    def _expired(self) -> None:
        self._break(f"no answer within {self._timeout:g} s")

    def _break(self, problem: str, is_final: bool = False) -> None:
        if not self._outcome.called:
            self._outcome.errback(Broken(problem, self._connection is not None, is_final))
            self._give_up()

    def _give_up(self) -> None:
        if self._asking is not None:
            asking, self._asking = self._asking, None
            asking.cancel()
