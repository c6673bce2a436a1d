"""What the store has lost is never passed off as the whole: the connection ends before its end."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from random import Random
from urllib.parse import urlsplit

import pytest
import requests

from tests.integration.clients.answers import Item
from tests.integration.clients.file_client import FileClient, path_of
from tests.integration.clients.hand_sent import HandSentRequest
from tests.integration.clients.unread import UnreadAnswer
from tests.integration.surroundings.fleet import Fleet
from tests.integration.surroundings.ledger import until
from tests.integration.surroundings.store_files import StoreFiles
from tests.servers.stacksync import KnownUser, StackSyncProcess

MIB = 1024**2
CONTENT = Random(1).randbytes(16 * MIB)
ESTABLISHED = "01"


def lose(path: Path) -> None:
    path.unlink()


def cut_short(path: Path) -> None:
    os.truncate(path, path.stat().st_size - 1)


def empty(path: Path) -> None:
    os.truncate(path, 0)


def flip_a_bit(path: Path) -> None:
    with path.open("r+b") as file:
        file.seek(path.stat().st_size // 2)
        (byte,) = file.read(1)
        file.seek(-1, os.SEEK_CUR)
        file.write(bytes([byte ^ 1]))


DAMAGES = [lose, cut_short, empty, flip_a_bit]


@contextmanager
def damaged(path: Path, damage: Callable[[Path], None]) -> Iterator[None]:
    whole = path.read_bytes()
    damage(path)
    try:
        yield
    finally:
        path.write_bytes(whole)


@pytest.fixture
def store(server: StackSyncProcess) -> StoreFiles:
    return StoreFiles(server.directory / "home" / "objects", is_small=False)


@pytest.fixture
def film(files: FileClient) -> Item:
    return files.upload("film", CONTENT)


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_later_chunk_that_is_damaged_ends_the_connection(
    damage: Callable[[Path], None],
    server: StackSyncProcess,
    user: KnownUser,
    store: StoreFiles,
    files: FileClient,
    film: Item,
) -> None:
    path = f"{path_of(film)}/data"
    with damaged(store.path_of(files.workspace, film["chunks"][-1]), damage):
        with closing(HandSentRequest(server.http_url, user, "GET", path)) as request:
            answer = request.answer()
        assert answer.code == 200
        assert answer.headers["content-length"] == str(len(CONTENT))
        assert not answer.is_whole
        assert CONTENT.startswith(answer.body)
        with pytest.raises(requests.RequestException):
            files.download(film)
        assert files.download(film, "0-99999") == CONTENT[:100_000]
    assert f"chunk {len(film['chunks'])} of {len(film['chunks'])}" in server.log_text()
    assert files.download(film) == CONTENT


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_first_chunk_that_is_damaged_is_told_instead_of_an_answer(
    damage: Callable[[Path], None], store: StoreFiles, files: FileClient
) -> None:
    small = files.upload("letter", b"Dear all, " * 1000)
    with damaged(store.path_of(files.workspace, small["chunks"][0]), damage):
        for headers, code in (({}, 500), ({"Range": "bytes=5-9"}, 500)):
            answer = files.send("GET", f"{path_of(small)}/data", headers=headers)
            assert answer.status_code == code
            told = answer.json()["description"]
            assert "file 'letter'" in told
            assert small["chunks"][0] in told
            assert "ETag" not in answer.headers
        assert files.metadata(small) == small
    assert files.download(small) == b"Dear all, " * 1000


def test_a_version_can_be_read_whose_chunks_are_sound_while_another_is_damaged(
    store: StoreFiles, files: FileClient
) -> None:
    file = files.upload("diary", b"yesterday")
    newer = files.overwrite(file, b"today")
    with damaged(store.path_of(files.workspace, newer["chunks"][0]), lose):
        assert files.send("GET", f"{path_of(file)}/data").status_code == 500
        assert files.download(file, version=1) == b"yesterday"


def test_a_store_that_goes_away_amid_a_download_ends_the_connection(
    server: StackSyncProcess, user: KnownUser, store: StoreFiles, files: FileClient, film: Item
) -> None:
    with closing(UnreadAnswer(server, user, f"{path_of(film)}/data")) as answer:
        received = len(answer.read())
        with store.away(server):
            try:
                while piece := answer.read():
                    received += len(piece)
            except ConnectionResetError:
                pass
            assert received < len(CONTENT)
            refused = files.send("GET", f"{path_of(film)}/data")
            assert refused.status_code == 503
            assert refused.json()["description"].startswith("storage: ")
    assert files.download(film) == CONTENT


def test_a_client_that_does_not_read_on_is_cut_off(
    fleet: Fleet, server: StackSyncProcess, user: KnownUser, store: StoreFiles, film: Item
) -> None:
    impatient = fleet.start(
        server.database_url,
        storage={"directory": str(store.directory)},
        http={"request_timeout": "2s"},
    )
    with closing(UnreadAnswer(impatient, user, f"{path_of(film)}/data")) as answer:
        received = len(answer.read())
        until(lambda: connections_of(impatient) == 0, "the server has hung up")
        with suppress(ConnectionResetError):
            while piece := answer.read():
                received += len(piece)
    assert received < len(CONTENT)


def connections_of(server: StackSyncProcess) -> int:
    """How many connections to its port are established, as the system sees it (proc(5))."""
    port = f":{urlsplit(server.http_url).port:04X}"
    table = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    return sum(line[1].endswith(port) and line[3] == ESTABLISHED for line in table)
