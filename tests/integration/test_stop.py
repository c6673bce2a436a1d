"""A server that is asked to stop finishes what it has begun, and says goodbye."""

from __future__ import annotations

import os
import signal
import socket
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from urllib.parse import urlsplit

import pytest

from tests.integration.clients.items import new_file
from tests.integration.clients.unread import UnreadAnswer
from tests.integration.conftest import PROTOCOLS, Devices
from tests.integration.surroundings.fleet import Fleet
from tests.integration.surroundings.ledger import Ledger, until
from tests.integration.surroundings.load import Load
from tests.integration.surroundings.people import People
from tests.integration.surroundings.urls import proxy_for, through
from tests.servers.stacksync import KnownUser, StackSyncProcess

STOP_TIMEOUT = 30.0
HASTY = 3.0
A_LITTLE_MORE = 20.0
"""Seconds for what comes beside finishing requests, on a busy machine: less than the first."""

# twistd ends itself with the signal that it got, after a stop in order.
IN_ORDER = (0, -signal.SIGTERM)


@pytest.fixture(scope="module")
def server(module_fleet: Fleet, module_database_dsn: str, module_amqp_url: str) -> StackSyncProcess:
    """A server that waits for long, should it have to."""
    return module_fleet.start(
        module_database_dsn, module_amqp_url, service={"stop_timeout": f"{STOP_TIMEOUT:g}s"}
    )


@pytest.fixture(autouse=True)
def running(server: StackSyncProcess) -> None:
    """Each test stops it, so the next has to start it."""
    if not server.running:
        server.start()


@pytest.fixture
def hasty(fleet: Fleet, database_dsn: str, amqp_url: str) -> StackSyncProcess:
    """A server with little patience."""
    return fleet.start(database_dsn, amqp_url, service={"stop_timeout": f"{HASTY:g}s"})


@pytest.fixture
def ledger(server: StackSyncProcess) -> Ledger:
    return Ledger(server.database_url)


def stop(server: StackSyncProcess) -> float:
    """Ask it to stop, and check that it does so in order; the seconds that it took."""
    started = time.monotonic()
    assert server.terminate() in IN_ORDER
    assert server.log_text().rstrip().endswith("Server Shut Down.")
    assert "StackSync has stopped" in server.log_text()
    return time.monotonic() - started


def test_an_idle_server_stops_at_once(server: StackSyncProcess) -> None:
    assert stop(server) < A_LITTLE_MORE


def test_what_was_acknowledged_under_load_is_there_after_a_restart(
    server: StackSyncProcess, ledger: Ledger, people: People, devices: Devices
) -> None:
    busy = [devices.on(protocol, people.add()) for protocol in PROTOCOLS * 3]

    with Load(busy) as load:
        for _ in range(3):
            assert stop(server) < STOP_TIMEOUT
            server.start()
            load.go_on()

    load.assert_all_is_there()
    ledger.assert_sound()


def test_a_request_in_work_is_finished_first(
    protocol: str, server: StackSyncProcess, ledger: Ledger, user: KnownUser, devices: Devices
) -> None:
    device = devices.on(protocol, user)
    stops = server.log_text().count("Received SIGTERM")

    with ThreadPoolExecutor(1) as pool:
        with ledger.lock(device.workspace):
            committing = pool.submit(device.commit, new_file())
            until(ledger.waiting_commits, "the commit is in work")
            os.kill(server.pid, signal.SIGTERM)
            until(lambda: server.log_text().count("Received SIGTERM") > stops, "the stop begins")
        assert committing.result().revision == 1

    until(lambda: not server.running, "the end of the server")
    assert server.log_text().rstrip().endswith("Server Shut Down.")


def test_a_request_that_takes_too_long_is_given_up_and_comes_again(
    hasty: StackSyncProcess, devices: Devices
) -> None:
    laptop, ledger = devices.laptop(People(hasty).add(), hasty), Ledger(hasty.database_url)

    with ledger.lock(laptop.workspace):
        request_id = laptop.send_commit(new_file())
        until(ledger.waiting_commits, "the commit is in work")
        assert HASTY <= stop(hasty) < HASTY + A_LITTLE_MORE
    hasty.start()

    assert laptop.answer_to(request_id).revision == 1
    ledger.assert_sound()


def test_event_streams_are_ended_and_idle_connections_closed(
    server: StackSyncProcess, user: KnownUser, devices: Devices
) -> None:
    phone = devices.phone(user)
    address = urlsplit(server.http_url)
    with socket.create_connection((address.hostname, address.port), timeout=20) as idle:
        idle.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
        assert b"200 OK" in idle.recv(4096)
        assert stop(server) < A_LITTLE_MORE
        # What is left of the answer, and then the end.
        while idle.recv(4096):
            pass
    with pytest.raises(EOFError):
        phone.next_notification()


def test_a_client_that_does_not_read_its_answer_does_not_hold_up_the_stop(
    hasty: StackSyncProcess, devices: Devices
) -> None:
    phone = devices.phone(People(hasty).add(), hasty)
    for _ in range(3):
        phone.commit(*(new_file(chunks=["x" * 255] * 10) for _ in range(1000)))
    path = f"/workspaces/{phone.workspace}/changes"
    with closing(UnreadAnswer(hasty, phone.user, path)) as unread:
        assert unread.read(1) == b"H"
        assert stop(hasty) < HASTY + A_LITTLE_MORE


def test_a_stop_does_not_wait_for_a_broker_or_database_that_is_away(
    fleet: Fleet, server: StackSyncProcess
) -> None:
    with closing(proxy_for(server.amqp_url)) as wire:
        patience = {"stop_timeout": f"{STOP_TIMEOUT:g}s"}
        lonely = fleet.start(server.database_url, through(wire, server.amqp_url), service=patience)
        wire.refuse()
        lonely.wait_for_status(503)
        assert stop(lonely) < A_LITTLE_MORE


def test_a_server_that_still_starts_can_be_stopped(fleet: Fleet, server: StackSyncProcess) -> None:
    homeless = fleet.prepare("postgresql://nobody@127.0.0.1:1/nowhere", server.amqp_url)
    homeless.spawn()
    until(lambda: "trying again" in homeless.log_text(), "it looks for its database")

    assert stop(homeless) < A_LITTLE_MORE
