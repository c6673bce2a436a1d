"""What ``commit_tree.py`` puts on the server can be downloaded as it was."""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from pathlib import Path

import pytest
import requests

from tests.examples.running import Person
from tests.servers.stacksync import StackSyncProcess

CHUNK = 512 * 1024
ONLY_METADATA = "only metadata was committed: --http-url says where the content goes"


def options(person: Person, via: str) -> list[str]:
    """What makes the content go to the server."""
    return ["--content-url", person.http_url] if via == "amqp" else []


def download(person: Person, path: str) -> requests.Response:
    return requests.get(
        f"{person.http_url}/api/file/{person.items()[path]['id']}/data",
        auth=(person.user.email, person.user.password),
        timeout=60,
    )


def assert_same(person: Person, tree: Path) -> None:
    files = [path for path in tree.rglob("*") if path.is_file()]
    assert files
    for path in files:
        answer = download(person, path.relative_to(tree.parent).as_posix())
        assert answer.status_code == 200
        assert answer.content == path.read_bytes()


@pytest.fixture
def tree(tree: Path) -> Path:
    """The small tree and what is hard about sizes: chunk boundaries, and the same chunk twice."""
    numbers = random.Random(7)
    (tree / "one chunk").write_bytes(numbers.randbytes(CHUNK))
    (tree / "a byte more").write_bytes(numbers.randbytes(CHUNK + 1))
    (tree / "the same again").write_bytes(b"0" * 5 * CHUNK)
    return tree


@pytest.mark.parametrize("via", ["amqp", "http"])
def test_every_file_can_be_downloaded_as_it_is(person: Person, tree: Path, via: str) -> None:
    done = person.commit_tree(tree, via, *options(person, via))

    assert done.status == 0
    assert ONLY_METADATA not in done.text
    assert_same(person, tree)


@pytest.mark.parametrize("via", ["amqp", "http"])
def test_so_can_its_new_version(person: Person, tree: Path, via: str) -> None:
    person.commit_tree(tree, via, *options(person, via))
    with (tree / "one chunk").open("ab") as file:
        file.write(b"and more")
    (tree / "notes.txt").write_text("rain\n")

    assert person.commit_tree(tree, via, *options(person, via)).summary.startswith("0 folders, 2 f")
    assert person.items()["holiday/one chunk"]["version"] == 2
    assert_same(person, tree)


def test_a_new_version_of_a_file_that_the_server_has_cut_can_be_downloaded(
    person: Person, tree: Path
) -> None:
    person.commit_tree(tree, "http")
    file = person.items()["holiday/notes.txt"]
    requests.put(
        f"{person.http_url}/api/file/{file['id']}/data",
        data=b"by another client",
        auth=(person.user.email, person.user.password),
        timeout=60,
    ).raise_for_status()
    (tree / "notes.txt").write_text("mine again\n")
    person.commit_tree(tree, "http")

    (chunk,) = person.items()["holiday/notes.txt"]["chunks"]
    assert chunk.endswith(f"-{file['id']}")
    assert_same(person, tree)


def test_it_says_when_only_metadata_was_committed(person: Person, tree: Path) -> None:
    done = person.commit_tree(tree, "amqp")

    assert done.status == 0
    assert ONLY_METADATA in done.text.splitlines()
    assert download(person, "holiday/notes.txt").status_code == 500
    assert ONLY_METADATA not in person.commit_tree(tree, "amqp").text


def test_missing_content_can_be_put_there_later_without_a_new_version(
    person: Person, tree: Path
) -> None:
    person.commit_tree(tree, "amqp")

    done = person.commit_tree(tree, "http", "--all")

    assert done.summary.startswith("0 folders, 0 files")
    assert person.workspace()["latest_revision"] == 1
    assert_same(person, tree)


def test_a_chunk_that_the_server_has_does_not_go_there_again(
    start_server: Callable[..., StackSyncProcess], database_dsn: str, tmp_path: Path
) -> None:
    server = start_server(database_dsn, log={"level": "debug"})
    user = server.add_user("anna@example.org")
    person = Person(user, "", server.http_url, tmp_path / "state")
    tree = tmp_path / "tree"
    tree.mkdir()
    (tree / "big").write_bytes(random.Random(8).randbytes(4 * CHUNK))
    person.commit_tree(tree, "http")
    assert len(chunks_put(server)) == 4
    with (tree / "big").open("ab") as file:
        file.write(b"a little more")

    person.commit_tree(tree, "http")

    assert len(chunks_put(server)) == 5
    assert chunks_put(server)[4] == person.items()["tree/big"]["chunks"][4]
    assert_same(person, tree)


def chunks_put(server: StackSyncProcess) -> list[str]:
    """The names of the chunks that the server was sent."""
    return re.findall(r"PUT /api/workspaces/[^/]+/chunks/(\S+): ", server.log_text())


def test_chunks_are_there_before_the_commit_that_names_them(person: Person, tree: Path) -> None:
    watch = person.watch("http", "--once", "1")
    watch.wait_for("is at revision 0")
    running = person.start_commit_tree(tree, "http")
    watch.end()
    try:
        assert_same(person, tree)
    finally:
        running.end()


def test_a_wrong_password_for_the_content_is_told_before_anything_is_committed(
    person: Person, tree: Path
) -> None:
    done = person.commit_tree(tree, "amqp", "--content-url", person.http_url, "--password", "wrong")

    assert done.status == 1
    assert len(done.text.splitlines()) == 1
    assert person.items() == {}


def test_a_large_file_takes_no_more_memory_than_a_small_one(person: Person, tmp_path: Path) -> None:
    tree = tmp_path / "large"
    tree.mkdir()
    with (tree / "sparse").open("wb") as file:
        file.truncate(300 * 1024**2)

    # Address space, in KiB: what Python, requests and a few chunks need, and not the file.
    limit = ("prlimit", f"--as={250 * 1024**2}")
    done = person.start_commit_tree(tree, "http", before=limit).end()

    assert (done.status, done.text.splitlines()[:-1]) == (0, [])
    assert person.items()["large/sparse"]["size"] == 300 * 1024**2
