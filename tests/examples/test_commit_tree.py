"""``commit_tree.py`` says of a directory tree what is true, and passes over what it must."""

from __future__ import annotations

import ast
import hashlib
import os
import socket
import sys
import zlib
from pathlib import Path

import pytest

from tests.examples.conftest import NewPerson
from tests.examples.running import EVEN_ROOT_MAY_NOT, EXAMPLES, Person

CHUNK = 512 * 1024


@pytest.mark.parametrize("via", ["amqp", "http"])
def test_the_server_gets_to_know_every_file_as_it_is(person: Person, tree: Path, via: str) -> None:
    os.utime(tree / "photos" / "2026" / "sea.jpg", ns=(0, 1_795_240_000_123_456_789))
    assert person.commit_tree(tree, via, "--batch", "3").status == 0

    items = person.items()
    content = (tree / "photos" / "2026" / "sea.jpg").read_bytes()
    sea = items["holiday/photos/2026/sea.jpg"]
    assert sea["size"] == len(content)
    assert sea["checksum"] == zlib.adler32(content)
    assert sea["mimetype"] == "image/jpeg"
    assert sea["modified_at"] == "2026-11-21T05:46:40.123Z"
    kinds, digests, owners = zip(*(name.split("-") for name in sea["chunks"]), strict=True)
    assert set(kinds) == {"chk"}
    assert list(digests) == [
        hashlib.sha1(content[start : start + CHUNK]).hexdigest().upper()
        for start in range(0, len(content), CHUNK)
    ]
    assert len(set(owners)) == 1
    assert items["holiday/photos/nothing"]["chunks"] == []
    assert items["holiday/photos/nothing"]["checksum"] == 1
    assert items["holiday/photos/2026"]["is_folder"]
    assert set(items) == {
        "holiday",
        *(f"holiday/{path.relative_to(tree).as_posix()}" for path in tree.rglob("*")),
    }


def test_folders_are_committed_before_files_and_in_batches(person: Person, tree: Path) -> None:
    watch = person.watch("http", "--once", "3")
    watch.wait_for("is at revision 0")
    person.commit_tree(tree, "http", "--batch", "3")

    lines = watch.end().text.splitlines()[2:]
    assert [line for line in lines if "revision" in line] == [
        "StackSync revision 1: 3 items",
        "StackSync revision 2: 3 items",
        "StackSync revision 3: 2 items",
    ]
    folders = ["/ " in line for line in lines if "revision" not in line]
    assert folders == [True] * 4 + [False] * 4


def test_chunks_that_stay_the_same_keep_their_names(person: Person, tree: Path) -> None:
    big = tree / "big.bin"
    big.write_bytes(b"a" * CHUNK + b"b" * CHUNK)
    person.commit_tree(tree, "amqp")
    before = person.items()["holiday/big.bin"]
    big.write_bytes(b"a" * CHUNK + b"c" * CHUNK)
    person.commit_tree(tree, "amqp")

    after = person.items()["holiday/big.bin"]
    assert after["version"] == 2
    assert after["id"] == before["id"]
    assert after["chunks"][0] == before["chunks"][0]
    assert after["chunks"][1] != before["chunks"][1]


def test_a_file_that_was_only_touched_is_not_committed(person: Person, tree: Path) -> None:
    person.commit_tree(tree, "http")
    os.utime(tree / "notes.txt", (0, 0))

    assert person.commit_tree(tree, "http").summary.startswith("0 folders, 0 files")


def test_what_cannot_be_kept_in_step_is_passed_over_with_a_word(person: Person, tree: Path) -> None:
    (tree / "link").symlink_to("notes.txt")
    os.mkfifo(tree / "pipe")
    with open(os.fsencode(tree) + b"/caf\xe9", "wb"):
        pass
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tree / "socket"))

    done = person.commit_tree(tree, "http")

    assert done.status == 0
    assert done.summary.startswith("4 folders, 4 files")
    assert ", 4 skipped" in done.summary
    for line in (
        "skipped holiday/link: a symbolic link",
        "skipped holiday/pipe: neither a file nor a folder",
        "skipped holiday/socket: neither a file nor a folder",
        "skipped holiday/caf\N{REPLACEMENT CHARACTER}: its name is not UTF-8",
    ):
        assert line in done.text.splitlines()


