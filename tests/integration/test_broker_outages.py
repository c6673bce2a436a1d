"""The broker goes away, under load or before the server starts: nothing is lost."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from tests.integration.clients.items import new_file
from tests.integration.conftest import PROTOCOLS, Devices
from tests.integration.surroundings.fleet import Fleet
from tests.integration.surroundings.ledger import Ledger, until
from tests.integration.surroundings.load import Load
from tests.integration.surroundings.outages import (
    OUTAGES,
    Outage,
    held_up,
    readiness,
    until_missed,
)
from tests.integration.surroundings.people import People
from tests.servers.rabbitmq import RabbitServer
from tests.servers.run import TestRun
from tests.servers.stacksync import StackSyncProcess


@pytest.fixture(scope="module")
def module_broker(test_run: TestRun) -> Iterator[RabbitServer]:
    """A RabbitMQ to break."""
    server = RabbitServer(test_run.new_directory("own-rabbitmq"))
    server.start()
    yield server
    server.kill()


@pytest.fixture
def broker(module_broker: RabbitServer) -> RabbitServer:
    """It runs at the beginning of each test."""
    module_broker.start()
    return module_broker


@pytest.fixture
def amqp_url(broker: RabbitServer) -> Iterator[str]:
    """The URL of a virtual host of this test's own, since what is declared differs."""
    with broker.vhost() as vhost:
        yield broker.url(vhost)


@pytest.fixture
def server(fleet: Fleet, module_database_dsn: str, amqp_url: str) -> StackSyncProcess:
    """A server of this test's own, not started."""
    return fleet.prepare(module_database_dsn, amqp_url, service={"sweep_interval": "1s"})


@pytest.fixture
def people(server: StackSyncProcess) -> People:
    return People(server)


@pytest.fixture
def ledger(module_database_dsn: str) -> Ledger:
    return Ledger(module_database_dsn)


@pytest.mark.parametrize(("durable", "outage"), [("false", "stopped"), ("true", "killed")])
def test_the_broker_goes_away_under_load_and_comes_back(
    durable: str,
    outage: str,
    broker: RabbitServer,
    amqp_url: str,
    ledger: Ledger,
    module_database_dsn: str,
    people: People,
    devices: Devices,
    fleet: Fleet,
) -> None:
    """Each value of ``amqp.durable``, and each way of going away."""
    server = fleet.start(module_database_dsn, amqp_url, amqp={"durable": durable})
    busy = [devices.on(protocol, people.add(), server) for protocol in PROTOCOLS * 2]

    with Load(busy) as load:
        OUTAGES[outage](broker)
        until_missed(server, "broker")
        broker.start()
        load.go_on()
        server.wait_until_ready()

    load.assert_all_is_there()
    ledger.assert_sound()


@pytest.mark.parametrize("outage", OUTAGES.values(), ids=OUTAGES)
def test_with_durable_queues_requests_outlive_the_broker(
    outage: Outage,
    broker: RabbitServer,
    amqp_url: str,
    ledger: Ledger,
    module_database_dsn: str,
    people: People,
    devices: Devices,
    fleet: Fleet,
) -> None:
    """What the broker has confirmed is carried out, though nobody sends it again."""
    server = fleet.start(module_database_dsn, amqp_url, amqp={"durable": "true"})
    laptops = [devices.laptop(people.add(), server) for _ in range(4)]
    with ExitStack() as locks:
        for laptop in laptops:
            laptop.confirm_publishing()
            locks.enter_context(ledger.lock(laptop.workspace))
        wishes = [
            laptop.send_commit(new_file(), request_id=f"{laptop.id} {number}")
            for number in range(25)
            for laptop in laptops
        ]
        outage(broker)
        server.kill()
    broker.start()
    server.start()

    until(lambda: all(map(ledger.has_committed, wishes)), "all that was confirmed")
    for laptop in laptops:
        laptop.reconnect()
        assert laptop.revision == len(laptop.changes(since=0)) == 25
    ledger.assert_sound()


def test_a_server_started_without_a_broker_finds_it_later(
    server: StackSyncProcess, broker: RabbitServer, people: People, devices: Devices
) -> None:
    user = people.add()
    broker.stop()
    server.spawn()
    server.wait_for_status(503)
    until(lambda: "cannot connect" in readiness(server)["broker"], "it says what is wrong")

    phone = devices.phone(user)
    item = phone.commit(new_file()).item
    broker.start()
    server.wait_until_ready()

    assert devices.laptop(user).changes(since=0) == [item]


def test_a_commit_made_without_a_broker_is_announced_when_it_is_back(
    server: StackSyncProcess, broker: RabbitServer, people: People, devices: Devices
) -> None:
    server.start()
    user = people.add()
    laptop, phone = devices.laptop(user), devices.phone(user)
    broker.stop()
    server.wait_for_status(503)

    answer = phone.commit(new_file())
    with held_up(server):
        # It would tell whoever listens when it is connected again.
        broker.start()
        laptop.reconnect()
    server.wait_until_ready()

    assert laptop.next_notification().revision == answer.revision == 1


def test_devices_on_http_hear_each_other_without_a_broker(
    server: StackSyncProcess,
    broker: RabbitServer,
    people: People,
    devices: Devices,
    fleet: Fleet,
) -> None:
    """Even those that are connected to different instances."""
    server.start()
    other = fleet.start(server.database_url, server.amqp_url, service={"sweep_interval": "1s"})
    users = [people.add() for _ in range(4)]
    listeners = [devices.phone(user, at=other) for user in users]
    committers = [devices.phone(user) for user in users]
    broker.stop()
    for each in (server, other):
        each.wait_for_status(503)

    for committer in committers:
        committer.commit(new_file())

    for device in (*listeners, *committers):
        assert device.next_notification().revision == 1
