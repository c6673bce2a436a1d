"""Sharing a folder with very many chunks: it is shared at once, and its copying shows progress."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import psycopg2
import pytest
import requests

from stacksync.db.jobs import CLAIMING
from stacksync.storage.names import location
from stacksync.storage.tree import Tree
from tests.integration.clients.file_client import FileClient
from tests.integration.clients.http_device import HttpDevice
from tests.integration.clients.items import new_file, new_folder
from tests.integration.random_sharing.agreement import Agreement
from tests.integration.surroundings.ledger import Ledger, until
from tests.integration.surroundings.threads import side_by_side
from tests.servers.openstack.cloud import Cloud, CloudProject
from tests.servers.openstack.server import OpenStackServer
from tests.servers.stacksync import StackSyncProcess

MANY = 10_000
SOME = 120
PER_FILE = 50
FILES_PER_COMMIT = 50
PATIENCE = 250.0

PutObjects = Callable[[str, list[str]], None]


@pytest.fixture(scope="session")
def openstack(remembering_openstack: OpenStackServer) -> OpenStackServer:
    return remembering_openstack


def test_ten_thousand_chunks_are_shared_at_once_and_follow(
    start_server: Callable[..., StackSyncProcess], database_dsn: str
) -> None:
    server = start_server(database_dsn)

    def put(container: str, names: list[str]) -> None:
        tree = Tree(server.directory / "home" / "objects")
        for name in names:
            path = Path(tree.path(location(container, name)))
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            path.write_bytes(name.encode())

    share_and_watch(server, MANY, put)


def test_so_they_do_in_swift(
    start_server: Callable[..., StackSyncProcess],
    database_dsn: str,
    openstack: OpenStackServer,
    project: CloudProject,
) -> None:
    server = start_server(database_dsn, keystone=project.options, storage={"url": "swift"})
    agreement = Agreement(Ledger(server.database_url), openstack.cloud, project)
    token = openstack.cloud.token_of(project.service, project)

    def put(container: str, names: list[str]) -> None:
        def put_each(some: list[str]) -> None:
            # Sessions of requests are not for several threads.
            cloud = Cloud(openstack.keystone_url, openstack.swift_url)
            for name in some:
                url = f"{project.account_url}/{container}/{name}"
                assert cloud.swift("PUT", url, token, name.encode()).status_code == 201

        side_by_side(*(lambda some=names[each::4]: put_each(some) for each in range(4)))

    container, names = share_and_watch(server, SOME, put)
    assert agreement.objects(container) == set(names)
    agreement.check()


def share_and_watch(
    server: StackSyncProcess, number: int, put: PutObjects
) -> tuple[str, list[str]]:
    """Share a folder of so many chunks, see how its copying is told; its container and chunks.

    :param put: puts objects into a container, each with its name as content.
    """
    run = secrets.token_hex(4)
    ledger = Ledger(server.database_url)
    users = [server.add_user(f"{name}-{run}@example.org") for name in ("owner", "guest")]
    with ExitStack() as clients:
        phone = clients.enter_context(closing(HttpDevice(server.http_url, users[0])))
        phone.register()
        owner, guest = (
            clients.enter_context(closing(FileClient(server.http_url, user))) for user in users
        )
        # Whatever has content makes the container, if the first user's account has not.
        owner.upload("first", b"first")
        folder = phone.commit(new_folder("Archive")).item
        names = [f"chk-{run}{each:032X}" for each in range(number)]
        put(phone.workspace, names)
        files = [
            new_file(parent_id=folder["id"], chunks=names[start : start + PER_FILE])
            for start in range(0, number, PER_FILE)
        ]
        for start in range(0, len(files), FILES_PER_COMMIT):
            phone.commit(*files[start : start + FILES_PER_COMMIT])
        owner.ask("POST", f"/folder/{folder['id']}/share", json=[users[1].email])
        (share,) = guest.ask("GET", "/shares")["shares"]

        claiming, copying = (
            clients.enter_context(closing(psycopg2.connect(server.database_url))) for _ in range(2)
        )
        # No job begins yet.
        claiming.cursor().execute("SELECT pg_advisory_xact_lock(%s)", [CLAIMING])
        workspace = guest.ask("POST", f"/shares/{share['id']}/accept")
        # It does not come to its end: the last one can't be crossed off the list.
        cursor = copying.cursor()
        cursor.execute("SELECT FROM chunk_copy WHERE name = %s FOR UPDATE", [names[-1]])
        assert cursor.rowcount == 1
        # Everything is there before it has been copied.
        changes = guest.ask("GET", f"/workspaces/{workspace['id']}/changes?since=0")
        assert len(changes["items"]) == len(files) + 1
        assert guest.chunk(workspace["id"], names[-1]) == names[-1].encode()
        claiming.rollback()
        check_progress(server, ledger, number)
        copying.rollback()
        until(lambda: not unfinished(ledger), "the jobs are done", PATIENCE)
        assert guest.chunk(workspace["id"], names[0]) == names[0].encode()
    assert f"stacksync_chunks_copied_total {float(number)}" in metrics(server)
    found = server.admin("fsck", "--no-content")
    assert (found["problems"], found["remaining"]) == ([], 0)
    return str(workspace["id"]), names


def check_progress(server: StackSyncProcess, ledger: Ledger, number: int) -> None:
    """See in the middle of it what an operator sees."""
    begun = "SELECT id FROM job WHERE kind = 'copy' AND progress > 0"
    until(lambda: ledger.rows(begun), "the first chunks are copied", PATIENCE)
    ((job_id,),) = ledger.rows(begun)
    job = server.admin("jobs", "show", str(job_id))
    assert (job["kind"], job["state"], job["total"]) == ("copy", "running", number)
    assert 0 < job["progress"] < number
    assert 'stacksync_jobs_unfinished{kind="copy"} 1.0' in metrics(server)


def unfinished(ledger: Ledger) -> list[tuple[Any, ...]]:
    return ledger.rows("SELECT kind, problem FROM job WHERE finished_at IS NULL")


def metrics(server: StackSyncProcess) -> str:
    return requests.get(f"{server.http_url}/metrics", timeout=10).text
