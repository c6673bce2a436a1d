"""Files that are larger than memory go up and down whole, and cost the server but a few chunks."""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from random import Random

import pytest

from tests.integration.clients.answers import Item
from tests.integration.clients.file_client import FileClient
from tests.integration.clients.hand_sent import HandSentRequest
from tests.integration.clients.items import new_file
from tests.integration.conftest import Devices
from tests.integration.surroundings.memory import Memory
from tests.integration.surroundings.people import People
from tests.servers.stacksync import KnownUser, StackSyncProcess

MIB = 1024**2
GIB = 1024**3

GROWTH = 40 * MIB
"""What a transfer may add to the server's memory, whatever the size of the file.

An upload holds two gathered mebibytes and their joined copy, the unfinished
chunk, and three chunks of at most 2 MiB with their objects: 20 MiB.  A
download holds less.  As much again is what allocators keep of freed memory.
"""

ALL = 120 * MIB
"""What the server may have at most, the 70 MiB included that it has at rest."""

SPARSE = 2 * GIB + 5


@pytest.fixture
def user(people: People) -> KnownUser:
    return people.add(quota=100 * GIB)


@pytest.fixture
def memory(server: StackSyncProcess, files: FileClient) -> Memory:
    """The server's memory, with nothing in its peak that was there before."""
    # Computing a password's hash takes memory that has nothing to do with files.
    files.upload("to warm up", Random(0).randbytes(8 * MIB))
    memory = Memory(server.pid)
    memory.forget_peak()
    return memory


@pytest.fixture
def sparse(new_directory: Callable[[str], Path]) -> Iterator[Path]:
    """A file of 2 GiB that is a hole but for some islands."""
    path = new_directory("client") / "sparse"
    random = Random(1)
    with path.open("wb") as file:
        file.truncate(SPARSE)
        for place in (0, 100_000_007, GIB - 5, SPARSE - 100_000):
            file.seek(place)
            file.write(random.randbytes(100_000))
    yield path
    path.unlink()


def digest_of(files: FileClient, item: Item) -> tuple[int, str]:
    """Size and SHA-256 of a download, which is not kept."""
    digest, size = hashlib.sha256(), 0
    with closing(files.send("GET", f"/file/{item['id']}/data", stream=True)) as answer:
        assert answer.status_code == 200
        for piece in answer.iter_content(MIB):
            digest.update(piece)
            size += len(piece)
    return size, digest.hexdigest()


def test_two_gibibytes_go_up_and_down_in_little_memory(
    server: StackSyncProcess, user: KnownUser, files: FileClient, memory: Memory, sparse: Path
) -> None:
    with sparse.open("rb") as file:
        expected = hashlib.file_digest(file, "sha256").hexdigest()
    before = memory.now

    headers = {"Content_Length": str(SPARSE)}
    with sparse.open("rb") as file:
        request = HandSentRequest(server.http_url, user, "POST", "/file?name=disk.img", **headers)
        with closing(request):
            request.send_file(file)
            answer = request.answer()
    assert answer.code == 201
    item = answer.told
    upload = memory.peak
    memory.forget_peak()
    assert digest_of(files, item) == (SPARSE, expected)
    download = memory.peak

    assert item["size"] == files.metadata(item)["size"] == SPARSE
    assert len(set(item["chunks"])) < 40, "the hole is one chunk, however often it is there"
    assert max(upload, download) < before + GROWTH
    assert max(upload, download) < ALL
    with sparse.open("rb") as file:
        file.seek(SPARSE - 7)
        assert files.download(item, f"{SPARSE - 7}-") == file.read()


def test_a_small_chunk_that_is_large_inside_takes_no_more(
    user: KnownUser, devices: Devices, files: FileClient, memory: Memory
) -> None:
    packer = zlib.compressobj(9, wbits=31)
    packed = b"".join(packer.compress(bytes(MIB)) for _ in range(256)) + packer.flush()
    laptop, before = devices.laptop(user), memory.now

    assert files.put_chunk(laptop.workspace, "dense", packed) == 201
    item = laptop.commit(new_file("nothing", size=256 * MIB, chunks=["dense"])).item
    size, digest = digest_of(files, item)

    assert size == 256 * MIB
    assert digest == hashlib.sha256(bytes(256 * MIB)).hexdigest()
    assert memory.peak < before + GROWTH


def test_200_megabytes_that_are_all_different_take_no_more(
    files: FileClient, memory: Memory
) -> None:
    sent = hashlib.sha256()

    def content() -> Iterator[bytes]:
        random = Random(2)
        for _ in range(200):
            piece = random.randbytes(1_000_000)
            sent.update(piece)
            yield piece

    before = memory.now
    item = files.upload("film", content())
    upload = memory.peak
    memory.forget_peak()
    received = digest_of(files, item)
    download = memory.peak

    assert received == (200_000_000, sent.hexdigest())
    assert len(set(item["chunks"])) > 100
    assert max(upload, download) < before + GROWTH
    assert max(upload, download) < ALL
