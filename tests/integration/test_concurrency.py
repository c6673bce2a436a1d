"""Commits to different workspaces do not get into each other's way.

Rates are compared within one run: what a machine can do is for the benchmarks.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from datetime import UTC, datetime
from statistics import median
from uuid import UUID, uuid4

import orjson
import psycopg2
import pytest

from stacksync.db.commits import ReadyRequest, request_as_json
from stacksync.model import CommitRequest, ItemChange, ItemStatus
from tests.integration.amqp_device import AmqpDevice
from tests.integration.answers import to_amqp
from tests.integration.conftest import Devices
from tests.integration.device import Device
from tests.integration.http_device import HttpDevice
from tests.integration.items import new_file
from tests.integration.ledger import Ledger, until
from tests.integration.people import People
from tests.servers.stacksync import KnownUser, StackSyncProcess

FEW, MANY = 8, 32
PAIRS = 7
COMMITS = 256
NOT_SLOWER = 0.8
"""The share of the rate with few in flight that the rate with many has at least."""

LOOKS = 500
"""How often to look who waits for what."""

Run = Callable[[int], None]
"""Makes ``COMMITS`` commits, so many of them in flight at a time."""


@pytest.fixture(scope="module")
def households(server: StackSyncProcess, people: People) -> Iterator[list[HttpDevice]]:
    """A device on HTTP of each of many users."""
    with ExitStack() as connections:
        devices = [HttpDevice(server.http_url, people.add()) for _ in range(MANY)]
        for device in devices:
            connections.callback(device.close)
            device.register()
            assert device.workspace
        yield devices


@pytest.fixture
def ledger(server: StackSyncProcess) -> Ledger:
    return Ledger(server.database_url)


def rate(run: Run, in_flight: int) -> float:
    """Commits a second."""
    started = time.monotonic()
    run(in_flight)
    return COMMITS / (time.monotonic() - started)


def assert_many_are_no_slower(run: Run) -> None:
    """Compare pairs of runs, first one and then the other way round, and take the median.

    What else the machine does changes a single pair by half.
    """
    run(MANY)  # unmeasured: all connections are there, and the functions compiled
    ratios = []
    for number in range(PAIRS):
        order = (FEW, MANY) if number % 2 else (MANY, FEW)
        rates = {in_flight: rate(run, in_flight) for in_flight in order}
        ratios.append(rates[MANY] / rates[FEW])
    assert median(ratios) >= NOT_SLOWER, f"{MANY} in flight, compared with {FEW}: {ratios}"


def test_through_amqp_32_in_flight_are_no_slower_than_8(
    households: list[HttpDevice], user: KnownUser, devices: Devices
) -> None:
    laptop = devices.laptop(user)

    def run(in_flight: int) -> None:
        waiting: list[str] = []
        for number in range(COMMITS):
            if len(waiting) == in_flight:
                laptop.response_to(waiting.pop(0))
            waiting.append(send_for(laptop, households[number % in_flight]))
        for message_id in waiting:
            laptop.response_to(message_id)

    assert_many_are_no_slower(run)


def send_for(laptop: AmqpDevice, other: Device) -> str:
    """Send a commit of another user's device, as a trusted party may."""
    return laptop.send(
        "commit",
        asynchronous=False,
        userId=str(other.user.id),
        workspaceId=other.workspace,
        deviceId=other.id,
        items=[to_amqp(new_file())],
    )


def test_through_http_32_in_flight_are_no_slower_than_8(households: list[HttpDevice]) -> None:
    def run(in_flight: int) -> None:
        def commit(device: HttpDevice) -> None:
            for _ in range(COMMITS // in_flight):
                device.commit(new_file())

        with ThreadPoolExecutor(in_flight) as pool:
            list(pool.map(commit, households[:in_flight]))

    assert_many_are_no_slower(run)


def test_in_the_database_32_commits_at_a_time_wait_for_no_lock(
    households: list[HttpDevice], server: StackSyncProcess, ledger: Ledger
) -> None:
    """Each on a connection of its own, none sharing a transaction with another.

    Not a rate: with more sessions than cores any statement gets slower.
    """
    finished = threading.Event()

    def commit(device: HttpDevice) -> None:
        with closing(psycopg2.connect(server.database_url)) as connection:
            connection.autocommit = True
            while not finished.is_set():
                commit_directly(connection, device)

    with ThreadPoolExecutor(MANY) as pool:
        working = [pool.submit(commit, device) for device in households]
        try:
            before = ledger.commits()
            seen = ledger.lock_waits(LOOKS)
            done = ledger.commits() - before
        finally:
            finished.set()
        for each in working:
            each.result()

    assert done > 10 * MANY, "too few to be in each other's way"
    # Each waits now and then while another makes a table's file longer.
    assert seen - {"extend"} == set()


def commit_directly(connection: psycopg2.extensions.connection, device: Device) -> None:
    """Call the commit function, as the server does, for one new file."""
    change = ItemChange(
        status=ItemStatus.NEW, version=1, modified_at=datetime.now(UTC), name=str(uuid4()), size=1
    )
    request = CommitRequest(UUID(device.workspace), UUID(device.id), str(uuid4()), (change,))
    told = orjson.dumps([request_as_json(ReadyRequest(device.user.id, request, {}, {}))])
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT commit_items(%s::uuid[], %s::jsonb, true)",
            [[device.workspace], told.decode()],
        )
        (answers,) = cursor.fetchone() or ()
    assert answers[0]["outcomes"][0]["refusal"] is None


def test_a_commit_takes_no_lock_that_another_workspaces_commit_needs(
    households: list[HttpDevice], server: StackSyncProcess, ledger: Ledger
) -> None:
    one, other = households[:2]
    with (
        closing(psycopg2.connect(server.database_url)) as unfinished,
        closing(psycopg2.connect(server.database_url)) as second,
    ):
        commit_directly(unfinished, one)
        held = ledger.rows(
            "SELECT DISTINCT locktype, mode FROM pg_locks WHERE pid = %s",
            unfinished.info.backend_pid,
        )
        assert {kind for kind, _ in held} <= {"relation", "virtualxid", "transactionid"}
        assert {mode for kind, mode in held if kind == "relation"} <= {
            *("AccessShareLock", "RowShareLock", "RowExclusiveLock")
        }
        second.cursor().execute("SET lock_timeout = '2s'")
        commit_directly(second, other)
        second.commit()


def test_a_workspace_that_is_locked_holds_up_nobody_else(
    user: KnownUser, protocol: str, people: People, devices: Devices, ledger: Ledger
) -> None:
    stuck, free = devices.laptop(user), devices.on(protocol, people.add())

    with ledger.lock(stuck.workspace):
        request_id = stuck.send_commit(new_file())
        until(ledger.waiting_commits, "the commit waits for the lock")
        for _ in range(20):
            free.commit(new_file())
        assert ledger.waiting_commits() == 1

    assert stuck.answer_to(request_id).revision == 1
