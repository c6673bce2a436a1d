"""One random run: people who share a folder work at the same time, and in the end all agree."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager

from attrs import frozen

from tests.integration.clients.amqp_device import AmqpDevice
from tests.integration.clients.device import Device
from tests.integration.clients.file_client import FileClient
from tests.integration.clients.http_device import HttpDevice
from tests.integration.random_sharing.diary import Contents, Diary
from tests.integration.random_sharing.replicas import AmqpReplica, HttpReplica, Replica
from tests.integration.random_sharing.shared_trees import (
    Tree,
    assert_equal,
    below,
    gathered,
    walked,
)
from tests.integration.random_sharing.sharer import Sharer
from tests.integration.surroundings.ledger import Ledger, until
from tests.integration.surroundings.threads import at_once, side_by_side
from tests.servers.stacksync import KnownUser, StackSyncProcess

NAMES = ("Anna", "Bert", "Cleo")
STEPS = 10
RUSHES = 3
JOBS_TAKE = 60.0
"""Seconds that jobs may take to come to their end, on a machine that does much else."""

UNDER_WAY = """
    SELECT j.kind, j.queue, j.attempts, j.problem FROM job j
    WHERE j.finished_at IS NULL AND j.kind <> 'remove-container'
"""

SUM_OF_SIZES = """
    SELECT coalesce(sum(i.size), 0) FROM item i JOIN workspace w ON w.id = i.workspace_id
    WHERE w.owner_id = %s AND i.status <> 'DELETED'
"""

WHOSE = """
    SELECT w.owner_id::text FROM item i JOIN workspace w ON w.id = i.workspace_id WHERE i.id = %s
"""

MISPLACED = """
    SELECT m.account_id, m.workspace_id, m.mount_parent_id FROM membership m
    JOIN item i ON i.id = m.mount_parent_id JOIN workspace w ON w.id = i.workspace_id
    WHERE m.account_id = ANY (%s::uuid[]) AND (w.is_shared OR w.owner_id <> m.account_id)
"""

STRAY_GUESTS = """
    SELECT m.workspace_id, m.account_id FROM membership m JOIN workspace w ON w.id = m.workspace_id
    WHERE m.account_id = ANY (%s::uuid[])
        AND (m.role = 'owner') <> (w.owner_id = m.account_id)
