"""The database goes away, under load or before the server starts: nothing is lost."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from stacksync.db.migrations import migrate
from tests.integration.clients.items import new_file
from tests.integration.conftest import PROTOCOLS, Devices
from tests.integration.surroundings.fleet import Fleet
from tests.integration.surroundings.ledger import Ledger, until
from tests.integration.surroundings.load import Load
from tests.integration.surroundings.outages import OUTAGES, Outage, until_missed
from tests.integration.surroundings.people import People
from tests.servers.postgres import PostgresServer
from tests.servers.run import TestRun
from tests.servers.stacksync import StackSyncProcess


@pytest.fixture(params=OUTAGES)
def outage(request: pytest.FixtureRequest) -> Outage:
    """Each way of going away."""
    return OUTAGES[request.param]


@pytest.fixture(scope="module")
def module_database(test_run: TestRun) -> Iterator[PostgresServer]:
    """A PostgreSQL to break."""
    server = PostgresServer(test_run.new_directory("own-postgres"))
    server.start()
    migrate(server.dsn())
    yield server
    server.kill()


@pytest.fixture
def database(module_database: PostgresServer) -> PostgresServer:
    """It runs at the beginning of each test."""
    module_database.start()
    return module_database


@pytest.fixture
def server(fleet: Fleet, database: PostgresServer, amqp_url: str) -> StackSyncProcess:
    """A server of this test's own, not started."""
    return fleet.prepare(database.dsn(), amqp_url)


@pytest.fixture
def people(server: StackSyncProcess) -> People:
    return People(server)


@pytest.fixture
def ledger(database: PostgresServer) -> Ledger:
    return Ledger(database.dsn())


def test_the_database_goes_away_under_load_and_comes_back(
    outage: Outage,
    server: StackSyncProcess,
    database: PostgresServer,
    ledger: Ledger,
    people: People,
    devices: Devices,
) -> None:
    server.start()
    busy = [devices.on(protocol, people.add()) for protocol in PROTOCOLS * 2]

    with Load(busy) as load:
        outage(database)
        until_missed(server, "database")
        database.start()
        server.wait_until_ready()
        load.go_on()

    load.assert_all_is_there()
    ledger.assert_sound()


def test_requests_wait_while_the_database_is_away(
    fleet: Fleet,
    database: PostgresServer,
    amqp_url: str,
    ledger: Ledger,
    people: People,
    devices: Devices,
) -> None:
    # Those that have waited so long are tried again later, each for itself.
    server = fleet.start(database.dsn(), amqp_url, database={"wait_timeout": "60s"})
    laptop = devices.laptop(people.add(), server)
    database.stop()

    wishes = [laptop.send_commit(new_file()) for _ in range(50)]
    server.wait_for_status(503)
    database.start()

    answers = [laptop.answer_to(wish) for wish in wishes]
    assert [answer.revision for answer in answers] == list(range(1, 51))
    ledger.assert_sound()


def test_requests_wait_for_a_server(
    server: StackSyncProcess, ledger: Ledger, people: People, devices: Devices
) -> None:
    server.start()
    laptop = devices.laptop(people.add())
    server.terminate()

    wishes = [laptop.send_commit(new_file()) for _ in range(50)]
    server.start()

    assert [laptop.answer_to(wish).revision for wish in wishes] == list(range(1, 51))


def test_a_server_started_without_a_database_finds_it_later(
    server: StackSyncProcess, database: PostgresServer, people: People, devices: Devices
) -> None:
    user = people.add()
    database.stop()
    server.spawn()
    until(lambda: "trying again" in server.log_text(), "the first attempt")

    database.start()
    server.wait_until_ready()

    assert devices.phone(user).commit(new_file()).revision == 1
