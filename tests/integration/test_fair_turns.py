"""An account that sends thousands of requests at once keeps no other one waiting."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Iterator
from contextlib import closing
from typing import Any
from uuid import uuid4

import pika
import psycopg2
import pytest

from tests.integration.surroundings.fleet import Fleet
from tests.integration.surroundings.people import People
from tests.servers.stacksync import KnownUser, StackSyncProcess

FLOOD = 2000
IN_FLIGHT = 4
A_FEW = 200
"""Requests of the flood that may be answered before another account's one that waits beside them:
it takes one statement, and how soon that gets to run is the machine's business."""

PATIENCE = 120.0

ONLOOKER = "carl"


@pytest.fixture(scope="module")
def server(module_fleet: Fleet, module_database_dsn: str, module_amqp_url: str) -> StackSyncProcess:
    """A server that works at few requests at a time, so that they wait."""
    amqp = {"prefetch": str(2 * IN_FLIGHT), "account_in_flight": str(IN_FLIGHT), "backlog": "4000"}
    return module_fleet.start(module_database_dsn, module_amqp_url, amqp=amqp)


@pytest.fixture
def channel(module_amqp_url: str) -> Iterator[Any]:
    """Somebody who sends the requests of several accounts, and hears all answers."""
    with closing(pika.BlockingConnection(pika.URLParameters(module_amqp_url))) as connection:
        yield connection.channel()


def ask(
    channel: Any, answers: str, user: KnownUser, name: str, method: str = "getWorkspaces"
) -> None:
    """Ask for a user's workspaces; the answer is known by its name."""
    fields = {"userId": str(user.id), "requestId": str(uuid4())}
    request = {"id": name, "method": method, "async": False, "params": [fields]}
    properties = pika.BasicProperties(
        reply_to=answers, correlation_id=name, type="gson", app_id="ISyncService"
    )
    body = json.dumps(request).encode()
    channel.basic_publish("rpc_global_exchange", "ISyncService", body, properties)


def answered(channel: Any, answers: str) -> Iterator[str]:
    """The names of the requests that are answered, as the answers come."""
    end = time.monotonic() + PATIENCE
    for _, properties, body in channel.consume(answers, auto_ack=True, inactivity_timeout=1.0):
        if properties is not None:
            assert ("error" in json.loads(body)) == (properties.correlation_id == ONLOOKER)
            yield properties.correlation_id
        assert time.monotonic() < end, "there are no more answers"


def test_another_account_is_answered_in_the_midst_of_a_flood(
    server: StackSyncProcess, people: People, channel: Any
) -> None:
    anna, bert, carl = people.add(), people.add(), people.add()
    answers = channel.queue_declare("", exclusive=True).method.queue
    heard = answered(channel, answers)
    with closing(psycopg2.connect(server.database_url)) as database:
        # All of it has come before anybody is answered: the order tells, not the time.
        database.cursor().execute("LOCK TABLE workspace")
        os.kill(server.pid, signal.SIGSTOP)
        for number in range(FLOOD):
            ask(channel, answers, anna, f"anna {number}")
        ask(channel, answers, bert, "bert")
        ask(channel, answers, carl, ONLOOKER, "what the server refuses without a look")
        os.kill(server.pid, signal.SIGCONT)
        assert next(heard) == ONLOOKER

    order = [next(heard) for _ in range(FLOOD + 1)]

    assert order.index("bert") < A_FEW
    assert sorted(order) == sorted(["bert", *(f"anna {number}" for number in range(FLOOD))])
