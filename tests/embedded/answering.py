"""Answers a broker that asks, as the least that lets the service itself in."""

from __future__ import annotations

import hmac
from typing import Any

from twisted.internet.interfaces import IListeningPort
from twisted.web.resource import Resource
from twisted.web.server import Request, Site

from stacksync.embedded.questions import Questions
from stacksync.embedded.rabbitmq import Broker


class OnlyTheService(Resource):
    """Lets the service's own login do everything, and nobody else anything."""

    isLeaf = True

    def __init__(self, questions: Questions) -> None:
        super().__init__()
        self._questions = questions
        self.asked = 0

    def render_POST(self, request: Request) -> bytes:
        self.asked += 1
        known = self._questions
        told = {name.decode(): values[0].decode() for name, values in request.args.items()}
        assert hmac.compare_digest(told["secret"], known.secret)
        if told["username"] != known.service_login:
            return b"deny"
        if request.path != b"/broker/user":
            return b"allow"
        return b"allow administrator" if told["password"] == known.service_password else b"deny"


def answer(reactor: Any, broker: Broker) -> tuple[IListeningPort, OnlyTheService]:
    """Let a private broker ask this process."""
    assert broker.questions is not None
    answers = OnlyTheService(broker.questions)
    port = broker.answer_with(reactor, Site(answers))
    assert port is not None
    return port, answers
