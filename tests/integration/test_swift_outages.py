"""Swift is away while people share: they go on with what needs no content, and nothing is lost."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing

import pytest

from tests.integration.clients.answers import Refused
from tests.integration.clients.file_client import FileClient
from tests.integration.random_sharing.agreement import Agreement
from tests.integration.surroundings.folder_of_two import PRIVATE, SHARED, FolderOfTwo
from tests.integration.surroundings.ledger import Ledger, until
from tests.servers.openstack.cloud import CloudProject
from tests.servers.openstack.server import OpenStackServer
from tests.servers.stacksync import StackSyncProcess

TRIED = "SELECT FROM job WHERE kind = 'container' AND finished_at IS NULL AND attempts > 0"


@pytest.fixture
def project(own_openstack: OpenStackServer) -> CloudProject:
    return own_openstack.cloud.project()


@pytest.fixture
def server(
    start_server: Callable[..., StackSyncProcess], database_dsn: str, project: CloudProject
) -> StackSyncProcess:
    return start_server(
        database_dsn,
        keystone=project.options,
        # One that is away refuses connections: nothing here waits for so long.
        storage={"url": "swift", "timeout": "30s"},
        jobs={"longest_delay": "0.3s"},
        sharing={"keep_container": "0s"},
    )


@pytest.fixture
def folder(server: StackSyncProcess) -> Iterator[FolderOfTwo]:
    """A folder that nobody is asked to share yet."""
    with ExitStack() as clients:
        owner, guest = (
            clients.enter_context(closing(FileClient(server.http_url, server.add_user(email))))
            for email in ("owner@example.org", "guest@example.org")
        )
        yield FolderOfTwo(owner, guest, "Holidays")


def test_a_folder_is_shared_and_taken_back_while_swift_is_away(
    server: StackSyncProcess,
    own_openstack: OpenStackServer,
    project: CloudProject,
    folder: FolderOfTwo,
) -> None:
    ledger = Ledger(server.database_url)
    agreement = Agreement(ledger, own_openstack.cloud, project)
    agreement.until_jobs_are_done()

    own_openstack.kill_swift()
    folder.propose()
    folder.accept()
    assert_known_but_not_to_be_had(folder.guest, folder)
    assert_known_but_not_to_be_had(folder.owner, folder)
    until(lambda: ledger.rows(TRIED), "the container's job has met a Swift that is away")
    jobs = server.admin("jobs", "list")["jobs"]
    assert {"container", "copy"} <= {job["kind"] for job in jobs}
    (container,) = [job for job in jobs if job["kind"] == "container"]
    assert container["attempts"] > 0
    assert "Swift" in container["problem"]

    own_openstack.start_swift()
    agreement.until_jobs_are_done()
    folder.check(SHARED)
    agreement.check()
    (workspace,) = folder.guest.ask("GET", "/workspaces")["workspaces"][1:]
    # What is needed for all that the files have held has come along.
    assert len(agreement.objects(workspace["id"])) == sum(map(len, folder.files.values()))
    folder.contribute()

    own_openstack.kill_swift()
    folder.unshare()
    assert folder.owner.names(folder.folder)
    assert folder.guest.send("GET", f"/folder/{folder.folder['id']}").status_code == 404
    own_openstack.start_swift()
    agreement.until_jobs_are_done()
    folder.check(PRIVATE)
    agreement.check()
    found = server.admin("fsck")
    assert (found["problems"], found["remaining"]) == ([], 0)


def assert_known_but_not_to_be_had(reader: FileClient, folder: FolderOfTwo) -> None:
    """The tree is there at once, and of the content is said that the storage is away."""
    assert reader.names(folder.folder) == folder.names
    assert reader.names(folder.below) == ["deep"]
    with pytest.raises(Refused, match=r"503: .*storage"):
        reader.download(folder.report)
    with pytest.raises(Refused, match=r"503: .*storage"):
        reader.upload("more", secrets.token_bytes(100), folder.folder["id"])
    assert reader.names(folder.folder) == folder.names
