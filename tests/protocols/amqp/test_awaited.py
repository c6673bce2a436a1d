"""Before the front-end can begin it is not ready, and what can't be told is told later."""

from __future__ import annotations

from uuid import uuid4

import pytest
from pytest_twisted import ensureDeferred
from zope.interface import implementer
from zope.interface.verify import verifyObject

from stacksync.errors import Unavailable
from stacksync.events import SharesTouched
from stacksync.interfaces import IEventSink, IHealthCheck
from stacksync.protocols.amqp.awaited import AwaitedFrontEnd
from tests.engine.conftest import Listener


@implementer(IHealthCheck)
class Part:
    part = "broker"
    checked = 0

    async def check(self) -> None:
        self.checked += 1


@ensureDeferred
async def test_it_says_what_it_waits_for_and_then_leaves_it_to_the_front_end() -> None:
    awaited = AwaitedFrontEnd("waits for somebody")
    verifyObject(IHealthCheck, awaited)
    verifyObject(IEventSink, awaited)
    event = SharesTouched(uuid4())
    with pytest.raises(Unavailable, match=r"^broker: waits for somebody$"):
        await awaited.check()
    with pytest.raises(Unavailable, match=r"^broker: waits for somebody$"):
        await awaited.announce(event)

    part, listener = Part(), Listener()
    awaited.begins(part, listener)

    await awaited.check()
    await awaited.announce(event)
    assert part.checked == 1
    assert listener.events == [event]
