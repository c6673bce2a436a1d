"""Commits to different workspaces do not get into each other's way.

How fast they are is for the benchmarks.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from datetime import UTC, datetime
from uuid import UUID, uuid4

import orjson
import psycopg2
import pytest

from stacksync.db.commits import ReadyRequest, request_as_json
from stacksync.model import CommitRequest, ItemChange, ItemStatus
from tests.integration.clients.answers import Answer
from tests.integration.clients.device import Device
from tests.integration.clients.http_device import HttpDevice
from tests.integration.clients.items import new_file
from tests.integration.conftest import Devices
from tests.integration.surroundings.ledger import Ledger, until
from tests.integration.surroundings.people import People
from tests.servers.stacksync import StackSyncProcess

MANY = 32

LOOKS = 100
"""How often to look who waits for what, at the least."""


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
            goal = ledger.commits() + 20 * MANY
            seen = ledger.lock_waits(LOOKS)
            # Fewer are hardly in each other's way.
            while ledger.commits() < goal and not any(each.done() for each in working):
                seen |= ledger.lock_waits(LOOKS)
        finally:
            finished.set()
        for each in working:
            each.result()

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


def test_workspaces_that_are_locked_hold_up_nobody_else(
    households: list[HttpDevice], people: People, devices: Devices, ledger: Ledger
) -> None:
    """However their commits share transactions, on both protocols."""
    stuck = [devices.laptop(people.add()) for _ in range(4)]
    with ExitStack() as locks, ThreadPoolExecutor(MANY) as pool:
        for laptop in stuck:
            locks.enter_context(ledger.lock(laptop.workspace))
        waiting = [(laptop, laptop.send_commit(new_file())) for _ in range(10) for laptop in stuck]
        until(ledger.waiting_commits, "commits wait for the locks")
        free = devices.laptop(people.add())
        for _ in range(20):
            free.commit(new_file())
        assert all(answer.item for answer in pool.map(commit_twice, households))
        assert ledger.waiting_commits() <= len(stuck)

    revisions = sorted(laptop.answer_to(request_id).revision for laptop, request_id in waiting)
    assert revisions == sorted([*range(1, 11)] * len(stuck))


def commit_twice(device: HttpDevice) -> Answer:
    device.commit(new_file())
    return device.commit(new_file())
