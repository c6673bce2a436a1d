"""Requests in work, which a test finishes when it likes."""

from __future__ import annotations

from typing import Any

from attrs import define, field
from twisted.internet import reactor
from twisted.internet.defer import Deferred

from stacksync.protocols.amqp.connection import Connection
from stacksync.protocols.amqp.consumer import Consumer
from stacksync.protocols.amqp.frames import Delivery

clock: Any = reactor


@define
class Work:
    """Requests in work, which the test finishes when it likes."""

    begun: list[Delivery] = field(factory=list)
    lost: list[str] = field(factory=list)
    _ends: dict[bytes, Deferred[None]] = field(factory=dict)

    async def handle(self, delivery: Delivery) -> None:
        self.begun.append(delivery)
        end: Deferred[None] = Deferred()
        self._ends[delivery.body] = end
        await end

    @property
    def bodies(self) -> list[bytes]:
        return [each.body for each in self.begun]

    def finish(self, *bodies: bytes) -> None:
        for body in bodies:
            self._ends.pop(body).callback(None)

    def break_off(self, body: bytes, error: Exception) -> None:
        self._ends.pop(body).errback(error)

    async def consume(self, connection: Connection, queue: str, prefetch: int = 10) -> Consumer:
        consumer = Consumer(clock, connection, queue, prefetch, self.handle, self.lost.append)
        await consumer.start()
        return consumer
