"""Who may read and write a container: Swift's access lists, and the container's quota.

Ours are the elements ``<our project id>:<user id>``; everything else on a list is
somebody else's and stays.  The lists are read and written back: within a
process one at a time, between processes whoever runs the jobs sees to that.
"""

from __future__ import annotations

from collections.abc import Iterable

from attrs import frozen

from stacksync.errors import ContainerNotFound, InvalidRequest
from stacksync.model import ContainerAccess
from stacksync.storage.keystone import Keystone
from stacksync.storage.swift.access_list import AccessList, is_user_id
from stacksync.storage.swift.answer import Answer
from stacksync.storage.swift.capabilities import Capabilities
from stacksync.storage.swift.client import Request, SwiftClient
from stacksync.storage.swift.container_locks import ContainerLocks
from stacksync.storage.swift.containers import Containers
from stacksync.storage.swift.paths import container_path

READ = "X-Container-Read"
WRITE = "X-Container-Write"
QUOTA = "X-Container-Meta-Quota-Bytes"


@frozen
class _Present:
    """What a container's headers say."""

    lists: dict[str, AccessList]
    quota: int | None

    @classmethod
    def of(cls, answer: Answer) -> _Present:
        quota = answer.header(QUOTA)
        return cls(
            {name: AccessList.parse(answer.header(name)) for name in (READ, WRITE)},
            int(quota) if quota.isdecimal() else None,
        )


class AccessLists:
    """See :class:`~stacksync.interfaces.IAccessControl`."""

    def __init__(
        self,
        keystone: Keystone,
        client: SwiftClient,
        containers: Containers,
        capabilities: Capabilities,
    ) -> None:
        self._keystone = keystone
        self._client = client
        self._containers = containers
        self._capabilities = capabilities
        self._locks = ContainerLocks()

    async def read(self, container: str) -> ContainerAccess:
        present = _Present.of(await self._containers.head(container))
        project = await self._keystone.project_id()
        return ContainerAccess(
            readers=present.lists[READ].users(project),
            writers=present.lists[WRITE].users(project),
            quota=present.quota,
        )

    async def write(self, container: str, access: ContainerAccess) -> None:
        path = container_path(container)
        wanted = {READ: access.readers, WRITE: access.writers}
        for field, users in (("readers", access.readers), ("writers", access.writers)):
            _check(field, users)
        async with self._locks.of(container):
            project = await self._keystone.project_id()
            cluster = await self._capabilities.get()
            present = _Present.of(await self._containers.head(container))
            headers = {}
            for name, users in wanted.items():
                changed = present.lists[name].with_users(project, users)
                if changed != present.lists[name]:
                    _check_room(name, changed, project, cluster.max_header_size)
                    # An empty value removes the header.
                    headers[name] = changed.format()
            if cluster.has_container_quotas and access.quota != present.quota:
                headers[QUOTA] = "" if access.quota is None else str(access.quota)
            if headers:
                answer = await self._client.done(Request("POST", path, {204, 404}, headers))
                if answer.code == 404:
                    raise ContainerNotFound(container)


def _check(field: str, users: Iterable[str]) -> None:
    for user in sorted(users):
        if not is_user_id(user):
            raise InvalidRequest(field, f"{user!r} is no id of a user in Keystone")


def _check_room(name: str, changed: AccessList, project: str, max_header_size: int) -> None:
    room = max_header_size - len(f"{name}: \r\n")
    excess = len(changed.format().encode()) - room
    if excess <= 0:
        return
    users = sorted(changed.users(project))
    fitting = len(users)
    while fitting and excess > 0:
        fitting -= 1
        excess -= len(f",{project}:{users[fitting]}")
    field = "readers" if name == READ else "writers"
    raise InvalidRequest(
        field, f"an access list of Swift holds {fitting} users here, not {len(users)}"
    )
