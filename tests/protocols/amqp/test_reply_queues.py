"""Nobody has us put an answer into somebody else's queue."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest
from attrs import define, field
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.python.failure import Failure

from stacksync.engine.sign_in.broker_access import BrokerQuestion, Grant
from stacksync.errors import Unavailable
from stacksync.protocols.amqp.reply_queues import (
    PAUSE,
    REMEMBERED_FOR,
    ReplyQueues,
    leave_direct,
)
from stacksync.protocols.amqp.wire.frames import Delivery
from tests.protocols.amqp.requests import deliver

ANNA = UUID(int=1)
OWN = f"reply_{ANNA}"


@define
class Access:
    """Stands for the engine, which may be away."""

    asked: list[tuple[str, str]] = field(factory=list)
    away: bool = False

    async def grant(self, question: BrokerQuestion, service: object) -> Grant | None:
        self.asked.append((question.login, question.name))
        if self.away:
            raise Unavailable("database", "away")
        return Grant() if (question.login, question.name) == (str(ANNA), OWN) else None


@pytest.fixture
def access() -> Access:
    return Access()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def queues(clock: Clock, access: Access) -> ReplyQueues:
    names: Any = None
    return ReplyQueues(clock, access, names)


def kept(queues: ReplyQueues, delivery: Delivery, failed: str | None = None) -> Deferred[None]:
    return Deferred.fromCoroutine(queues.keep_own(delivery, lambda: failed))


@pytest.mark.parametrize(("sender", "exchange"), [(str(ANNA), "requests"), (None, f"rpc#{ANNA}")])
def test_a_queue_of_its_own_stays(
    sender: str | None, exchange: str, queues: ReplyQueues, access: Access
) -> None:
    properties = {"user_id": sender} if sender is not None else {}
    for _ in range(2):
        delivery = deliver(b"", exchange=exchange, reply_to=OWN, **properties)
        assert kept(queues, delivery).called
        assert delivery.properties["reply_to"] == OWN
    assert access.asked == [(str(ANNA), OWN)]


@pytest.mark.parametrize("queue", ["ISyncService", f"reply_{UUID(int=2)}"])
def test_another_queue_is_taken_away(queue: str, queues: ReplyQueues) -> None:
    delivery = deliver(b"", reply_to=queue, user_id=str(ANNA))

    assert kept(queues, delivery).called

    assert "reply_to" not in delivery.properties


def test_who_is_nobody_has_no_queue(queues: ReplyQueues) -> None:
    delivery = deliver(b"", reply_to=OWN)

    assert kept(queues, delivery).called

    assert "reply_to" not in delivery.properties


def test_what_the_broker_has_named_nobody_can_guess(queues: ReplyQueues, access: Access) -> None:
    delivery = deliver(b"", reply_to="amq.gen-abc", user_id=str(ANNA))

    assert kept(queues, delivery).called

    assert delivery.properties["reply_to"] == "amq.gen-abc"
    assert not access.asked


@pytest.mark.parametrize("queue", ["", ".g2dk.x", ".!!!"])
def test_no_address_of_a_process_is_written_to(queue: str) -> None:
    delivery = deliver(b"", reply_to=f"amq.rabbitmq.reply-to{queue}")

    leave_direct(delivery)

    assert "reply_to" not in delivery.properties


def test_it_is_looked_up_anew_after_a_while(
    queues: ReplyQueues, access: Access, clock: Clock
) -> None:
    kept(queues, deliver(b"", reply_to=OWN, user_id=str(ANNA)))
    clock.advance(REMEMBERED_FOR)
    kept(queues, deliver(b"", reply_to=OWN, user_id=str(ANNA)))

    assert len(access.asked) == 2


def test_requests_wait_while_the_database_is_away(
    queues: ReplyQueues, access: Access, clock: Clock
) -> None:
    access.away = True
    delivery = deliver(b"", reply_to=OWN, user_id=str(ANNA))
    done: list[None] = []
    kept(queues, delivery).addCallback(done.append)
    clock.advance(PAUSE)
    assert not done

    access.away = False
    clock.advance(PAUSE)

    assert len(done) == 1
    assert delivery.properties["reply_to"] == OWN


def test_with_the_connection_gone_it_comes_again(queues: ReplyQueues, access: Access) -> None:
    access.away = True
    told: list[Failure] = []
    waiting = kept(queues, deliver(b"", reply_to=OWN, user_id=str(ANNA)), failed="gone")
    waiting.addErrback(told.append)

    assert told[0].check(Unavailable)
