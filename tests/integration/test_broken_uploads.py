"""An upload that breaks leaves nothing that anybody sees, and does not spoil the next one."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, closing, suppress
from random import Random
from urllib.parse import urlsplit

import pytest
import requests

from tests.integration.clients.file_client import FileClient
from tests.integration.clients.hand_sent import HandSentRequest
from tests.integration.conftest import Devices
from tests.integration.surroundings.fleet import Fleet
from tests.integration.surroundings.ledger import Ledger, until
from tests.integration.surroundings.store_files import StoreFiles, small_disk
from tests.integration.surroundings.urls import proxy_for, through
from tests.servers.run import TestRun
from tests.servers.stacksync import KnownUser, StackSyncProcess

MIB = 1024**2
CONTENT = Random(1).randbytes(6 * MIB)
HALF = len(CONTENT) // 2


@pytest.fixture(scope="module")
def store(test_run: TestRun) -> Iterator[StoreFiles]:
    directory = test_run.new_directory("disk")
    with small_disk(directory, "128m") as is_small:
        yield StoreFiles(directory / "objects", is_small=is_small)


@pytest.fixture(scope="module")
def server(
    module_fleet: Fleet, module_database_dsn: str, module_amqp_url: str, store: StoreFiles
) -> StackSyncProcess:
    return module_fleet.start(
        module_database_dsn,
        module_amqp_url,
        storage={"directory": str(store.directory)},
        service={"sweep_interval": "1s"},
    )


@pytest.fixture
def ledger(server: StackSyncProcess) -> Ledger:
    return Ledger(server.database_url)


class HalfSent:
    """An upload of :data:`CONTENT` that has come to its middle: some chunks are stored."""

    def __init__(
        self, url: str, user: KnownUser, store: StoreFiles, container: str, method: str, path: str
    ) -> None:
        self._store = store
        self._before = set(store.unfinished())
        before = len(store.objects(container))
        headers = {"Content_Length": str(len(CONTENT))}
        self.request = HandSentRequest(url, user, method, path, **headers)
        self.request.send(CONTENT[:HALF])
        until(lambda: len(store.objects(container)) > before, "chunks of the half are stored")

    def finish(self) -> None:
        # Whoever has answered already does not wait for the rest for long.
        with suppress(ConnectionError):
            self.request.send(CONTENT[HALF:])

    def vanish(self) -> None:
        """The client is gone, and the server has noticed."""
        self.request.vanish()
        self.wait_for_clean_store()

    def wait_for_clean_store(self) -> None:
        """Nothing is being written any more; what a killed server has left is not meant."""
        until(lambda: set(self._store.unfinished()) <= self._before, "nothing is left half-written")


@pytest.fixture
def half_sent(
    server: StackSyncProcess, user: KnownUser, files: FileClient, store: StoreFiles
) -> Iterator[Callable[..., HalfSent]]:
    begun: list[HalfSent] = []

    def begin(method: str, path: str, at: StackSyncProcess | None = None) -> HalfSent:
        url = (at or server).http_url
        begun.append(HalfSent(url, user, store, files.workspace, method, path))
        return begun[-1]

    yield begin
    for upload in begun:
        upload.request.close()


def is_listening(url: str) -> bool:
    address = urlsplit(url)
    try:
        socket.create_connection((address.hostname, address.port), timeout=10).close()
    except ConnectionRefusedError:
        return False
    except ConnectionResetError:
        # It stopped listening this very moment: the next time it refuses.
        return True
    return True


@pytest.fixture
def assert_sound(
    server: StackSyncProcess, user: KnownUser, files: FileClient, ledger: Ledger, store: StoreFiles
) -> Callable[[], None]:
    """Says that nothing is seen of an upload, and that the same one succeeds now."""

    def check() -> None:
        assert files.names() == []
        assert files.quota_used() == 0
        item = files.upload("film", CONTENT)
        assert item["version"] == 1
        assert files.download(item) == CONTENT
        assert set(item["chunks"]) <= set(store.objects(files.workspace))
        ledger.assert_sound()
        # Fails unless every chunk that is referred to is there and is what its name says.
        assert server.admin("fsck")["problems"] == []

    return check


def test_a_client_that_stalls_is_told_and_leaves_nothing(
    fleet: Fleet,
    server: StackSyncProcess,
    store: StoreFiles,
    half_sent: Callable[..., HalfSent],
    assert_sound: Callable[[], None],
) -> None:
    impatient = fleet.start(
        server.database_url,
        storage={"directory": str(store.directory)},
        http={"request_timeout": "2s"},
    )

    answer = half_sent("POST", "/file?name=film", at=impatient).request.answer()

    assert answer.code == 408
    assert answer.told["description"] == "the body stopped coming before its end"
    assert answer.headers["connection"] == "close"
    assert_sound()


def test_a_client_that_vanishes_leaves_only_chunks_that_nobody_refers_to(
    user: KnownUser,
    devices: Devices,
    store: StoreFiles,
    files: FileClient,
    half_sent: Callable[..., HalfSent],
    assert_sound: Callable[[], None],
) -> None:
    laptop = devices.laptop(user)

    half_sent("POST", "/file?name=film").vanish()

    left = set(store.objects(files.workspace))
    assert left
    assert_sound()
    assert left <= set(files.contents()[0]["chunks"]), "the next upload takes them up"
    assert laptop.next_notification().revision == 1
    assert laptop.revision == 1


def test_an_overwriting_that_breaks_off_leaves_the_file_as_it_was(
    files: FileClient, half_sent: Callable[..., HalfSent], ledger: Ledger
) -> None:
    file = files.upload("letter", b"Dear all")

    half_sent("PUT", f"/file/{file['id']}/data").vanish()

    assert files.metadata(file) == file
    assert files.download(file) == b"Dear all"
    assert len(files.versions(file)) == 1
    ledger.assert_sound()


def test_a_server_that_is_killed_amid_an_upload_starts_as_if_it_had_never_begun(
    server: StackSyncProcess,
    half_sent: Callable[..., HalfSent],
    assert_sound: Callable[[], None],
) -> None:
    half_sent("POST", "/file?name=film")

    server.kill()
    server.start()

    assert_sound()


def test_a_server_that_is_asked_to_stop_takes_the_rest_of_an_upload(
    server: StackSyncProcess, files: FileClient, half_sent: Callable[..., HalfSent]
) -> None:
    upload = half_sent("POST", "/file?name=film")

    with ThreadPoolExecutor(1) as other_hand:
        stopping = other_hand.submit(server.terminate)
        until(lambda: not is_listening(server.http_url), "no connection is taken any more")
        upload.finish()
        answer = upload.request.answer()
        stopping.result()
    server.start()

    assert answer.code == 201
    assert files.download(answer.told) == CONTENT


def test_an_upload_whose_answer_is_lost_with_the_server_is_repeated_without_a_second_effect(
    server: StackSyncProcess,
    user: KnownUser,
    devices: Devices,
    files: FileClient,
    ledger: Ledger,
) -> None:
    laptop = devices.laptop(user)
    key = f"upload of {user.id}"
    with closing(proxy_for(server.http_url)) as wire:
        wire.hold_answers()
        headers = {"Content_Length": "4", "Idempotency_Key": key}
        url = through(wire, server.http_url)
        with closing(HandSentRequest(url, user, "POST", "/file?name=letter", **headers)) as request:
            request.send(b"Dear")
            until(lambda: ledger.has_committed(key), "the commit")
            server.kill()
    server.start()

    again = files.ask("POST", "/file?name=letter", data=b"Dear", headers={"Idempotency-Key": key})

    assert again["version"] == 1
    assert [item["id"] for item in files.contents()] == [again["id"]]
    assert laptop.next_notification().revision == laptop.revision == 1


Trouble = Callable[[StoreFiles, StackSyncProcess], AbstractContextManager[None]]

TROUBLES: dict[str, tuple[Trouble, str]] = {
    "away": (StoreFiles.away, "is not there"),
    "full": (StoreFiles.full, "No space left on device"),
    "limited": (StoreFiles.limited, "File too large"),
}
"""What becomes of a store, and what the client is told of it."""


@pytest.mark.parametrize("trouble", TROUBLES)
def test_a_store_that_fails_amid_an_upload_is_told_and_the_next_one_succeeds(
    trouble: str,
    server: StackSyncProcess,
    store: StoreFiles,
    files: FileClient,
    half_sent: Callable[..., HalfSent],
    assert_sound: Callable[[], None],
) -> None:
    cause, told = TROUBLES[trouble]
    upload = half_sent("POST", "/file?name=film")

    with cause(store, server):
        upload.finish()
        answer = upload.request.answer()
        assert answer.code == 503
        assert answer.told["error"] == 503
        assert answer.told["description"].startswith("storage: ")
        assert told in answer.told["description"]
        assert "retry-after" in answer.headers
        assert files.names() == []
        with pytest.raises(requests.RequestException):
            files.send("POST", "/file?name=film", data=CONTENT).raise_for_status()

    upload.wait_for_clean_store()
    assert_sound()
