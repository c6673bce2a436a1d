"""Requests in work, which a test finishes when it likes."""

from __future__ import annotations

from typing import Any

from attrs import define, field
from twisted.internet import reactor
from twisted.internet.defer import Deferred

from stacksync.protocols.amqp.consumer import Bounds, Consumer
from stacksync.protocols.amqp.wire.connection import Connection
from stacksync.protocols.amqp.wire.frames import Delivery

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

    @property
    def in_hand(self) -> set[bytes]:
        """The bodies of those that are not finished."""
        return set(self._ends)

    def finish(self, *bodies: bytes) -> None:
        for body in bodies:
            self._ends.pop(body).callback(None)

    def break_off(self, body: bytes, error: Exception) -> None:
        self._ends.pop(body).errback(error)

    async def consume(
        self, connection: Connection, queue: str, in_all: int = 10, backlog: int = 0
    ) -> Consumer:
        consumer = self.consumer(clock, connection, queue, Bounds(in_all, in_all, backlog))
        await consumer.start()
        return consumer

    def consumer(
        self, reactor: Any, connection: Connection, queue: str, bounds: Bounds
    ) -> Consumer:
        """One that has not started; who sent a request stands before its colon."""
        return Consumer(
            reactor, connection, queue, bounds, sender_of, self.handle, self.lost.append
        )


def sender_of(delivery: Delivery) -> str:
    return delivery.body.partition(b":")[0].decode()
