"""A message on its way to the broker, and what came of it.  ``publisher`` brings it there."""

from __future__ import annotations

from attrs import define, field
from twisted.internet.defer import Deferred

from stacksync.protocols.amqp.wire.frames import Properties


@define(eq=False)
class Message:
    """One message.

    :ivar fanout: its exchange is a fanout one that is declared before.
    :ivar tries: how often it has been sent; reset when it is known not to be at fault.
    :ivar confirmed: fires when the broker has taken it.
    """

    exchange: str
    routing_key: str
    properties: Properties
    body: bytes
    fanout: bool = False
    tries: int = 0
    confirmed: Deferred[None] = field(factory=Deferred)
