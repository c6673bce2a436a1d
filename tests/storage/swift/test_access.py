"""Who gets at a container's objects with a token of his own, in the real Swift."""

from __future__ import annotations

import secrets
from collections.abc import Callable

import pytest
from attrs import frozen
from pytest_twisted import ensureDeferred
from twisted.internet.defer import Deferred, gatherResults

from stacksync.errors import ContainerNotFound, InvalidRequest, QuotaExceeded
from stacksync.model import ContainerAccess
from stacksync.storage import SwiftStore
from stacksync.storage.keystone import Keystone
from stacksync.storage.swift.answer import Answer
from stacksync.storage.swift.client import Request
from stacksync.streams import BytesStream
from tests.servers.openstack.cloud import Cloud, CloudProject, CloudUser
from tests.servers.openstack.server import OpenStackServer
from tests.storage.contract.rig import ELSEWHERE, HOME, NOWHERE

OK, CREATED, NO_CONTENT, FORBIDDEN = 200, 201, 204, 403
READ, WRITE = "X-Container-Read", "X-Container-Write"


@frozen
class Doors:
    """What people find open."""

    cloud: Cloud
    project: CloudProject

    @property
    def container(self) -> str:
        return f"{self.project.account_url}/{HOME}"

    def of(self, user: CloudUser) -> tuple[int, int, int]:
        """What the user gets for reading the object, listing, and writing another."""
        token = self.cloud.token_of(user, self.project)
        return (
            self.cloud.swift("GET", f"{self.container}/chunk", token).status_code,
            self.cloud.swift("GET", f"{self.container}?limit=1", token).status_code,
            self.cloud.swift("PUT", f"{self.container}/other", token, b"x").status_code,
        )

    def header(self, name: str) -> str:
        token = self.cloud.token_of(self.project.service, self.project)
        return self.cloud.swift("HEAD", self.container, token).headers.get(name, "")

    def set(self, headers: dict[str, str]) -> None:
        token = self.cloud.token_of(self.project.service, self.project)
        answer = self.cloud.swift("POST", self.container, token, headers=headers)
        assert answer.status_code == NO_CONTENT


WRITER = (OK, OK, CREATED)
READER = (OK, OK, FORBIDDEN)
NOBODY = (FORBIDDEN, FORBIDDEN, FORBIDDEN)


@pytest.fixture
def doors(openstack: OpenStackServer, project: CloudProject) -> Doors:
    return Doors(openstack.cloud, project)


def access(
    readers: list[CloudUser], writers: list[CloudUser], quota: int | None = None
) -> ContainerAccess:
    return ContainerAccess(
        frozenset(each.id for each in readers), frozenset(each.id for each in writers), quota
    )


@ensureDeferred
async def test_writers_write_viewers_read_and_others_find_it_closed(
    store: SwiftStore, doors: Doors
) -> None:
    await store.put(HOME, "chunk", BytesStream(b"content"))
    cloud, project = doors.cloud, doors.project
    editor, viewer, stranger = (
        cloud.user(name, project) for name in ("editor", "viewer", "stranger")
    )
    outsider = cloud.user("outsider", other := cloud.project("other"))
    assert [doors.of(each) for each in (editor, viewer, stranger)] == [NOBODY] * 3

    wanted = access([editor, viewer], [editor])
    await store.set_access(HOME, wanted)

    assert await store.access(HOME) == wanted
    assert doors.of(editor) == WRITER
    assert doors.of(viewer) == READER
    assert doors.of(stranger) == NOBODY
    assert Doors(cloud, other).of(outsider)[0] != OK

    await store.set_access(HOME, access([viewer], []))
    assert doors.of(editor) == NOBODY
    assert doors.of(viewer) == READER

    await store.set_access(HOME, access([], []))
    assert doors.of(viewer) == NOBODY
    assert doors.header(READ) == doors.header(WRITE) == ""


@ensureDeferred
async def test_a_name_that_begins_like_anothers_opens_nothing(
    store: SwiftStore, doors: Doors
) -> None:
    await store.put(HOME, "chunk", BytesStream(b"content"))
    anna = doors.cloud.user("anna", doors.project)
    # The project's own users have names that begin with anna's whole name.
    annabel = doors.cloud.user(anna.name, doors.project)
    assert annabel.name.startswith(anna.name)

    await store.set_access(HOME, access([annabel], [annabel]))
    assert doors.of(anna) == NOBODY
    await store.set_access(HOME, access([anna, annabel], [anna, annabel]))
    await store.set_access(HOME, access([annabel], [annabel]))
    assert doors.of(anna) == NOBODY
    assert doors.of(annabel) == WRITER


