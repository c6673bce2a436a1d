"""Killed at any step of proposing, accepting and unsharing: what was begun is completed.

The steps are not listed here but recorded (:mod:`tests.servers.killed_at`).
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from itertools import zip_longest

import pytest
import requests

from tests.integration.clients.file_client import FileClient
from tests.integration.random_sharing.agreement import Agreement
from tests.integration.surroundings.folder_of_two import PRIVATE, PROPOSED, SHARED, FolderOfTwo
from tests.integration.surroundings.ledger import Ledger
from tests.integration.surroundings.named import named
from tests.servers.doomed import DoomedProcess, Moment, moments
from tests.servers.openstack.cloud import CloudProject
from tests.servers.openstack.server import OpenStackServer
from tests.servers.run import TestRun

DEEDS = {
    "propose": (PRIVATE, PROPOSED),
    "accept": (PROPOSED, SHARED),
    "unshare": (SHARED, PRIVATE),
}
"""What leads from which stage to which."""

PARTS = 6
"""Tests that share the moments among them, to be done in time."""

SETTINGS: dict[str, dict[str, str]] = {
    # One at a time, so that steps come in the same order every time.
    "jobs": {"at_once": "1", "copies_at_once": "1", "poll": "0.2s"},
    "sharing": {"keep_container": "0s"},
    "storage": {"url": "swift"},
    "amqp": {"identity": "message"},
}

Lives = list[tuple[Moment | None, ...]]
"""Each is of one folder: when to kill the server at which deed; ``None``: not at all."""


@pytest.fixture(scope="module")
def openstack(remembering_openstack: OpenStackServer) -> OpenStackServer:
    return remembering_openstack


@pytest.fixture(scope="module")
def project(openstack: OpenStackServer) -> CloudProject:
    return openstack.cloud.project()


@pytest.fixture(scope="module")
def doomed(
    test_run: TestRun, module_database_dsn: str, module_amqp_url: str, project: CloudProject
) -> Iterator[DoomedProcess]:
    server = DoomedProcess(
        test_run.new_directory("doomed"),
        module_database_dsn,
        module_amqp_url,
        keystone=project.options,
        **SETTINGS,
    )
    server.start()
    yield server
    server.kill()


@pytest.fixture
def server(doomed: DoomedProcess, ledger: Ledger) -> DoomedProcess:
    """It runs, whatever became of the test before."""
    doomed.orders.withdraw()
    if not doomed.running:
        restart(doomed, ledger)
    return doomed


@pytest.fixture(scope="module")
def ledger(module_database_dsn: str) -> Ledger:
    return Ledger(module_database_dsn)


@pytest.fixture(scope="module")
def agreement(ledger: Ledger, openstack: OpenStackServer, project: CloudProject) -> Agreement:
    return Agreement(ledger, openstack.cloud, project)


@pytest.fixture(scope="module")
def make_folder(doomed: DoomedProcess) -> Iterator[Callable[[str], FolderOfTwo]]:
    """Makes folders of one owner, to be shared with one guest."""
    run = secrets.token_hex(4)
    with ExitStack() as clients:

        def client(name: str) -> FileClient:
            user = doomed.add_user(f"{name}-{run}@example.org")
            made = clients.enter_context(closing(FileClient(doomed.http_url, user)))
            # The first change of anybody makes a device as well.
            made.make_folder("Mine")
            return made

        owner, guest = client("owner"), client("guest")
        yield lambda name: FolderOfTwo(owner, guest, name)


@pytest.fixture(scope="module")
def lives(
    doomed: DoomedProcess, agreement: Agreement, make_folder: Callable[[str], FolderOfTwo]
) -> Lives:
    recorded = recorded_moments(doomed, agreement, make_folder("recorded"))
    return list(zip_longest(*recorded))


@pytest.mark.parametrize("part", range(PARTS))
def test_whatever_was_begun_is_completed(
    part: int,
    lives: Lives,
    server: DoomedProcess,
    ledger: Ledger,
    agreement: Agreement,
    make_folder: Callable[[str], FolderOfTwo],
) -> None:
    for number, life in list(enumerate(lives))[part::PARTS]:
        folder = make_folder(f"folder {number}")
        for deed, moment in zip(DEEDS, life, strict=True):
            before, after = DEEDS[deed]
            do = getattr(folder, deed)
            if moment is None:
                do()
                agreement.until_jobs_are_done()
            else:
                with named(f"killed while they {deed}, {moment}"):
                    was_answered = killed_at(moment, server, do)
                    restart(server, ledger)
                    agreement.until_jobs_are_done()
                    stage = folder.stage()
                    assert stage == after or (stage == before and not was_answered)
                    agreement.check()
                    if not was_answered:
                        do()
                        agreement.until_jobs_are_done()
                    folder.check(after)
            if after == SHARED:
                folder.contribute()
    agreement.check()
    found = server.admin("fsck")
    assert (found["problems"], found["remaining"]) == ([], 0)
    assert server.admin("jobs", "list")["jobs"] == []


def recorded_moments(
    server: DoomedProcess, agreement: Agreement, folder: FolderOfTwo
) -> list[list[Moment]]:
    """For each deed when the server may die of it."""
    recorded = []
    for deed, (_, after) in DEEDS.items():
        server.orders.record()
        getattr(folder, deed)()
        agreement.until_jobs_are_done()
        server.orders.withdraw()
        recorded.append(moments(server.orders.taken))
        if after == SHARED:
            folder.contribute()
    return recorded


def killed_at(moment: Moment, server: DoomedProcess, deed: Callable[[], None]) -> bool:
    """Do something that the server dies of; whether it has answered before."""
    server.orders.kill_at(moment)
    try:
        deed()
    except requests.ConnectionError:
        was_answered = False
    else:
        was_answered = True
    server.wait_until_killed()
    server.orders.withdraw()
    return was_answered


def restart(server: DoomedProcess, ledger: Ledger) -> None:
    """Start it as if so much time had passed that nobody counts on the one that died."""
    ledger.execute("UPDATE job SET claimed_until = now() WHERE claimed_until > now()")
    server.start()
