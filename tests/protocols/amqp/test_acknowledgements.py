"""Which acknowledgements a consumer sends, in whatever order requests end."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from pika import spec
from twisted.internet import reactor
from twisted.internet.defer import Deferred

from stacksync.protocols.amqp.consumer import Bounds, Consumer
from tests.protocols.amqp.broker_frames import delivery
from tests.protocols.amqp.script import Script
from tests.protocols.amqp.work import Work

clock: Any = reactor


def consuming(work: Work) -> tuple[Script, Consumer]:
    script = Script()
    script.log_in()
    consumer = work.consumer(script.clock, script.connection, "requests", Bounds(10, 10, 100))
    starting = Deferred.fromCoroutine(consumer.start())
    script.say(
        spec.Channel.OpenOk(), spec.Basic.QosOk(), spec.Basic.ConsumeOk("requests"), channel=1
    )
    assert starting.called
    script.heard()
    return script, consumer


def acknowledgements(script: Script) -> list[tuple[int, bool]]:
    script.clock.advance(0)
    return [(each.delivery_tag, each.multiple) for each in script.methods()]


def test_the_oldest_are_acknowledged_together_and_others_one_by_one(work: Work) -> None:
    script, _ = consuming(work)
    for tag in range(1, 7):
        script.connection.dataReceived(delivery(b"%d" % tag, tag=tag))

    work.finish(b"1", b"4", b"2", b"6")
    assert acknowledgements(script) == [(2, True), (4, False), (6, False)]

    work.finish(b"3")
    assert acknowledgements(script) == [(3, True)]
    work.finish(b"5")
    assert acknowledgements(script) == [(5, True)]
    assert acknowledgements(script) == []


@given(st.data())
def test_in_whatever_order_requests_end_each_is_acknowledged_once(data: st.DataObject) -> None:
    work = Work()
    script, _ = consuming(work)
    in_hand: set[int] = set()
    unacknowledged: set[int] = set()
    tag = 0
    for _ in range(data.draw(st.integers(1, 25))):
        step = data.draw(st.sampled_from(["deliver", "finish", "flush"]))
        if step == "deliver":
            tag += 1
            script.connection.dataReceived(delivery(b"%d" % tag, tag=tag))
            in_hand.add(tag)
            unacknowledged.add(tag)
        elif step == "finish" and in_hand:
            done = data.draw(st.sampled_from(sorted(in_hand)))
            in_hand.remove(done)
            work.finish(b"%d" % done)
        else:
            for acknowledged, multiple in acknowledgements(script):
                covered = {t for t in unacknowledged if t <= acknowledged} if multiple else set()
                covered.add(acknowledged)
                assert covered <= unacknowledged
                assert not covered & in_hand
                unacknowledged -= covered
            assert unacknowledged == in_hand
