"""Two servers on one database and one store keep the same files."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from random import Random

import pytest

from tests.integration.clients.file_client import FileClient
from tests.integration.conftest import Devices
from tests.integration.surroundings.fleet import Fleet
from tests.integration.surroundings.threads import at_once
from tests.servers.run import TestRun
from tests.servers.stacksync import KnownUser, StackSyncProcess

CONTENT = Random(1).randbytes(3 * 1024**2)


@pytest.fixture(scope="module")
def objects(test_run: TestRun) -> Path:
    """The directory of the store that both use."""
    return test_run.new_directory("objects")


@pytest.fixture(scope="module")
def server(
    module_fleet: Fleet, module_database_dsn: str, module_amqp_url: str, objects: Path
) -> StackSyncProcess:
    storage = {"directory": str(objects)}
    return module_fleet.start(module_database_dsn, module_amqp_url, storage=storage)


@pytest.fixture(scope="module")
def other_server(
    module_fleet: Fleet, server: StackSyncProcess, module_amqp_url: str, objects: Path
) -> StackSyncProcess:
    storage = {"directory": str(objects)}
    return module_fleet.start(server.database_url, module_amqp_url, storage=storage)


@pytest.fixture
def other_files(other_server: StackSyncProcess, user: KnownUser) -> Iterator[FileClient]:
    """The same user's files, at the other server."""
    with closing(FileClient(other_server.http_url, user)) as client:
        yield client


def test_what_is_uploaded_at_one_is_downloaded_at_the_other(
    files: FileClient, other_files: FileClient
) -> None:
    file = files.upload("film", CONTENT)

    assert other_files.download(file) == CONTENT
    assert other_files.download(file, "1000000-2000000") == CONTENT[1_000_000:2_000_001]
    newer = other_files.overwrite(file, CONTENT[::-1])
    assert files.download(newer) == CONTENT[::-1]
    assert files.download(newer, version=1) == CONTENT


def test_an_upload_at_one_is_told_to_those_who_listen_at_the_other(
    user: KnownUser, devices: Devices, files: FileClient, other_server: StackSyncProcess
) -> None:
    near, far = devices.phone(user), devices.phone(user, at=other_server)
    laptop = devices.laptop(user)

    made = files.upload("film", b"content")

    for device in (near, far, laptop):
        assert device.next_notification().revision == 1
        assert [item["id"] for item in device.changes(since=0)] == [made["id"]]


def test_what_is_deleted_at_one_is_restored_at_the_other(
    files: FileClient, other_files: FileClient
) -> None:
    folder = files.make_folder("folder")
    file = files.upload("letter", b"Dear all", folder["id"])

    files.delete(folder)
    assert [item["id"] for item in other_files.trash()] == [folder["id"]]
    other_files.restore(folder)

    assert files.names(folder) == ["letter"]
    assert files.download(file) == b"Dear all"


def test_the_same_content_sent_to_both_at_once_is_stored_once(
    files: FileClient, other_files: FileClient, objects: Path
) -> None:
    content = CONTENT[:2_000_000]

    one, other = at_once(
        lambda: files.upload("one", content), lambda: other_files.upload("other", content)
    )

    assert one["chunks"] == other["chunks"]
    stored = list((objects / "containers" / files.workspace).glob("*/*"))
    assert len(stored) == len(set(one["chunks"]))
    assert files.download(other) == other_files.download(one) == content


def test_one_goes_on_where_the_other_has_ended(
    files: FileClient, other_files: FileClient, other_server: StackSyncProcess
) -> None:
    file = other_files.upload("film", CONTENT)

    other_server.terminate()

    assert files.download(file) == CONTENT
    other_server.start()
    assert other_files.download(file) == CONTENT
