"""Two server processes on one database and one broker are one service."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

import psycopg2
import pytest

from tests.integration.clients.answers import Notification
from tests.integration.clients.device import Device
from tests.integration.clients.items import new_file
from tests.integration.conftest import PROTOCOLS, Devices
from tests.integration.surroundings.fleet import Fleet
from tests.integration.surroundings.ledger import Ledger, until
from tests.integration.surroundings.load import Load
from tests.integration.surroundings.people import People
from tests.integration.surroundings.urls import proxy_for, through
from tests.servers.proxy import Proxy
from tests.servers.stacksync import KnownUser, StackSyncProcess

SWEEPING = {"sweep_interval": "1s"}

WHO_DID_IT = """
    CREATE SCHEMA test;
    CREATE TABLE test.deed (doer text);
    CREATE FUNCTION test.note() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        INSERT INTO test.deed VALUES (current_setting('application_name'));
        RETURN NULL;
    END $$;
    CREATE TRIGGER note AFTER INSERT ON item_version FOR EACH ROW EXECUTE FUNCTION test.note();
"""


def known_as(database_url: str, name: str) -> str:
    """The URL with which a server introduces itself to the database."""
    return f"{database_url}{'&' if '?' in database_url else '?'}application_name={name}"


def latest(device: Device, revision: int) -> Notification:
    """What the device is told of this revision.

    Of those before it, it may be told first, and twice: where the machine stands still for two
    seconds, a sweep tells what who made it is about to tell.
    """
    while (told := device.next_notification()).revision < revision:
        pass
    return told


@pytest.fixture(scope="module")
def server(module_fleet: Fleet, module_database_dsn: str, module_amqp_url: str) -> StackSyncProcess:
    """One of the two."""
    return module_fleet.start(
        known_as(module_database_dsn, "one"), module_amqp_url, service=SWEEPING
    )


@pytest.fixture(scope="module")
def other_server(
    module_fleet: Fleet,
    module_database_dsn: str,
    module_amqp_url: str,
    server: StackSyncProcess,
) -> StackSyncProcess:
    """The other one."""
    return module_fleet.start(
        known_as(module_database_dsn, "other"), module_amqp_url, service=SWEEPING
    )


@pytest.fixture
def ledger(server: StackSyncProcess, other_server: StackSyncProcess) -> Ledger:
    return Ledger(server.database_url)


def test_both_take_a_fair_part_of_the_load(
    ledger: Ledger, module_database_dsn: str, people: People, devices: Devices
) -> None:
    with closing(psycopg2.connect(module_database_dsn)) as connection, connection:
        connection.cursor().execute(WHO_DID_IT)
    laptops = [devices.laptop(people.add()) for _ in range(10)]

    sent = [(laptop, laptop.send_commit(new_file())) for _ in range(20) for laptop in laptops]
    for laptop, request_id in sent:
        laptop.answer_to(request_id)

    parts = dict(ledger.rows("SELECT doer, count(*) FROM test.deed GROUP BY doer"))
    assert sum(parts.values()) == 200
    assert parts["one"] >= 50
    assert parts["other"] >= 50


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_device_connected_to_either_hears_every_commit(
    protocol: str,
    user: KnownUser,
    server: StackSyncProcess,
    other_server: StackSyncProcess,
    devices: Devices,
) -> None:
    both = (server, other_server)
    phones = [devices.phone(user, at) for at in both]
    laptop = devices.laptop(user)
    committers = [devices.on(protocol, user, at) for at in both]

    for revision in range(1, 21):
        answer = committers[revision % 2].commit(new_file())
        assert answer.revision == revision
        assert latest(laptop, revision).answer == answer
        for phone in phones:
            assert latest(phone, revision).revision == revision


def test_of_many_commits_at_once_each_instance_tells_the_last(
    user: KnownUser,
    server: StackSyncProcess,
    other_server: StackSyncProcess,
    devices: Devices,
) -> None:
    """Hints are gathered: who is told the newest revision can ask for what came before."""
    phones = [devices.phone(user, at) for at in (server, other_server)]
    laptop = devices.laptop(user)

    sent = [laptop.send_commit(new_file()) for _ in range(100)]
    for request_id in sent:
        laptop.answer_to(request_id)

    for phone in phones:
        latest(phone, 100)
        assert len(phone.changes(since=0)) == 100


def test_a_renamed_workspace_is_told_by_the_instance_that_did_it(
    user: KnownUser, other_server: StackSyncProcess, devices: Devices
) -> None:
    laptop, phone = devices.laptop(user), devices.phone(user, at=other_server)

    phone.update_workspace(phone.workspace, "renamed")

    assert laptop.next_update().name == phone.next_update().name == "renamed"


def test_killing_either_loses_nothing(
    ledger: Ledger,
    server: StackSyncProcess,
    other_server: StackSyncProcess,
    people: People,
    devices: Devices,
) -> None:
    busy = [
        devices.on(protocol, people.add(), at)
        for at in (server, other_server)
        for protocol in PROTOCOLS
    ]
    with Load(busy) as load:
        for victim in (server, other_server):
            victim.kill()
            laptops = [device for device in busy if device.protocol == "amqp"]
            load.go_on(devices=laptops)
            victim.start()
            load.go_on()

    load.assert_all_is_there()
    ledger.assert_sound()


@pytest.fixture
def mute(
    fleet: Fleet, module_database_dsn: str, module_amqp_url: str
) -> Iterator[tuple[StackSyncProcess, Proxy]]:
    """One more instance, with its line to the broker, which can be held."""
    with closing(proxy_for(module_amqp_url)) as line:
        server = fleet.start(module_database_dsn, through(line, module_amqp_url), service=SWEEPING)
        yield server, line
        server.kill()


def test_what_an_instance_could_not_announce_any_more_another_one_does(
    mute: tuple[StackSyncProcess, Proxy],
    user: KnownUser,
    other_server: StackSyncProcess,
    devices: Devices,
) -> None:
    doomed, line = mute
    laptop, phone = devices.laptop(user), devices.phone(user, at=other_server)
    committer = devices.phone(user, at=doomed)
    line.hold_requests()

    first, second = committer.commit(new_file()), committer.commit(new_file())
    doomed.kill()

    heard = latest(laptop, 2)
    assert heard.revision == second.revision == 2
    assert heard.answer is not None
    assert heard.answer.items == second.items
    latest(phone, 2)
    assert laptop.changes(since=0) == [*first.items, *second.items]


def test_an_instance_without_a_broker_does_not_keep_the_others_from_telling(
    mute: tuple[StackSyncProcess, Proxy], ledger: Ledger, user: KnownUser, devices: Devices
) -> None:
    cut_off, line = mute
    laptop = devices.laptop(user)
    line.refuse()
    cut_off.wait_for_status(503)

    answer = devices.phone(user, at=cut_off).commit(new_file())

    assert laptop.next_notification().revision == answer.revision
    line.listen()
    cut_off.wait_until_ready()


def test_the_instances_agree_on_what_was_announced(
    ledger: Ledger, user: KnownUser, devices: Devices, server: StackSyncProcess
) -> None:
    """A sweep tells nobody again what another instance has told."""
    laptop, phone = devices.laptop(user), devices.phone(user)
    phone.commit(new_file())
    until(
        lambda: ledger.rows(
            "SELECT FROM workspace WHERE id = %s AND committed_at < now() - interval '4 s'",
            phone.workspace,
        ),
        "two sweeps are over",
    )
    phone.commit(new_file())

    assert [laptop.next_notification().revision for _ in range(2)] == [1, 2]
