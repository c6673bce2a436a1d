"""What was overwritten or deleted can be read and brought back."""

from __future__ import annotations

import pytest

from tests.integration.clients.answers import Item, Refused
from tests.integration.clients.file_client import FileClient
from tests.integration.clients.items import deleted, moved
from tests.integration.conftest import Devices
from tests.integration.surroundings.ledger import Ledger
from tests.servers.stacksync import KnownUser, StackSyncProcess

DRAFTS = [b"first draft", b"second draft" * 100_000, b"", b"final"]


@pytest.fixture
def paper(files: FileClient) -> Item:
    """A file of four versions."""
    file = files.upload("paper.txt", DRAFTS[0])
    for draft in DRAFTS[1:]:
        file = files.overwrite(file, draft)
    return file


def test_every_version_is_listed_and_can_be_read(files: FileClient, paper: Item) -> None:
    versions = files.versions(paper)

    assert [version["version"] for version in versions] == [4, 3, 2, 1]
    assert [version["status"] for version in versions] == [*["CHANGED"] * 3, "NEW"]
    assert versions[0] == files.metadata(paper) == paper
    for version, draft in zip(reversed(versions), DRAFTS, strict=True):
        number = version["version"]
        assert version["size"] == len(draft)
        assert files.ask("GET", f"/file/{paper['id']}/version/{number}") == version
        assert files.download(paper, version=number) == draft
    assert files.download(paper, "3-7", version=2) == DRAFTS[1][3:8]
    with pytest.raises(Refused, match="404: no such version: 5"):
        files.download(paper, version=5)


def test_an_earlier_version_becomes_the_newest_again(
    user: KnownUser, devices: Devices, files: FileClient, paper: Item
) -> None:
    laptop = devices.laptop(user)
    files.relocate(paper, name="thesis.txt")

    restored = files.ask("POST", f"/file/{paper['id']}/version/2")

    assert (restored["version"], restored["status"]) == (6, "CHANGED")
    assert restored["filename"] == "thesis.txt", "the name stays as it is"
    assert files.download(paper) == DRAFTS[1]
    assert files.download(paper, version=4) == DRAFTS[3]
    assert files.quota_used() == len(DRAFTS[1])
    laptop.next_notification()
    assert laptop.next_notification().answer.item["chunks"] == restored["chunks"]


def test_old_versions_outlive_the_file(files: FileClient, paper: Item) -> None:
    files.delete(paper)

    assert files.quota_used() == 0
    assert [version["version"] for version in files.versions(paper)] == [5, 4, 3, 2, 1]
    for number, draft in enumerate(DRAFTS, 1):
        assert files.download(paper, version=number) == draft
    with pytest.raises(Refused, match=r"409: .*in the trash"):
        files.download(paper)
    with pytest.raises(Refused, match=r"409: .*in the trash"):
        files.overwrite(paper, b"too late")
    with pytest.raises(Refused, match=r"409: .*in the trash"):
        files.ask("POST", f"/file/{paper['id']}/version/1")

    assert files.restore(paper)["version"] == 6
    assert files.download(paper) == DRAFTS[-1]


class Tree:
    """``top/below/deep.txt`` and ``top/near.txt``, and ``top/earlier.txt``, deleted before."""

    def __init__(self, files: FileClient) -> None:
        self.top = files.make_folder("top")
        self.below = files.make_folder("below", self.top["id"])
        self.deep = files.upload("deep.txt", b"deep down", self.below["id"])
        self.near = files.upload("near.txt", b"near", self.top["id"])
        self.earlier = files.upload("earlier.txt", b"not wanted", self.top["id"])
        files.delete(self.earlier)

    @property
    def ids(self) -> set[int]:
        """Of what is alive."""
        return {item["id"] for item in (self.top, self.below, self.deep, self.near)}


@pytest.fixture
def tree(files: FileClient) -> Tree:
    return Tree(files)


def test_a_folder_goes_with_all_that_is_in_it_and_comes_back_in_one_commit(
    user: KnownUser, devices: Devices, files: FileClient, tree: Tree
) -> None:
    laptop, phone = devices.laptop(user), devices.phone(user)
    revision = laptop.revision

    gone = files.delete(tree.top)

    assert (gone["id"], gone["status"]) == (tree.top["id"], "DELETED")
    for device in (laptop, phone):
        told = device.next_notification()
        assert told.revision == revision + 1
        assert {item["id"] for item in told.answer.items} == tree.ids
        assert {item["status"] for item in told.answer.items} == {"DELETED"}
        assert {item["id"] for item in device.changes(revision)} == tree.ids
    assert files.quota_used() == 0
    assert [item["id"] for item in files.trash()] == [tree.top["id"], tree.earlier["id"]]

    files.restore(tree.top)

    for device in (laptop, phone):
        told = device.next_notification()
        assert told.revision == device.revision == revision + 2
        assert {item["id"] for item in told.answer.items} == tree.ids
        assert {item["id"] for item in device.changes(since=0)} == tree.ids
    assert files.names() == ["top"]
    assert files.names(tree.top) == ["below", "near.txt"]
    assert files.download(tree.deep) == b"deep down"
    assert files.quota_used() == len(b"deep downnear")
    assert [item["id"] for item in files.trash()] == [tree.earlier["id"]]


def test_a_file_of_a_deleted_folder_can_be_taken_out_alone(files: FileClient, tree: Tree) -> None:
    files.delete(tree.top)

    with pytest.raises(Refused, match="404: no such folder"):
        files.restore(tree.deep)
    restored = files.restore(tree.deep, parent=0, name="saved.txt")

    assert (restored["parent_id"], restored["filename"]) == (None, "saved.txt")
    assert files.names() == ["saved.txt"]
    assert files.download(tree.deep) == b"deep down"
    files.restore(tree.top)
    assert files.names() == ["saved.txt", "top"]
    assert files.names(tree.below) == []


def test_what_stands_in_the_way_of_a_restored_item_is_told(files: FileClient, tree: Tree) -> None:
    files.delete(tree.top)
    newer = files.upload("top", b"a file by now")

    answer = files.send("POST", f"/folder/{tree.top['id']}/restore", json={})

    assert answer.status_code == 409
    assert "named 'top'" in answer.json()["description"]
    assert answer.json()["metadata"] == newer
    files.restore(tree.top, name="top (restored)")
    assert files.names() == ["top", "top (restored)"]
    assert files.download(tree.near) == b"near"
    with pytest.raises(Refused, match=r"409: .*is not in the trash"):
        files.restore(tree.top)


def test_what_a_device_deletes_is_in_the_trash(
    user: KnownUser, devices: Devices, files: FileClient, tree: Tree
) -> None:
    laptop = devices.laptop(user)
    live = {item["id"]: item for item in laptop.changes(since=0)}
    out = laptop.commit(moved(live[tree.near["id"]], None)).item

    laptop.commit(deleted(live[tree.top["id"]]))
    laptop.commit(deleted(out))

    assert {item["filename"] for item in files.trash()} == {"near.txt", "top", "earlier.txt"}
    files.restore(tree.top)
    assert files.names() == ["top"]
    assert files.names(tree.top) == ["below"], "what went on its own stays away"


def test_the_books_are_right_after_all_this(
    server: StackSyncProcess, files: FileClient, paper: Item, tree: Tree
) -> None:
    files.relocate(paper, parent=tree.below["id"])
    files.delete(tree.top)
    files.restore(tree.top)
    files.delete(tree.below)

    Ledger(server.database_url).assert_sound()
    assert server.admin("fsck")["problems"] == []
