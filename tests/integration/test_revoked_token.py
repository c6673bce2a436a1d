"""The service's own token is revoked while people work: nobody but Keystone notices."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing

import pytest

from tests.integration.clients.file_client import FileClient
from tests.integration.surroundings.counting_keystone import CountingKeystone, counting
from tests.integration.surroundings.ledger import until
from tests.servers.openstack.cloud import CloudProject
from tests.servers.openstack.server import OpenStackServer
from tests.servers.stacksync import KnownUser, StackSyncProcess

CLIENTS = 8
ENOUGH = 3
"""Files that each client puts and gets, before and after."""


@pytest.fixture
def keystone(openstack: OpenStackServer) -> Iterator[CountingKeystone]:
    with counting(openstack.keystone_url) as keystone:
        yield keystone


@pytest.fixture
def server(
    start_server: Callable[..., StackSyncProcess],
    database_dsn: str,
    project: CloudProject,
    keystone: CountingKeystone,
) -> StackSyncProcess:
    options = {**project.options, "url": keystone.url}
    return start_server(database_dsn, keystone=options, storage={"url": "swift"})


def test_a_revoked_token_is_renewed_once_and_nobody_notices(
    server: StackSyncProcess, keystone: CountingKeystone, openstack: OpenStackServer
) -> None:
    # It had to have one to be ready.
    (token,) = keystone.tokens
    user = server.add_user(f"worker-{secrets.token_hex(4)}@example.org")
    given = len(keystone.tokens)
    workers = [Worker(server, user, number) for number in range(CLIENTS)]
    with ThreadPoolExecutor(CLIENTS) as pool:
        working = [pool.submit(worker.work) for worker in workers]
        try:
            until_done(workers, working, ENOUGH)
            openstack.cloud.revoke(token)
            until_done(workers, working, ENOUGH)
        finally:
            for worker in workers:
                worker.has_enough.set()
        for each in working:
            each.result(200)
    assert len(keystone.tokens) == given + 1


class Worker:
    """Puts files and gets them back, until it is told that it is enough.

    :ivar done: how many.
    """

    def __init__(self, server: StackSyncProcess, user: KnownUser, number: int) -> None:
        self._server = server
        self._user = user
        self._number = number
        self.done = 0
        self.has_enough = threading.Event()

    def work(self) -> None:
        with closing(FileClient(self._server.http_url, self._user)) as client:
            while not self.has_enough.is_set():
                content = secrets.token_bytes(20_000)
                item = client.upload(f"{self._number}-{self.done}", content)
                assert client.download(item) == content
                assert client.download(item, part="10-19") == content[10:20]
                self.done += 1


def until_done(workers: list[Worker], working: list[Future[None]], more: int) -> None:
    """Wait until each has done so many more, or one has failed."""
    wanted = [worker.done + more for worker in workers]

    def reached() -> bool:
        if any(each.done() for each in working):
            return True
        return all(w.done >= least for w, least in zip(workers, wanted, strict=True))

    until(reached, "everybody has done more", 200)
