"""Members reach the container of a shared folder by their own tokens, and nobody else does."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing

import pytest

from tests.integration.clients.answers import Item
from tests.integration.clients.file_client import FileClient
from tests.integration.random_sharing.agreement import Agreement
from tests.integration.surroundings.ledger import Ledger
from tests.servers.openstack.cloud import Cloud, CloudProject, CloudUser
from tests.servers.openstack.server import OpenStackServer
from tests.servers.stacksync import StackSyncProcess

MAY_NOT, MAY_READ, MAY_WRITE = "may not", "may read", "may write"


@pytest.fixture(scope="session")
def openstack(remembering_openstack: OpenStackServer) -> OpenStackServer:
    return remembering_openstack


@pytest.fixture
def server(
    start_server: Callable[..., StackSyncProcess], database_dsn: str, project: CloudProject
) -> StackSyncProcess:
    return start_server(
        database_dsn,
        keystone=project.options,
        storage={"url": "swift"},
        auth={"passwords": "keystone"},
        sharing={"keep_container": "0s"},
    )


class Person:
    """Somebody with an account, so a user in Keystone as well, who asks StackSync and Swift."""

    def __init__(
        self, server: StackSyncProcess, cloud: Cloud, project: CloudProject, email: str
    ) -> None:
        user = server.add_user(email)
        ((identity_id,),) = Ledger(server.database_url).rows(
            "SELECT identity_id FROM account WHERE id = %s", str(user.id)
        )
        self.email = email
        self.files = FileClient(server.http_url, user)
        self._cloud = cloud
        self._project = project
        self._token = cloud.token_of(CloudUser(identity_id, email, user.password), project)

    def accept(self) -> None:
        """Accept what is proposed."""
        (share,) = self.files.ask("GET", "/shares")["shares"]
        self.files.ask("POST", f"/shares/{share['id']}/accept")

    def access(self, container: str, chunk: str, content: bytes) -> str:
        """What Swift lets this person do with a container that has this chunk."""
        url = f"{self._project.account_url}/{container}"
        read = self._swift("GET", f"{url}/{chunk}")
        listed = self._swift("GET", url)
        written = self._swift("PUT", f"{url}/of-{self.email}", b"mine")
        removed = self._swift("DELETE", f"{url}/of-{self.email}")
        opened = self._swift("POST", url, headers={"X-Container-Read": ".r:*"})
        assert opened[0] == 403, "nobody but the service may change who has access"
        if read[0] == 403:
            assert listed[0] == written[0] == removed[0] == 403
            return MAY_NOT
        assert read == (200, content)
        assert listed[0] == 200
        if written[0] == 403:
            assert removed[0] == 403
            return MAY_READ
        assert (written[0], removed[0]) == (201, 204)
        return MAY_WRITE

    def _swift(self, method: str, url: str, *body: bytes, **options: object) -> tuple[int, bytes]:
        answer = self._cloud.swift(method, url, self._token, *body, **options)  # type: ignore[arg-type]
        return answer.status_code, answer.content


class Share:
    """A folder of one person's that others take part in, and its container."""

    def __init__(self, owner: Person, agreement: Agreement) -> None:
        self.owner = owner
        self._agreement = agreement
        self.content = secrets.token_bytes(500)
        self.folder: Item = owner.files.make_folder("Holidays")
        self.chunk: str
        (self.chunk,) = owner.files.upload("photo", self.content, self.folder["id"])["chunks"]

    def give(self, *people: Person, role: str = "editor") -> None:
        emails = [person.email for person in people]
        self._ask("share", share_to=emails, role=role)
        for person in people:
            if person.files.ask("GET", "/shares")["shares"]:
                person.accept()
        self._agreement.until_jobs_are_done()

    def take(self, *people: Person) -> None:
        self._ask("unshare", unshare_to=[person.email for person in people])
        self._agreement.until_jobs_are_done()

    def access(self, *people: Person) -> list[str]:
        """What each may do in the folder's container."""
        stored = self.owner.files.send("GET", f"/workspaces/{self.container}/chunks/{self.chunk}")
        return [person.access(self.container, self.chunk, stored.content) for person in people]

    @property
    def container(self) -> str:
        """It is called as the workspace."""
        (shared,) = [
            each["id"]
            for each in self.owner.files.ask("GET", "/workspaces")["workspaces"]
            if each["is_shared"]
        ]
        return str(shared)

    def _ask(self, what: str, **fields: object) -> None:
        self.owner.files.ask("POST", f"/folder/{self.folder['id']}/{what}", json=fields)


@pytest.fixture
def agreement(
    server: StackSyncProcess, openstack: OpenStackServer, project: CloudProject
) -> Agreement:
    return Agreement(Ledger(server.database_url), openstack.cloud, project)


@pytest.fixture
def meet(
    server: StackSyncProcess, openstack: OpenStackServer, project: CloudProject
) -> Iterator[Callable[[str], Person]]:
    """Makes people by their e-mails."""
    with ExitStack() as clients:

        def meet(email: str) -> Person:
            person = Person(server, openstack.cloud, project, email)
            clients.enter_context(closing(person.files))
            return person

        yield meet


def test_a_container_is_open_to_its_members_as_far_as_their_roles_go(
    meet: Callable[[str], Person], agreement: Agreement
) -> None:
    run = secrets.token_hex(4)
    # The name of the one is the beginning of the other's.
    ann, anna = meet(f"ann-{run}@example.com"), meet(f"ann-{run}@example.com.au")
    owner, viewer = meet(f"owner-{run}@example.org"), meet(f"viewer-{run}@example.org")
    share = Share(owner, agreement)

    share.give(anna)
    share.give(viewer, role="viewer")
    everybody = (owner, viewer, ann, anna)
    assert share.access(*everybody) == [MAY_WRITE, MAY_READ, MAY_NOT, MAY_WRITE]

    share.give(ann)
    assert share.access(*everybody) == [MAY_WRITE, MAY_READ, MAY_WRITE, MAY_WRITE]
    share.take(ann)
    assert share.access(*everybody) == [MAY_WRITE, MAY_READ, MAY_NOT, MAY_WRITE]
    share.give(ann, role="viewer")
    share.take(anna)
    assert share.access(*everybody) == [MAY_WRITE, MAY_READ, MAY_READ, MAY_NOT]
    share.give(viewer)
    assert share.access(*everybody) == [MAY_WRITE, MAY_WRITE, MAY_READ, MAY_NOT]
    agreement.check()
