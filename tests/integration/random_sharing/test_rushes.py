"""Two requests about the same folder at the same moment: one comes first, and nothing is torn.

Each pair is tried many times, since what comes first is chance.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from functools import partial
from pathlib import Path

import pytest
import requests

from tests.integration.clients.file_client import FileClient
from tests.integration.random_sharing.shared_trees import assert_equal, below, gathered, walked
from tests.integration.surroundings.fleet import Fleet
from tests.integration.surroundings.people import People
from tests.integration.surroundings.threads import at_once
from tests.servers.run import TestRun
from tests.servers.stacksync import StackSyncProcess

ROUNDS = 6
CONTENT = b"the same all the time"


@pytest.fixture(scope="module")
def objects(test_run: TestRun) -> Path:
    """The directory of the store that both servers use."""
    return test_run.new_directory("objects")


@pytest.fixture(scope="module")
def server(module_fleet: Fleet, module_database_dsn: str, objects: Path) -> StackSyncProcess:
    return module_fleet.start(module_database_dsn, storage={"directory": str(objects)})


@pytest.fixture(scope="module")
def other_server(module_fleet: Fleet, server: StackSyncProcess, objects: Path) -> StackSyncProcess:
    """A second instance."""
    return module_fleet.start(server.database_url, storage={"directory": str(objects)})


class Three:
    """Anna has a folder; Bert and Cleo are asked to share it.  Cleo is at the other instance."""

    def __init__(self, anna: FileClient, bert: FileClient, cleo: FileClient) -> None:
        self.anna, self.bert, self.cleo = anna, bert, cleo
        self.folder = 0
        self.file = 0

    def begin(self, *members: FileClient) -> None:
        """A new folder, which these share already."""
        made = self.anna.make_folder(f"Photos {self.folder}")
        self.folder = int(made["id"])
        self.file = int(self.anna.upload("film", CONTENT, self.folder)["id"])
        emails = [self.bert.user.email, self.cleo.user.email]
        self.anna.ask("POST", f"/folder/{self.folder}/share", json=emails)
        for member in members:
            assert self.accept(member).ok

    def proposal_to(self, who: FileClient) -> str:
        (asked,) = [
            share
            for share in who.ask("GET", "/shares")["shares"]
            if share["item_id"] == self.folder
        ]
        return str(asked["id"])

    def accept(self, who: FileClient) -> requests.Response:
        return who.send("POST", f"/shares/{self.proposal_to(who)}/accept")

    def unshare(self, whom: FileClient) -> requests.Response:
        path = f"/folder/{self.folder}/unshare"
        return self.anna.send("POST", path, json=[whom.user.email])

    def leave(self, who: FileClient) -> requests.Response:
        return who.send("POST", f"/folder/{self.folder}/leave")

    def upload(self, who: FileClient) -> requests.Response:
        query = {"name": f"by {who.user.email}", "parent": self.folder}
        return who.send("POST", "/file", params=query, data=CONTENT)

    def overwrite(self, who: FileClient) -> requests.Response:
        return who.send("PUT", f"/file/{self.file}/data", data=CONTENT + b", not quite")

    def take_out(self, who: FileClient) -> requests.Response:
        body = {"parent": 0, "name": f"film {self.file}"}
        return who.send("PUT", f"/file/{self.file}", json=body)

    def rename(self, who: FileClient) -> requests.Response:
        return who.send("PUT", f"/folder/{self.folder}", json={"name": f"Trip {self.folder}"})

    def delete(self) -> requests.Response:
        return self.anna.send("DELETE", f"/folder/{self.folder}")

    def check(self) -> None:
        """All see the same, those who share it, and can read it."""
        trees = {}
        for who in (self.anna, self.bert, self.cleo):
            tree = walked(who)
            assert_equal(f"what {who.user.email} sees", tree, gathered(who))
            for item in tree.values():
                if not item["is_folder"]:
                    assert who.download(item).startswith(CONTENT), item
            if self.folder in tree:
                trees[who] = below(tree, self.folder)
        for tree in trees.values():
            assert_equal(f"folder {self.folder}", tree, trees.get(self.anna, tree))


@pytest.fixture
def three(
    server: StackSyncProcess, other_server: StackSyncProcess, people: People
) -> Iterator[Three]:
    with ExitStack() as clients:
        yield Three(
            *(
                clients.enter_context(closing(FileClient(at.http_url, people.add())))
                for at in (server, server, other_server)
            )
        )


Deed = Callable[[Three], requests.Response]

BEFORE_SHARING: dict[str, Deed] = {
    "the other accepts": lambda three: three.accept(three.cleo),
    "its owner uploads into it": lambda three: three.upload(three.anna),
    "its owner changes a file": lambda three: three.overwrite(three.anna),
    "its owner takes a file out": lambda three: three.take_out(three.anna),
    "its owner renames it": lambda three: three.rename(three.anna),
    "its owner deletes it": lambda three: three.delete(),
    "the proposal is withdrawn": lambda three: three.unshare(three.bert),
}

WHILE_SHARED: dict[str, Deed] = {
    "another accepts": lambda three: three.accept(three.cleo),
    "the guest uploads into it": lambda three: three.upload(three.bert),
    "the guest changes a file": lambda three: three.overwrite(three.bert),
    "the guest takes a file out": lambda three: three.take_out(three.bert),
    "the owner takes a file out": lambda three: three.take_out(three.anna),
    "the guest leaves": lambda three: three.leave(three.bert),
    "its owner renames it": lambda three: three.rename(three.anna),
    "its owner unshares it once more": lambda three: three.unshare(three.bert),
}


@pytest.mark.parametrize("name", BEFORE_SHARING)
def test_a_guest_accepts_and_at_the_same_moment(name: str, three: Three) -> None:
    for _ in range(ROUNDS):
        three.begin()
        asked = three.proposal_to(three.bert)

        answers = at_once(
            partial(three.bert.send, "POST", f"/shares/{asked}/accept"),
            partial(BEFORE_SHARING[name], three),
        )

        assert_refused_at_most(answers)
        three.check()


@pytest.mark.parametrize("name", WHILE_SHARED)
def test_the_last_guest_is_unshared_and_at_the_same_moment(name: str, three: Three) -> None:
    for _ in range(ROUNDS):
        three.begin(three.bert)

        answers = at_once(partial(three.unshare, three.bert), partial(WHILE_SHARED[name], three))

        assert_refused_at_most(answers)
        three.check()


def assert_refused_at_most(answers: list[requests.Response]) -> None:
    """One of them was done, the other may have been refused."""
    told = [(answer.status_code, answer.text[:200]) for answer in answers]
    assert any(answer.ok for answer in answers), told
    assert all(answer.status_code < 500 for answer in answers), told
