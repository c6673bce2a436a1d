"""A server that is killed at any moment loses nothing and does nothing twice."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import pytest
import requests

from tests.integration.clients.http_device import HttpDevice
from tests.integration.clients.items import changed, new_file
from tests.integration.conftest import Devices
from tests.integration.surroundings.fleet import Fleet
from tests.integration.surroundings.ledger import Ledger, until
from tests.integration.surroundings.people import People
from tests.integration.surroundings.urls import proxy_for, through
from tests.servers.proxy import Proxy
from tests.servers.stacksync import KnownUser, StackSyncProcess

# No sweep: a request that was not acknowledged comes again by itself.
REDELIVERY_ALONE = {"sweep_interval": "1h"}


@pytest.fixture(scope="module")
def server(module_fleet: Fleet, module_database_dsn: str, module_amqp_url: str) -> StackSyncProcess:
    return module_fleet.start(module_database_dsn, module_amqp_url, service=REDELIVERY_ALONE)


@pytest.fixture
def ledger(server: StackSyncProcess) -> Ledger:
    return Ledger(server.database_url)


@pytest.fixture
def wire(server: StackSyncProcess) -> Iterator[Proxy]:
    """What stands between the doomed server and the broker."""
    with closing(proxy_for(server.amqp_url)) as proxy:
        yield proxy


@pytest.fixture
def doomed(fleet: Fleet, server: StackSyncProcess, wire: Proxy) -> Iterator[StackSyncProcess]:
    """The only server that runs, connected to the broker by ``wire``; ``server`` stands by."""
    if server.running:
        server.terminate()
    doomed = fleet.start(
        server.database_url, through(wire, server.amqp_url), service=REDELIVERY_ALONE
    )
    yield doomed
    doomed.kill()
    if not server.running:
        server.start()


def test_killed_before_it_could_tell_anybody(
    doomed: StackSyncProcess,
    server: StackSyncProcess,
    wire: Proxy,
    ledger: Ledger,
    user: KnownUser,
    devices: Devices,
) -> None:
    """Committed in the database; neither announced nor acknowledged."""
    laptop = devices.laptop(user, at=server)
    wire.hold_requests()
    request_id = laptop.send_commit(new_file("survivor"))
    until(lambda: ledger.has_committed(request_id), "the commit")

    doomed.kill()
    laptop.read()
    assert not laptop.is_answered(request_id)
    server.start()

    answer = laptop.answer_to(request_id)
    assert answer.item["version"] == 1
    assert laptop.next_notification().revision == 1
    assert laptop.changes(since=0) == [answer.item]
    ledger.assert_sound()


def test_killed_when_it_had_told_but_not_acknowledged(
    doomed: StackSyncProcess,
    server: StackSyncProcess,
    wire: Proxy,
    ledger: Ledger,
    user: KnownUser,
    devices: Devices,
) -> None:
    """The broker has the notification, but its confirmation does not get through."""
    laptop = devices.laptop(user, at=server)
    # From the first commit on the server knows that the exchange is there, and need not ask.
    laptop.commit(new_file("before"))
    with ledger.lock(laptop.workspace):
        request_id = laptop.send_commit(new_file("survivor"))
        until(ledger.waiting_commits, "the commit waits for the lock")
        wire.hold_answers()
    first = laptop.answer_to(request_id)

    doomed.kill()
    server.start()

    assert laptop.answer_to(request_id) == first
    assert first.item in laptop.changes(since=0)
    assert laptop.revision == first.revision == 2
    ledger.assert_sound()


def test_killed_before_the_database_committed(
    doomed: StackSyncProcess,
    server: StackSyncProcess,
    ledger: Ledger,
    user: KnownUser,
    devices: Devices,
) -> None:
    laptop = devices.laptop(user, at=server)
    with ledger.lock(laptop.workspace):
        request_id = laptop.send_commit(new_file("survivor"))
        until(ledger.waiting_commits, "the commit waits for the lock")
        doomed.kill()
    server.start()

    assert laptop.answer_to(request_id).item["version"] == 1
    ledger.assert_sound()


def test_killed_with_200_commits_in_flight(
    doomed: StackSyncProcess,
    server: StackSyncProcess,
    ledger: Ledger,
    people: People,
    devices: Devices,
) -> None:
    laptops = [devices.laptop(people.add(), at=server) for _ in range(10)]
    started = ledger.commits()
    # However fast the others are done, one of them is not when the server is killed.
    with ledger.lock(laptops[0].workspace):
        sent = [
            (laptop, laptop.send_commit(new_file(f"{number}")))
            for number in range(20)
            for laptop in laptops
        ]
        until(lambda: ledger.commits() >= started + 30, "some commits")
        doomed.kill()
    server.start()

    answers = [laptop.answer_to(request_id) for laptop, request_id in sent]
    assert {answer.item["version"] for answer in answers} == {1}
    assert ledger.commits() == started + 200
    for laptop in laptops:
        assert len(laptop.changes(since=0)) == laptop.revision == 20
    ledger.assert_sound()


def test_killed_again_and_again_under_load(
    doomed: StackSyncProcess,
    server: StackSyncProcess,
    ledger: Ledger,
    people: People,
    devices: Devices,
) -> None:
    """Each device counts a file up, a version a commit, sent without waiting for answers."""
    laptops = [devices.laptop(people.add(), at=server) for _ in range(5)]
    items = [laptop.commit(new_file("counter", size=1)).item for laptop in laptops]
    started = ledger.commits()
    sent = [
        (laptop, version, laptop.send_commit(changed({**item, "version": version - 1})))
        for version in range(2, 42)
        for laptop, item in zip(laptops, items, strict=True)
    ]
    for wanted in (started + 20, started + 60, started + 120):
        until(lambda: ledger.commits() >= wanted, "more commits")  # noqa: B023
        doomed.kill()
        doomed.start()

    for laptop, version, request_id in sent:
        assert laptop.answer_to(request_id).item["version"] == version
    ledger.assert_sound()


def test_an_http_commit_whose_answer_is_lost_can_be_repeated(
    server: StackSyncProcess, ledger: Ledger, user: KnownUser, devices: Devices
) -> None:
    phone = devices.phone(user)
    with (
        closing(proxy_for(server.http_url)) as proxy,
        closing(HttpDevice(through(proxy, server.http_url), user)) as unlucky,
    ):
        wish = new_file()
        assert unlucky.workspace == phone.workspace
        proxy.hold_answers()
        lost = threading.Event()

        def commit() -> None:
            with pytest.raises(requests.ConnectionError):
                unlucky.commit(wish, request_id="unlucky", device_id=phone.id)
            lost.set()

        with ThreadPoolExecutor(1) as pool:
            committing = pool.submit(commit)
            until(lambda: ledger.has_committed("unlucky"), "the commit")
            server.kill()
            committing.result(30)
        assert lost.is_set()

    server.start()
    answer = phone.commit(wish, request_id="unlucky")
    assert answer.item["version"] == 1
    assert phone.changes(since=0) == [answer.item]
    ledger.assert_sound()
