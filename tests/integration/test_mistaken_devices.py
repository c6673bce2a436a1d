"""A device that commits what is not so makes nobody believe it over HTTP."""

from __future__ import annotations

import gzip
from random import Random
from typing import Any

import pytest
import requests

from tests.integration.clients.answers import Refused
from tests.integration.clients.desktop_chunks import cut, described
from tests.integration.clients.file_client import FileClient
from tests.integration.clients.items import new_file
from tests.integration.conftest import Devices
from tests.servers.stacksync import KnownUser

SHORT = b"all that there is"
LONG = Random(1).randbytes(3 * 1024**2)


def test_a_file_whose_chunks_come_later_can_be_read_then(
    user: KnownUser, devices: Devices, files: FileClient
) -> None:
    laptop = devices.laptop(user)
    objects = cut(SHORT, 1)
    item = laptop.commit(new_file("early", **described(SHORT, objects))).item

    (name,) = objects
    with pytest.raises(Refused, match=f"500: .*'early'.*{name}.*the store does not have it"):
        files.download(item)
    files.put_chunk(laptop.workspace, name, objects[name])

    assert files.download(item) == SHORT


@pytest.mark.parametrize("error", [-1, 1, 10_000_000])
@pytest.mark.parametrize("content", [SHORT, LONG], ids=["short", "long"])
def test_a_wrong_size_never_looks_like_a_whole_file(
    content: bytes, error: int, user: KnownUser, devices: Devices, files: FileClient
) -> None:
    laptop = devices.laptop(user)
    objects = cut(content, 2)
    for each in objects.items():
        files.put_chunk(laptop.workspace, *each)
    told: dict[str, Any] = described(content, objects) | {"size": len(content) + error}

    item = laptop.commit(new_file("wrong", **told)).item

    # Told where it is known in time; else the connection ends before the content does.
    with pytest.raises((Refused, requests.RequestException)) as caught:
        files.download(item)
    if isinstance(caught.value, Refused):
        assert str(caught.value).startswith("500: file 'wrong'")


@pytest.mark.parametrize(
    "stored",
    [SHORT, gzip.compress(SHORT)[:-1], gzip.compress(SHORT)[:-8], gzip.compress(SHORT) + b"more"],
    ids=["plain", "cut short", "without its trailer", "with something behind it"],
)
def test_a_chunk_that_is_no_gzip_is_told_instead_of_an_answer(
    stored: bytes, user: KnownUser, devices: Devices, files: FileClient
) -> None:
    laptop = devices.laptop(user)
    assert files.put_chunk(laptop.workspace, "my own name", stored) == 201

    item = laptop.commit(new_file("odd", size=len(SHORT), chunks=["my own name"])).item

    with pytest.raises(Refused, match=r"500: file 'odd' .*my own name"):
        files.download(item)
    assert files.chunk(laptop.workspace, "my own name") == stored


def test_a_stored_chunk_is_never_another_one(
    user: KnownUser, devices: Devices, files: FileClient
) -> None:
    workspace = devices.laptop(user).workspace
    assert files.put_chunk(workspace, "my own name", b"one") == 201

    assert files.put_chunk(workspace, "my own name", b"one") == 200
    assert files.put_chunk(workspace, "my own name", b"two") == 409

    assert files.chunk(workspace, "my own name") == b"one"