def test_what_may_not_be_read_is_passed_over_with_a_word(person: Person, tree: Path) -> None:
    person.commit_tree(tree, "http")
    (tree / "notes.txt").write_text("rain, rain\n")
    (tree / "notes.txt").chmod(0)
    (tree / "photos").chmod(0)
    try:
        done = person.start_commit_tree(tree, "http", "--delete", before=EVEN_ROOT_MAY_NOT).end()
    finally:
        (tree / "photos").chmod(0o700)

    assert done.status == 0
    assert "skipped holiday/notes.txt: permission denied" in done.text
    assert "skipped holiday/photos: permission denied" in done.text
    assert done.summary.startswith("0 folders, 0 files, 0 B, 0 deleted, 0 refused, 2 skipped")


def test_what_is_passed_over_here_is_not_deleted_there(person: Person, tree: Path) -> None:
    person.commit_tree(tree, "http")
    (tree / "photos").rename(tree.with_name("elsewhere"))
    (tree / "photos").symlink_to("../elsewhere")

    done = person.commit_tree(tree, "http", "--delete")

    assert ", 0 deleted" in done.summary
    assert "holiday/photos/2026/sea.jpg" in person.items()


def test_other_folders_of_the_workspace_are_left_alone(person: Person, tree: Path) -> None:
    other = tree.with_name("work")
    other.mkdir()
    (other / "report.txt").write_text("done\n")
    person.commit_tree(other, "http")

    person.commit_tree(tree, "http", "--delete")

    assert {"work/report.txt", "holiday/notes.txt"} <= set(person.items())


def test_a_file_that_has_become_a_folder_is_refused_until_it_may_be_deleted(
    person: Person, tree: Path
) -> None:
    person.commit_tree(tree, "amqp")
    (tree / "notes.txt").unlink()
    (tree / "notes.txt").mkdir()
    (tree / "notes.txt" / "inside").touch()

    refused = person.commit_tree(tree, "amqp")
    assert refused.status == 1
    assert "refused holiday/notes.txt: name-taken" in refused.text
    assert "2 refused (name-taken 1, dependency 1)" in refused.summary

    deleted = person.commit_tree(tree, "amqp", "--delete")
    assert deleted.summary.startswith("1 folder, 1 file, 0 B, 1 deleted, 0 refused")
    assert "holiday/notes.txt/inside" in person.items()


@pytest.mark.parametrize("via", ["amqp", "http"])
def test_what_the_quota_does_not_allow_is_refused_and_the_rest_committed(
    new_person: NewPerson, tree: Path, via: str
) -> None:
    person = new_person(quota=1024**2)

    done = person.commit_tree(tree, via)

    assert done.status == 1
    assert done.summary.startswith("4 folders, 3 files, 5 B, 0 deleted, 1 refused (quota 1)")
    assert "refused holiday/photos/2026/sea.jpg: quota" in done.text


def test_a_device_makes_itself_known_once(person: Person, tree: Path) -> None:
    for via in ("amqp", "http"):
        person.commit_tree(tree, via, "--device", "laptop")

    assert [device["name"] for device in person.get("devices")["devices"]] == ["laptop"]


def test_a_workspace_that_does_not_exist_is_named(person: Person, tree: Path) -> None:
    done = person.commit_tree(tree, "http", "--workspace", "Nowhere")

    assert done.status == 1
    assert done.text == "no workspace is called Nowhere; there are: StackSync\n"


def test_a_wrong_password_is_told(person: Person, tree: Path) -> None:
    done = person.commit_tree(tree, "http", "--password", "wrong")

    assert done.status == 1
    assert len(done.text.splitlines()) == 1


@pytest.mark.parametrize(
    ("via", "url"), [("amqp", "amqp://anna:secret@127.0.0.1:9"), ("http", "http://127.0.0.1:9")]
)
def test_nobody_there_is_told(person: Person, tree: Path, via: str, url: str) -> None:
    done = person.commit_tree(tree, via, "--url", url)

    assert done.status == 1
    assert done.text.startswith(f"{via.upper()}: ")


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*.py")), ids=lambda path: path.name)
def test_an_example_needs_nothing_of_the_server(path: Path) -> None:
    own = {each.stem for each in EXAMPLES.glob("*.py")}
    imported = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            imported |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            imported.add(str(node.module).split(".")[0])

    assert imported <= own | sys.stdlib_module_names | {"pika", "requests", "tqdm"}
