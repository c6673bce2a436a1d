"""Stands in for the front-end as long as it cannot begin: not ready, and nobody told.

Of what can't be announced the sweep and the jobs take care later, as when the
broker is away.
"""

from __future__ import annotations

from attrs import define
from zope.interface import implementer

from stacksync.errors import Unavailable
from stacksync.events import Event
from stacksync.interfaces import IEventSink, IHealthCheck


@implementer(IEventSink, IHealthCheck)
@define(eq=False)
class AwaitedFrontEnd:
    """What readiness asks and events are handed to, before and after the front-end begins.

    :param reason: what it waits for.
    """

    reason: str
    _health: IHealthCheck | None = None
    _sink: IEventSink | None = None

    name = "AMQP"
    part = "broker"

    def begins(self, health: IHealthCheck, sink: IEventSink) -> None:
        """From now on these are asked and told."""
        self._health, self._sink = health, sink

    async def check(self) -> None:
        """See :meth:`stacksync.interfaces.IHealthCheck.check`."""
        if self._health is None:
            raise Unavailable(self.part, self.reason)
        await self._health.check()

    async def announce(self, event: Event) -> None:
        """See :meth:`stacksync.interfaces.IEventSink.announce`."""
        if self._sink is None:
            raise Unavailable(self.part, self.reason)
        await self._sink.announce(event)
