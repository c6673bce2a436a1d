"""Who does not read their event stream costs the server little, and others nothing."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from uuid import uuid4

import pytest

from tests.integration.clients.amqp_device import AmqpDevice
from tests.integration.clients.items import new_file
from tests.integration.clients.unread import UnreadAnswer
from tests.integration.conftest import Devices
from tests.integration.surroundings.fleet import Fleet
from tests.integration.surroundings.people import People
from tests.servers.stacksync import KnownUser, StackSyncProcess

SLOW_READERS = 20
COMMITS = 500
ITEMS_PER_COMMIT = 20
CHUNKS_PER_ITEM = 20
IN_FLIGHT = 50

MEBIBYTE = 1024**2
AT_ONCE = 15.0
"""Seconds; it takes milliseconds, but the machine may be busy."""
PATIENCE = 60.0
"""Seconds for one who does not read to be told the rest when it does."""


class SlowReader(UnreadAnswer):
    """Asks for the events, and reads none of them until it is told to."""

    def __init__(self, server: StackSyncProcess, user: KnownUser) -> None:
        super().__init__(server, user, "/events")
        assert b"event: hello" in self.read()

    def read_until(self, revision: int) -> int:
        """Read up to the event of a revision; how many bytes that was."""
        told = re.compile(rb'"revision":%d\b' % revision)
        size, latest = 0, b""
        end = time.monotonic() + PATIENCE
        while not told.search(latest):
            assert time.monotonic() < end, f"revision {revision} is not told"
            piece = self.read()
            assert piece, "the stream was closed"
            size += len(piece)
            latest = latest[-100:] + piece
        return size


@pytest.fixture(scope="module")
def server(module_fleet: Fleet, module_database_dsn: str, module_amqp_url: str) -> StackSyncProcess:
    """One that drops nobody for not reading as long as a test takes on a busy machine."""
    return module_fleet.start(
        module_database_dsn, module_amqp_url, http={"event_heartbeat": "120s"}
    )


@pytest.fixture
def slow_readers(server: StackSyncProcess, user: KnownUser) -> Iterator[list[SlowReader]]:
    with ExitStack() as stack:
        readers = [SlowReader(server, user) for _ in range(SLOW_READERS)]
        for reader in readers:
            stack.callback(reader.close)
        yield readers


def resident_memory(server: StackSyncProcess) -> int:
    """Bytes."""
    status = Path(f"/proc/{server.pid}/status").read_text()
    found = re.search(r"VmRSS:\s+(\d+) kB", status)
    assert found is not None
    return int(found[1]) * 1024


def commit_much(laptop: AmqpDevice, commits: int) -> int:
    """Commits of many items with long names; the bytes of all their notifications."""
    waiting: list[str] = []
    told = 0

    def take_answer() -> int:
        assert len(laptop.answer_to(waiting.pop(0)).items) == ITEMS_PER_COMMIT
        return len(laptop.last_received)

    for _ in range(commits):
        batch = [
            new_file(str(uuid4()).ljust(255, "n"), chunks=["c" * 255] * CHUNKS_PER_ITEM)
            for _ in range(ITEMS_PER_COMMIT)
        ]
        waiting.append(laptop.send_commit(*batch))
        if len(waiting) == IN_FLIGHT:
            told += take_answer()
    while waiting:
        told += take_answer()
    return told


def test_slow_readers_do_not_grow_the_servers_memory(
    server: StackSyncProcess, user: KnownUser, devices: Devices
) -> None:
    laptop = devices.laptop(user)
    commit_much(laptop, 100)
    before = resident_memory(server)

    with ExitStack() as stack:
        readers = [SlowReader(server, user) for _ in range(SLOW_READERS)]
        for reader in readers:
            stack.callback(reader.close)
        told = commit_much(laptop, COMMITS)
        grown = resident_memory(server) - before

        # Had it kept all, it would have grown by this, or by twenty times this.
        assert told > 45 * MEBIBYTE
        assert grown < 30 * MEBIBYTE
        sizes = [reader.read_until(100 + COMMITS) for reader in readers]
    assert max(sizes) < told / 2


def test_others_hear_at_once(
    slow_readers: list[SlowReader],
    user: KnownUser,
    people: People,
    devices: Devices,
) -> None:
    laptop, reader = devices.laptop(user), devices.phone(user)
    other = devices.phone(people.add())
    commit_much(laptop, 100)
    while reader.next_notification().revision < 100:
        pass

    for revision in range(101, 121):
        laptop.commit(new_file())
        assert reader.next_notification(within=AT_ONCE).revision == revision
        started = time.monotonic()
        other.commit(new_file())
        other.next_notification(within=AT_ONCE)
        assert time.monotonic() - started < AT_ONCE

    for slow in slow_readers:
        slow.read_until(120)


def test_a_reader_that_comes_back_to_life_misses_nothing(
    server: StackSyncProcess, user: KnownUser, devices: Devices
) -> None:
    """Told of a revision that it does not know, it asks for the changes."""
    laptop, phone = devices.laptop(user), devices.phone(user)
    slow = SlowReader(server, user)
    commit_much(laptop, 100)

    slow.read_until(100)

    assert len(phone.changes(since=0)) == 100 * ITEMS_PER_COMMIT
    laptop.commit(new_file("the next"))
    assert slow.read_until(101) > len(json.dumps("the next"))
    slow.close()