@ensureDeferred
async def test_elements_of_others_stay_where_they_are(store: SwiftStore, doors: Doors) -> None:
    foreign = [".r:.example.org", f"{doors.project.id}:*", "auditor", f"other:{'a' * 32}"]
    doors.set({READ: ",".join(foreign), WRITE: "backup"})
    user = secrets.token_hex(16)

    await store.set_access(HOME, ContainerAccess(frozenset({user}), frozenset({user})))
    assert doors.header(READ).split(",") == [*foreign, f"{doors.project.id}:{user}"]
    assert doors.header(WRITE) == f"backup,{doors.project.id}:{user}"
    assert (await store.access(HOME)).readers == {user}

    await store.set_access(HOME, ContainerAccess(frozenset(), frozenset()))
    assert doors.header(READ).split(",") == foreign
    assert doors.header(WRITE) == "backup"


@ensureDeferred
async def test_nothing_is_written_where_nothing_changes(
    make_store: Callable[..., SwiftStore], store: SwiftStore
) -> None:
    user = secrets.token_hex(16)
    wanted = ContainerAccess(frozenset({user}), frozenset({user}), 1000)
    await store.set_access(HOME, wanted)
    asked = []
    ask = store._client.ask

    async def noted(request: Request) -> Answer:
        asked.append(request.method)
        return await ask(request)

    store._client.ask = noted
    await store.set_access(HOME, wanted)
    assert asked == ["HEAD"]
    await store.set_access(HOME, ContainerAccess(frozenset({user}), frozenset(), 1000))
    assert asked == ["HEAD", "HEAD", "POST"]


@ensureDeferred
async def test_changes_at_the_same_time_come_one_after_another(store: SwiftStore) -> None:
    users = [secrets.token_hex(16) for _ in range(8)]
    states = [ContainerAccess(frozenset(users[:n]), frozenset(users[:n])) for n in range(9)]

    await gatherResults([Deferred.fromCoroutine(store.set_access(HOME, state)) for state in states])

    # The locks are handed on in the order of asking.
    assert await store.access(HOME) == states[-1]
    assert len(store._access._locks) == 0


@ensureDeferred
async def test_a_full_list_is_told_with_how_many_it_holds(store: SwiftStore) -> None:
    users = [secrets.token_hex(16) for _ in range(124)]
    fitting = ContainerAccess(frozenset(users[:123]), frozenset(users[:123]))
    await store.set_access(HOME, fitting)
    assert await store.access(HOME) == fitting

    too_many = ContainerAccess(frozenset(users), frozenset(users[:3]))
    with pytest.raises(InvalidRequest, match=r"^readers: .* 123 users here, not 124"):
        await store.set_access(HOME, too_many)
    assert await store.access(HOME) == fitting


@ensureDeferred
async def test_a_name_is_not_taken_for_an_id(store: SwiftStore) -> None:
    with pytest.raises(InvalidRequest, match=r"^writers: 'anna' "):
        await store.set_access(HOME, ContainerAccess(frozenset(), frozenset({"anna"})))


@ensureDeferred
async def test_a_container_that_is_not_there_has_no_list(store: SwiftStore) -> None:
    with pytest.raises(ContainerNotFound, match=NOWHERE):
        await store.access(NOWHERE)
    with pytest.raises(ContainerNotFound, match=NOWHERE):
        await store.set_access(NOWHERE, ContainerAccess(frozenset(), frozenset()))


@ensureDeferred
async def test_a_quota_is_kept_with_the_container_and_told_when_it_is_full(
    store: SwiftStore, doors: Doors
) -> None:
    await store.create_container(ELSEWHERE)
    await store.put(HOME, "chunk", BytesStream(bytes(60)))
    await store.put(ELSEWHERE, "large", BytesStream(bytes(60)))
    await store.set_access(HOME, ContainerAccess(frozenset(), frozenset(), 100))
    assert (await store.access(HOME)).quota == 100

    with pytest.raises(QuotaExceeded, match=HOME):
        await store.put(HOME, "large", BytesStream(bytes(60)))
    with pytest.raises(QuotaExceeded, match=HOME):
        await store.copy(ELSEWHERE, "large", HOME)
    assert [each.name for each in await store.list(HOME)] == ["chunk"]

    await store.set_access(HOME, ContainerAccess(frozenset(), frozenset()))
    assert (await store.access(HOME)).quota is None
    await store.put(HOME, "large", BytesStream(bytes(60)))


@ensureDeferred
async def test_a_cluster_without_container_quotas_is_not_told_of_any(
    start_openstack: Callable[..., OpenStackServer],
    make_store: Callable[..., SwiftStore],
    keystone_of_own: Callable[[OpenStackServer], Keystone],
) -> None:
    store = make_store(keystone_of_own(start_openstack(has_container_quotas=False)))
    await store.create_container(HOME)
    await store.set_access(HOME, ContainerAccess(frozenset(), frozenset(), 100))

    assert (await store.access(HOME)).quota is None
    await store.put(HOME, "chunk", BytesStream(bytes(200)))
