"""The line between server and database breaks at the worst moment."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import pytest

from tests.integration.clients.items import new_file
from tests.integration.conftest import PROTOCOLS, Devices
from tests.integration.surroundings.fleet import Fleet
from tests.integration.surroundings.ledger import Ledger, until
from tests.integration.surroundings.load import Load
from tests.integration.surroundings.outages import until_missed
from tests.integration.surroundings.people import People
from tests.integration.surroundings.urls import proxy_for, through
from tests.servers.proxy import Proxy
from tests.servers.stacksync import KnownUser, StackSyncProcess


@pytest.fixture(scope="module")
def wire(module_database_dsn: str) -> Iterator[Proxy]:
    """The line."""
    with closing(proxy_for(module_database_dsn)) as wire:
        yield wire


@pytest.fixture(scope="module")
def server(
    module_fleet: Fleet, module_database_dsn: str, module_amqp_url: str, wire: Proxy
) -> StackSyncProcess:
    """A server that does not wait long for its database."""
    return module_fleet.start(
        through(wire, module_database_dsn),
        module_amqp_url,
        database={"statement_timeout": "3s", "wait_timeout": "2s"},
    )


@pytest.fixture
def ledger(module_database_dsn: str) -> Ledger:
    return Ledger(module_database_dsn)


@pytest.fixture(autouse=True)
def whole(wire: Proxy, server: StackSyncProcess) -> Iterator[None]:
    """The line is whole at the beginning of each test."""
    wire.release()
    server.wait_until_ready()
    yield
    wire.release()


def test_a_commit_whose_outcome_got_lost_is_done_once(
    protocol: str, wire: Proxy, ledger: Ledger, user: KnownUser, devices: Devices
) -> None:
    """The database has committed, but the server does not hear of it and has to ask again."""
    device = devices.on(protocol, user)

    with ThreadPoolExecutor(1) as pool:
        with ledger.lock(device.workspace):
            committing = pool.submit(device.commit, new_file(), request_id=f"lost on {protocol}")
            until(ledger.waiting_commits, "the commit waits for the lock")
            wire.hold_answers()
        until(lambda: ledger.has_committed(f"lost on {protocol}"), "the commit")
        wire.cut()
        wire.release()
        answer = committing.result()

    assert (answer.revision, answer.item["version"]) == (1, 1)
    assert device.changes(since=0) == [answer.item]
    ledger.assert_sound()


def test_a_database_that_does_not_answer_is_given_up_and_asked_again(
    wire: Proxy, server: StackSyncProcess, ledger: Ledger, user: KnownUser, devices: Devices
) -> None:
    laptop = devices.laptop(user)
    wire.hold_answers()

    request_id = laptop.send_commit(new_file())
    until_missed(server, "database")
    wire.release()

    assert laptop.answer_to(request_id).revision == 1
    server.wait_until_ready()
    ledger.assert_sound()


def test_the_line_breaks_again_and_again_under_load(
    wire: Proxy, ledger: Ledger, people: People, devices: Devices
) -> None:
    busy = [devices.on(protocol, people.add()) for protocol in PROTOCOLS * 2]

    with Load(busy) as load:
        for _ in range(5):
            wire.cut()
            load.go_on(5)

    load.assert_all_is_there()
    ledger.assert_sound()


def test_other_instances_are_heard_again_when_the_line_is_mended(
    wire: Proxy,
    server: StackSyncProcess,
    fleet: Fleet,
    module_database_dsn: str,
    user: KnownUser,
    devices: Devices,
) -> None:
    other = fleet.start(module_database_dsn, server.amqp_url)
    phone, committer = devices.phone(user), devices.phone(user, at=other)
    wire.refuse()
    server.wait_for_status(503)
    wire.listen()
    server.wait_until_ready()

    assert committer.commit(new_file()).revision == 1

    assert phone.next_notification().revision == 1
