"""A file that comes in pieces is whole in the end, whatever breaks on its way.

The client is tuspy, the reference client in Python.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from io import BytesIO
from pathlib import Path
from random import Random
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests
from tusclient.client import TusClient
from tusclient.exceptions import TusCommunicationError, TusUploadFailed

from tests.integration.conftest import Devices
from tests.integration.surroundings.fleet import Fleet
from tests.integration.surroundings.ledger import until
from tests.integration.surroundings.people import People
from tests.integration.surroundings.torn_wire import TornWire
from tests.servers.run import TestRun
from tests.servers.stacksync import KnownUser, StackSyncProcess

MIB = 1024**2
TIMEOUT = 30.0


@pytest.fixture(scope="module")
def objects(test_run: TestRun) -> Path:
    """The directory of the store that the servers share."""
    return test_run.new_directory("objects")


@pytest.fixture(scope="module")
def server(
    module_fleet: Fleet, module_database_dsn: str, module_amqp_url: str, objects: Path
) -> StackSyncProcess:
    return module_fleet.start(
        module_database_dsn, module_amqp_url, storage={"directory": str(objects)}
    )


@pytest.fixture
def start_another(
    fleet: Fleet, server: StackSyncProcess, objects: Path
) -> Callable[[], StackSyncProcess]:
    """Starts one more server on the same database and store."""
    return lambda: fleet.start(server.database_url, storage={"directory": str(objects)})


@pytest.fixture(autouse=True)
def _no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    # tuspy has no way to be told not to look at the environment.
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")


@pytest.fixture
def uploader(user: KnownUser, server: StackSyncProcess) -> Uploader:
    return Uploader(user, server)


class Uploader:
    """Somebody who uploads with tuspy, and looks at what became of it.

    :ivar server: which it talks to.
    """

    def __init__(self, user: KnownUser, server: StackSyncProcess) -> None:
        login = b64encode(f"{user.email}:{user.password}".encode()).decode()
        self.headers = {"Authorization": f"Basic {login}", "Tus-Resumable": "1.0.0"}
        self.server = server

    def new(self, content: bytes, name: str, *, port: int | None = None, **options: Any) -> Any:
        """An upload that has not begun.

        :param port: where the way to the server begins, if not at itself.
        """
        base = self.server.http_url if port is None else f"http://127.0.0.1:{port}"
        client = TusClient(f"{base}/api/uploads", headers=self.headers)
        return client.uploader(file_stream=BytesIO(content), metadata={"filename": name}, **options)

    def resumed(self, content: bytes, url: str, **options: Any) -> Any:
        """An upload that is known by its URL, at the server that is talked to."""
        there = f"{self.server.http_url}{urlsplit(url).path}"
        client = TusClient(there, headers=self.headers)
        return client.uploader(file_stream=BytesIO(content), url=there, **options)

    def ask(self, method: str, url: str, **options: Any) -> requests.Response:
        headers = {**self.headers, **options.pop("headers", {})}
        return requests.request(method, url, headers=headers, timeout=TIMEOUT, **options)

    def file_of(self, url: str) -> dict[str, Any]:
        """The metadata of the file that an upload has become."""
        state = self.ask("HEAD", f"{self.server.http_url}{urlsplit(url).path}")
        place = state.headers["Content-Location"]
        found: dict[str, Any] = self.ask("GET", f"{self.server.http_url}{place}").json()
        return found

    def content_of(self, url: str) -> bytes:
        file = self.file_of(url)
        answer = self.ask("GET", f"{self.server.http_url}/api/file/{file['id']}/data")
        assert answer.status_code == 200
        return answer.content


def film(seed: int, size: int) -> bytes:
    """Content that can be compressed in part."""
    noise = Random(seed).randbytes(size // 2)
    rest = size - len(noise)
    return noise + (b"the same again " * (rest // 15 + 1))[:rest]


@pytest.mark.parametrize("seed", range(4))
def test_an_upload_that_breaks_off_anywhere_is_whole_in_the_end(
    uploader: Uploader, seed: int
) -> None:
    random = Random(seed)
    content = film(seed, 8 * MIB)
    breaks = [random.choice([200, 5_000, 300_000, 800_000]) for _ in range(60)]
    breaks = [random.randrange(1, 2 * most) for most in breaks]
    port = urlsplit(uploader.server.http_url).port
    assert port is not None
    with closing(TornWire(port, breaks)) as wire:
        upload = uploader.new(
            content, f"film {seed}", port=wire.port, retries=100, retry_delay=0,
            chunk_size=random.choice([700_000, 3 * MIB, 100 * MIB]),
        )  # fmt: skip
        while upload.url is None:
            # Whether the creation succeeds is left to its user by tuspy.
            with suppress(TusCommunicationError):
                upload.set_url(upload.create_url())
        upload.upload()
        assert wire.broken >= 10
    assert uploader.content_of(upload.url) == content
    file = uploader.file_of(upload.url)
    assert (file["filename"], file["version"], file["status"]) == (f"film {seed}", 1, "NEW")


def test_a_killed_server_loses_no_piece(uploader: Uploader) -> None:
    content = film(11, 5 * MIB + 17)
    upload = uploader.new(content, "film", chunk_size=MIB)
    for pieces in range(1, 6):
        upload.upload_chunk()
        uploader.server.kill()
        uploader.server.start()
        upload = uploader.resumed(content, upload.url, chunk_size=MIB)
        assert upload.offset == pieces * MIB
    upload.upload()
    assert uploader.content_of(upload.url) == content
    uploader.server.kill()
    uploader.server.start()
    assert uploader.content_of(upload.url) == content


def test_another_instance_goes_on(
    uploader: Uploader, start_another: Callable[[], StackSyncProcess]
) -> None:
    content = film(12, 4 * MIB)
    servers = [uploader.server, start_another()]
    upload = uploader.new(content, "film", chunk_size=500_000)
    upload.upload_chunk()
    turn = 0
    while upload.offset < len(content):
        turn += 1
        uploader.server = servers[turn % 2]
        upload = uploader.resumed(content, upload.url, chunk_size=500_000)
        upload.upload_chunk()
    for uploader.server in servers:
        assert uploader.content_of(upload.url) == content


def test_a_server_that_is_killed_amid_a_long_piece_loses_its_end_only(
    uploader: Uploader, start_another: Callable[[], StackSyncProcess]
) -> None:
    content = film(13, 80 * MIB)
    doomed, survivor = start_another(), uploader.server
    uploader.server = doomed
    upload = uploader.new(content, "film")
    upload.set_url(upload.create_url())
    witness = f"{survivor.http_url}{urlsplit(upload.url).path}"

    def offset() -> int:
        return int(uploader.ask("HEAD", witness).headers["Upload-Offset"])

    def endless() -> Iterator[bytes]:
        for start in range(0, 70 * MIB, MIB):
            yield content[start : start + MIB]
        until(lambda: offset() >= 32 * MIB, "the first 32 MiB are kept")
        doomed.kill()
        yield b"x"

    headers = {"Upload-Offset": "0", "Content-Type": "application/offset+octet-stream"}
    with pytest.raises(requests.RequestException):
        uploader.ask("PATCH", upload.url, headers=headers, data=endless())
    uploader.server = survivor
    # What was being kept at that moment may be there a little later: the upload looks once more.
    upload = uploader.resumed(content, upload.url, retries=1, retry_delay=0)
    assert 32 * MIB <= upload.offset <= 70 * MIB
    upload.upload()
    assert uploader.content_of(upload.url) == content


def test_pieces_are_compared_with_their_checksums(uploader: Uploader) -> None:
    content = film(14, 3 * MIB)
    upload = uploader.new(content, "film", chunk_size=MIB, upload_checksum=True)
    upload.upload_chunk()
    headers = {
        "Upload-Offset": str(MIB),
        "Content-Type": "application/offset+octet-stream",
        "Upload-Checksum": f"sha1 {b64encode(bytes(20)).decode()}",
    }
    spoilt = uploader.ask("PATCH", upload.url, headers=headers, data=content[MIB : 2 * MIB])
    assert spoilt.status_code == 460
    assert upload.get_offset() == MIB
    upload.upload()
    assert uploader.content_of(upload.url) == content


def test_an_upload_that_is_given_up_is_gone(uploader: Uploader) -> None:
    content = film(15, 2 * MIB)
    upload = uploader.new(content, "film", chunk_size=MIB)
    upload.upload_chunk()
    assert uploader.ask("DELETE", upload.url).status_code == 204
    with pytest.raises(TusUploadFailed) as caught:
        upload.upload()
    assert caught.value.status_code == 404


def test_an_empty_file_is_uploaded_too(uploader: Uploader) -> None:
    upload = uploader.new(b"", "empty")
    upload.upload()
    assert uploader.content_of(upload.url) == b""


def test_other_devices_hear_of_the_file_once_it_is_whole(
    uploader: Uploader, user: KnownUser, devices: Devices
) -> None:
    laptop = devices.laptop(user)
    content = film(16, MIB)
    upload = uploader.new(content, "film.bin", chunk_size=MIB // 2)
    upload.upload()
    told = laptop.next_notification()
    assert told.answer is not None
    (outcome,) = told.answer.outcomes
    assert outcome.item["filename"] == "film.bin"
    assert outcome.item["size"] == len(content)


def test_nobody_elses_upload_can_be_gone_on_with(
    uploader: Uploader, people: People, server: StackSyncProcess
) -> None:
    content = film(17, 2 * MIB)
    upload = uploader.new(content, "film", chunk_size=MIB)
    upload.upload_chunk()
    stranger = Uploader(people.add(), server)
    with pytest.raises(TusCommunicationError) as caught:
        stranger.resumed(content, upload.url)
    assert caught.value.status_code == 404
