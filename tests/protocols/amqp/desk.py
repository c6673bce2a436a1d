"""Where requests come in, and how the connection that brings them is."""

from __future__ import annotations

from typing import Any

from attrs import define, field
from twisted.internet.defer import Deferred

from stacksync.errors import Unavailable
from stacksync.protocols.amqp.broker import Broker
from stacksync.protocols.amqp.consumer import Handler
from stacksync.protocols.amqp.publisher import Publisher
from stacksync.protocols.amqp.wire.frames import Delivery
from tests.protocols.amqp.waiting import eventually


@define
class Desk:
    """Requests as they come in; they are done at once, unless the test holds them."""

    begun: list[Delivery] = field(factory=list)
    hold: bool = False
    ends: list[Deferred[None]] = field(factory=list)

    def handler_for(self, publisher: Publisher) -> Handler:
        return self._handle

    async def _handle(self, delivery: Delivery) -> None:
        self.begun.append(delivery)
        if self.hold:
            self.ends.append(Deferred())
            await self.ends[-1]

    @property
    def bodies(self) -> list[bytes]:
        return [each.body for each in self.begun]


def send(peer: Any, body: bytes) -> None:
    peer.basic_publish("rpc_global_exchange", "ISyncService", body)


async def problem_of(broker: Broker) -> str | None:
    """What the health check says is wrong."""
    try:
        await broker.check()
    except Unavailable as error:
        return error.problem
    return None


async def connected(broker: Broker) -> None:
    await eventually(lambda: broker._outage is None)
    assert await problem_of(broker) is None


async def disconnected(broker: Broker) -> str:
    await eventually(lambda: broker._outage is not None)
    return str(await problem_of(broker))


def count_of(peer: Any, what: str) -> int:
    """``message_count`` or ``consumer_count`` of the request queue."""
    return int(getattr(peer.queue_declare("ISyncService", passive=True).method, what))
