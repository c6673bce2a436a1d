"""An object server with one method, which does what the test wants."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from attrs import define, field
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock

from stacksync.model import Principal, SignIn
from stacksync.protocols.amqp.methods.method import Call, Method
from stacksync.protocols.amqp.object_server import ObjectServer
from stacksync.protocols.amqp.wire.frames import Delivery
from stacksync.protocols.fields import Fields
from tests.protocols.amqp.requests import DEAD_LETTERS, Published, Recorder, request

ANNA = Principal(UUID(int=7), SignIn.MESSAGE)


@define
class Stage:
    """A server with one method, ``greet``, that does what the test wants."""

    results: list[Any] = field(factory=list)
    """What the next calls meet: a result, or an error to raise."""
    calls: list[Call] = field(factory=list)
    recorder: Recorder = field(factory=Recorder)
    clock: Clock = field(factory=Clock)
    method: dict[str, Any] = field(factory=dict)

    def serve(self, delivery: Delivery) -> Deferred[None]:
        methods = {"greet": Method(self._greet, **self.method)}
        publisher: Any = self.recorder
        server = ObjectServer(self.clock, methods, self._principal, publisher, DEAD_LETTERS)
        return Deferred.fromCoroutine(server.serve(delivery))

    def ask(self, **options: Any) -> Deferred[None]:
        return self.serve(request("greet", {"name": "Anna"}, **options))

    def answer_to(self, delivery: Delivery) -> Published:
        """What is published for a request that is dealt with at once."""
        served = self.serve(delivery)
        assert served.called
        assert served.result is None
        return self.recorder.take()

    async def _principal(self, delivery: Delivery, fields: Fields) -> Principal:
        return ANNA

    async def _greet(self, call: Call) -> Any:
        self.calls.append(call)
        result = self.results.pop(0) if self.results else f"Hello, {call.fields['name']}"
        if isinstance(result, Exception):
            raise result
        return result


def error_of(message: Published) -> tuple[str, str]:
    error = message.json["error"]
    return error["type"], error["message"]


def is_done(served: Deferred[None]) -> bool:
    """Whether a request was dealt with, one way or another."""
    return bool(served.called)
