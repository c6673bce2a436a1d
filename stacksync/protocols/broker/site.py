"""The site that a broker asks: ``/broker/user``, ``/vhost``, ``/resource``, ``/topic``.

For the broker alone, so it listens on loopback or wants to be shown a secret;
users never come here.  Questions are forms (POST) or queries (GET), of a few
hundred bytes.
"""

from __future__ import annotations

import hmac
from io import BytesIO
from typing import TYPE_CHECKING, Any

from twisted.internet.defer import Deferred
from twisted.logger import Logger
from twisted.web import http, server
from twisted.web.http import HTTPChannel
from twisted.web.resource import Resource

from stacksync.protocols.broker.answers import DENY, Answers, ServiceLogin
from stacksync.protocols.broker.fields import Fields, fields_of, query_of

if TYPE_CHECKING:
    from stacksync.engine import Engine
    from stacksync.engine.sign_in.broker_access import ServiceNames
    from stacksync.interfaces import IBrokerLogins, IClientTopology

log = Logger()

LONGEST_BODY = 16 * 1024

IDLE = 30.0
"""Seconds that a silent connection is kept."""

KINDS = (b"user", b"vhost", b"resource", b"topic")


def questions_site(
    reactor: Any,
    engine: Engine,
    names: ServiceNames,
    logins: IBrokerLogins,
    topology: IClientTopology,
    *,
    vhost: str,
    secret: str = "",
    service_login: str | None = None,
    service_password: str | None = None,
) -> server.Site:
    """The site, to listen with.

    :param names: the request exchange and the service's queues.
    :param topology: sees to it that what clients may use is as it has to be.
    :param vhost: the virtual host that there is for devices.
    :param secret: what each question has to have as its ``secret``; ``""``: nothing.
    :param service_login: together with ``service_password``, who may do everything; ``None``:
        the broker knows the service's own user without asking.
    """
    service = None
    if service_login is not None and service_password is not None:
        service = ServiceLogin(service_login, service_password)
    answers = Answers(reactor, engine.broker_access, logins, topology, names, vhost, service)
    root, questions = Branch(), Branch()
    root.putChild(b"broker", questions)
    for kind in KINDS:
        questions.putChild(kind, QuestionResource(kind.decode(), answers, secret))
    return QuestionsSite(reactor, root)


class QuestionChannel(HTTPChannel):
    """One question's connection.

    RabbitMQ's client (Erlang's httpc) would use a connection that stays open for all of its
    questions, one after the other.  Then one that takes its time would hold up all devices, and
    one that needs something done at a broker whose only knowledge of our own login is what we
    answer it would wait for ever.
    """

    def checkPersistence(self, request: http.Request, version: bytes) -> bool:
        request.responseHeaders.setRawHeaders(b"Connection", [b"close"])
        return False


class QuestionRequest(server.Request):
    """One question."""

    channel: HTTPChannel
    content: BytesIO

    def gotLength(self, length: int | None) -> None:
        self.content = BytesIO()

    def handleContentChunk(self, data: bytes) -> None:
        if self.content.tell() + len(data) > LONGEST_BODY:
            self.channel.forceAbortClient()
        else:
            self.content.write(data)


class QuestionsSite(server.Site):
    """The connections."""

    protocol = QuestionChannel  # type: ignore[assignment]
    requestFactory = QuestionRequest
    noisy = False

    def __init__(self, reactor: Any, root: Resource) -> None:
        super().__init__(root, timeout=IDLE, reactor=reactor, parsePOSTFormSubmission=False)

    def startFactory(self) -> None:
        """Not Site's, which opens an access log."""

    def stopFactory(self) -> None:
        """As above."""

    def log(self, request: server.Request) -> None:  # type: ignore[override]
        """Nothing: questions hold tokens."""


class Nowhere(Resource):
    """What is not there."""

    isLeaf = True

    def render(self, request: server.Request) -> int:
        request.setResponseCode(http.NOT_FOUND)
        finish(request, DENY)
        return server.NOT_DONE_YET


class Branch(Resource):
    """A part of the path that is nothing by itself."""

    def getChild(self, path: bytes, request: http.Request) -> Resource:
        return Nowhere()

    def render(self, request: server.Request) -> int:
        return Nowhere().render(request)


class QuestionResource(Resource):
    """Questions of one kind."""

    def __init__(self, kind: str, answers: Answers, secret: str) -> None:
        super().__init__()
        self._kind = kind
        self._answers = answers
        self._secret = secret.encode()
        self._told_of_secret = False

    def getChild(self, path: bytes, request: http.Request) -> Resource:
        return Nowhere()

    def render_GET(self, request: QuestionRequest) -> int:
        fields = fields_of(query_of(request.uri))
        return self._answer(request, fields, fields)

    def render_POST(self, request: QuestionRequest) -> int:
        shown = fields_of(query_of(request.uri))
        return self._answer(request, shown, fields_of(request.content.getvalue()))

    def _answer(self, request: QuestionRequest, shown: Fields | None, fields: Fields | None) -> int:
        if not self._is_secret_right((shown or {}).get("secret", "")):
            self._tell_of_secret()
            request.setResponseCode(http.FORBIDDEN)
            finish(request, DENY)
        elif fields is None:
            finish(request, DENY)
        else:
            asked = Deferred.fromCoroutine(self._answers.to(self._kind, fields))
            asked.addCallback(lambda told: finish(request, told))
        return server.NOT_DONE_YET

    def _is_secret_right(self, shown: str) -> bool:
        return not self._secret or hmac.compare_digest(self._secret, shown.encode())

    def _tell_of_secret(self) -> None:
        if not self._told_of_secret:
            self._told_of_secret = True
            log.warn(
                "broker: a question about {kind} without the right secret was refused: let"
                " RabbitMQ's auth_http.{kind}_path end in ?secret= and what amqp.auth_secret is",
                kind=self._kind,
            )


def finish(request: server.Request, told: bytes) -> None:
    if request._disconnected:
        return
    request.setHeader(b"Content-Type", b"text/plain; charset=utf-8")
    request.setHeader(b"Cache-Control", b"no-store")
    request.setHeader(b"Content-Length", b"%d" % len(told))
    request.write(told)
    request.finish()