"""


@frozen
class Person:
    """Somebody of the run, with a client at each server there is, or the same one twice."""

    user: KnownUser
    client: FileClient
    sharer: Sharer
    replicas: tuple[Replica, ...]


class SharingRun:
    """Makes the people of a run, lets them work, and sees what has become of it all.

    :param users: of this run alone.
    :param servers: the people are spread over them.
    :param is_followed: whether each has devices that follow what is told, which are half the work.
    """

    def __init__(
        self,
        seed: int,
        users: Sequence[KnownUser],
        servers: Sequence[StackSyncProcess],
        is_followed: bool = True,
    ) -> None:
        self._seed = seed
        self._is_followed = is_followed
        self._users = users
        self._servers = servers
        self._ledger = Ledger(servers[0].database_url)
        self._contents = Contents()
        self.diary = Diary()
        self._people: list[Person] = []
        self._closing = ExitStack()
        self._folder = 0

    def run(self, steps: int = STEPS) -> None:
        """All of it.

        :raises AssertionError: something is not as it should be; told with the seed and with
            what everybody did.
        """
        with self._closing, self._telling():
            for number in range(len(self._users)):
                self._people.append(self._person(number))
            self._begin()
            side_by_side(*(self._at_work(person.sharer, steps) for person in self._people))
            for _ in range(RUSHES):
                self._rush()
            self._check()
            for person in self._people:
                for replica in person.replicas:
                    replica.finish()

    @contextmanager
    def _telling(self) -> Iterator[None]:
        try:
            yield
        except Exception as error:
            raise AssertionError(
                f"seed {self._seed}: {error}\n\nWhat happened before:\n{self.diary}"
            ) from error

    def _person(self, number: int) -> Person:
        user, name = self._users[number], NAMES[number]
        server = self._servers[number % len(self._servers)]
        client = FileClient(server.http_url, user)
        self._closing.callback(client.close)
        device: Device = (
            AmqpDevice(server.amqp_url, user)
            if server.amqp_url != "off" and number == 1
            else HttpDevice(server.http_url, user)
        )
        self._closing.callback(device.close)
        device.register()
        others = [other.email for other in self._users if other is not user]
        sharer = Sharer(
            name, client, device, others, f"{self._seed} {name}", self.diary, self._contents
        )
        return Person(user, client, sharer, tuple(self._replicas(number)))

    def _replicas(self, number: int) -> Iterator[Replica]:
        if not self._is_followed:
            return
        user, server = self._users[number], self._servers[number % len(self._servers)]
        # Who works here is told at the other one.
        elsewhere = self._servers[(number + 1) % len(self._servers)]
        replicas: list[Replica] = [HttpReplica(elsewhere.http_url, user)]
        if server.amqp_url != "off":
            replicas.append(AmqpReplica(server.amqp_url, user))
        for replica in replicas:
            self._closing.callback(replica.stop)
            replica.start()
            yield replica

    def _begin(self) -> None:
        """A folder that all three share, so that they meet."""
        owner = self._people[0].sharer
        folder = owner.make_folder("Photos", 0)
        assert folder is not None
        self._folder = int(folder["id"])
        owner.upload("a", folder["id"])
        owner.make_folder("b", folder["id"])
        owner.propose(folder["id"], "editor")
        for person in self._people[1:]:
            person.sharer.accept()
        for person in self._people:
            person.sharer.look()

    def _rush(self) -> None:
        """At the same moment everybody does something to the same folder."""
        for person in self._people:
            person.sharer.look()
        folder = self._folder
        at_once(*(lambda sharer=person.sharer: sharer.act_on(folder) for person in self._people))

    def _at_work(self, sharer: Sharer, steps: int) -> Callable[[], None]:
        return lambda: sharer.work(steps)

    def _check(self) -> None:
        ids = [str(user.id) for user in self._users]
        assert not self._ledger.rows(MISPLACED, ids), "a folder is mounted in a shared one"
        assert not self._ledger.rows(STRAY_GUESTS, ids), "who owns a folder is its owner"
        trees = {person.user.id: self._check_views(person) for person in self._people}
        self._check_members(trees)
        self._wait_for_jobs()
        for person in self._people:
            for replica in person.replicas:
                replica.assert_becomes(trees[person.user.id])
        for person in self._people:
            # Nothing of this has changed anything.
            assert_equal("a tree at the end", walked(person.client), trees[person.user.id])
            self._check_quota(person)
            self._check_contents(person, trees[person.user.id])
        self._check_versions()

    def _check_views(self, person: Person) -> Tree:
        tree = walked(person.client)
        what = f"{person.sharer.name}'s folders, and the changes of the workspaces"
        assert_equal(what, tree, gathered(person.client))
        return tree

    def _check_members(self, trees: dict[object, Tree]) -> None:
        """Whoever shares a folder sees the same in it, and the same members."""
        seen: dict[str, tuple[str, Tree, object]] = {}
        for person in self._people:
            tree = trees[person.user.id]
            for workspace in person.client.ask("GET", "/workspaces")["workspaces"]:
                root_id = workspace["root_item_id"]
                if not workspace["is_shared"]:
                    continue
                inside = below(tree, root_id)
                told = person.client.ask("GET", f"/folder/{root_id}/members")
                assert person.user.email in [each["email"] for each in told]
                assert len(told) > 1, f"{workspace} is shared with nobody"
                before = seen.setdefault(workspace["id"], (person.sharer.name, inside, told))
                what = f"folder {root_id} as {before[0]} and {person.sharer.name} see it"
                assert_equal(what, before[1], inside)
                assert before[2] == told

    def _wait_for_jobs(self) -> None:
        try:
            until(lambda: not self._ledger.rows(UNDER_WAY), "jobs done", JOBS_TAKE)
        except TimeoutError:
            raise AssertionError(f"jobs: {self._ledger.rows(UNDER_WAY)}") from None

    def _check_quota(self, person: Person) -> None:
        ((owned,),) = self._ledger.rows(SUM_OF_SIZES, str(person.user.id))
        assert person.client.quota_used() == owned, f"the quota of {person.sharer.name}"

    def _check_contents(self, person: Person, tree: Tree) -> None:
        """Whoever sees a file can download it, and gets what was uploaded."""
        for item in tree.values():
            if not item["is_folder"]:
                wanted = self._contents.of(item["id"], item["version"])
                assert wanted is not None, f"nobody has uploaded {item}"
                assert item["size"] == len(wanted), item
                assert person.client.download(item) == wanted, item

    def _check_versions(self) -> None:
        """Whatever was uploaded is still there, for the owner of the workspace it is in now."""
        clients = {str(person.user.id): person.client for person in self._people}
        for file_id in self._contents.files:
            ((owner_id,),) = self._ledger.rows(WHOSE, file_id)
            client = clients[owner_id]
            for version in client.versions({"id": file_id}):
                wanted = self._contents.of(file_id, version["version"])
                got = client.download({"id": file_id}, version=version["version"])
                assert got == wanted, f"file {file_id}, version {version['version']}"
