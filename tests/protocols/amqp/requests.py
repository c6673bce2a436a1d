"""Requests as the broker delivers them, and somebody who takes down what is answered."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import count
from typing import Any

import orjson
from attrs import define, field, frozen
from twisted.internet.defer import Deferred, fail, succeed

from stacksync.protocols.amqp.object_server import ObjectServer
from stacksync.protocols.amqp.wire.frames import Delivery

DEAD_LETTERS = "dead letters"

numbers = count(1)


def deliver(body: bytes, *, exchange: str = "requests", **properties: Any) -> Delivery:
    """A message with these properties."""
    return Delivery(1, 1, False, exchange, "ISyncService", properties, len(body), body)


def request(
    method: str,
    fields: Mapping[str, Any],
    *,
    is_async: bool = False,
    reply_to: str | None = "answers",
    user_id: str | None = None,
) -> Delivery:
    """A call of a method, as a client makes it."""
    identity = f"call {next(numbers)}"
    envelope = {"id": identity, "method": method, "async": is_async, "params": [fields]}
    properties = {"type": "gson", "app_id": "ISyncService", "correlation_id": identity}
    if reply_to is not None:
        properties["reply_to"] = reply_to
    if user_id is not None:
        properties["user_id"] = user_id
    return deliver(orjson.dumps(envelope), **properties)


@frozen
class Published:
    exchange: str
    routing_key: str
    properties: Mapping[str, Any]
    body: bytes

    @property
    def json(self) -> Any:
        return orjson.loads(self.body)


@define
class Recorder:
    """Stands for a publisher; what is published is kept, and told at once as taken.

    :ivar failed: why the connection is gone, or ``None``.
    :ivar problems: the errors that the next messages meet, in turn.
    """

    failed: str | None = None
    problems: list[Exception] = field(factory=list)
    published: list[Published] = field(factory=list)

    def publish(
        self, exchange: str, routing_key: str, properties: Mapping[str, Any], body: bytes
    ) -> Deferred[None]:
        if self.problems:
            return fail(self.problems.pop(0))
        self.published.append(Published(exchange, routing_key, properties, body))
        return succeed(None)

    def to_fanout(
        self, exchange: str, properties: Mapping[str, Any], body: bytes
    ) -> Deferred[None]:
        return self.publish(exchange, "", properties, body)

    def take(self) -> Published:
        """The one message that was published since the last time."""
        (message,) = self.published
        self.published.clear()
        return message


@define
class Caller:
    """Somebody whose requests go straight to an object server."""

    server: ObjectServer
    recorder: Recorder

    async def call(self, method: str, **fields: Any) -> Any:
        """The answer's ``result``."""
        answer = await self.answer(method, **fields)
        assert "error" not in answer, answer
        return answer["result"]

    async def refusal(self, method: str, **fields: Any) -> tuple[str, str]:
        """The type and message of the answer's ``error``."""
        answer = await self.answer(method, **fields)
        assert "result" not in answer, answer
        return answer["error"]["type"].rpartition(".")[2], answer["error"]["message"]

    async def answer(self, method: str, **fields: Any) -> Any:
        """The whole answer."""
        await self.server.serve(request(method, fields))
        return self.recorder.take().json
