"""A workspace's container is there, and open to its members as the database says."""

from __future__ import annotations

from collections.abc import Sequence

from attrs import define, field
from pytest_twisted import ensureDeferred
from zope.interface import implementer

from stacksync.db.container_access import ContainerAccessTable
from stacksync.engine.jobs.container import ContainerJobs
from stacksync.engine.jobs.remove_identity import RemoveIdentityJobs
from stacksync.interfaces import IAccessControl
from stacksync.model import ContainerAccess, JobKind
from tests.db.builders import User, World
from tests.db.conftest import logged
from tests.db.observation import CapturedLog
from tests.engine.jobs.yard import Yard
from tests.storage.memory import MemoryStore

__all__ = ["logged"]


@implementer(IAccessControl)
@define(eq=False)
class Lists:
    """Access lists in a dictionary."""

    held: dict[str, ContainerAccess] = field(factory=dict)

    async def access(self, container: str) -> ContainerAccess:
        return self.held[container]

    async def set_access(self, container: str, access: ContainerAccess) -> None:
        self.held[container] = access


async def member(yard: Yard, of: User, role: str, identity: str | None) -> User:
    """Somebody who takes part in a user's workspace."""
    world = World(yard.database)
    user = await world.user()
    yard.psql.rows(
        "INSERT INTO membership (account_id, workspace_id, role, mount_name)"
        " VALUES (%s, %s, %s, 'shared')",
        user.account.id,
        of.workspace_id,
        role,
    )
    yard.psql.rows("UPDATE account SET identity_id = %s WHERE id = %s", identity, user.account.id)
    return user


@ensureDeferred
async def test_who_takes_part_can_reach_it_and_viewers_cannot_write(yard: Yard) -> None:
    owner = await World(yard.database).user(quota=4711)
    yard.psql.rows("UPDATE account SET identity_id = 'owner'")
    for role, identity in (("editor", "ed"), ("viewer", "vi"), ("editor", None)):
        await member(yard, owner, role, identity)
    container = str(
        yard.psql.value("SELECT container FROM workspace WHERE id = %s", owner.workspace_id)
    )
    yard.psql.rows("DELETE FROM job")
    store, lists = MemoryStore(), Lists()
    handler = ContainerJobs(ContainerAccessTable(yard.database), store, lists)
    await yard.add(kind=JobKind.CONTAINER, workspace_id=str(owner.workspace_id))

    assert await yard.jobs(handler, [JobKind.CONTAINER]).run_until_idle() == ()

    assert set(store.held) == {container}
    assert lists.held == {
        container: ContainerAccess(
            frozenset({"owner", "ed", "vi"}), frozenset({"owner", "ed"}), 4711
        )
    }


@ensureDeferred
async def test_a_store_without_access_lists_gets_the_container_alone(yard: Yard) -> None:
    owner = await World(yard.database).user()
    yard.psql.rows("DELETE FROM job")
    store = MemoryStore()
    handler = ContainerJobs(ContainerAccessTable(yard.database), store, None)
    await yard.add(kind=JobKind.CONTAINER, workspace_id=str(owner.workspace_id))

    assert await yard.jobs(handler, [JobKind.CONTAINER]).run_until_idle() == ()

    assert len(store.held) == 1


@ensureDeferred
async def test_a_workspace_that_is_gone_needs_nothing(yard: Yard) -> None:
    store, lists = MemoryStore(), Lists()
    handler = ContainerJobs(ContainerAccessTable(yard.database), store, lists)
    await yard.add(kind=JobKind.CONTAINER, workspace_id="00000000-0000-4000-8000-000000000000")

    assert await yard.jobs(handler, [JobKind.CONTAINER]).run_until_idle() == ()

    assert store.held == {}
    assert lists.held == {}


@ensureDeferred
async def test_it_is_known_whether_an_account_has_what_it_needs(yard: Yard) -> None:
    owner = await World(yard.database).user()
    container = yard.psql.value("SELECT container FROM workspace")
    handler = ContainerJobs(ContainerAccessTable(yard.database), MemoryStore(), None)
    jobs = yard.jobs(handler, [JobKind.CONTAINER])
    yard.psql.rows("DELETE FROM job")
    await yard.add("container:another", JobKind.CONTAINER, workspace_id=str(owner.workspace_id))
    assert not await jobs.is_unfinished(owner.account.id)
    await yard.add(
        f"container:{container}", JobKind.CONTAINER, workspace_id=str(owner.workspace_id)
    )
    assert await jobs.is_unfinished(owner.account.id)
    await jobs.run_until_idle()
    assert not await jobs.is_unfinished(owner.account.id)


@ensureDeferred
async def test_a_user_of_the_identity_service_is_removed(yard: Yard, logged: CapturedLog) -> None:
    removed: list[str] = []

    async def remove(user_id: str) -> bool:
        removed.append(user_id)
        return True

    kinds: Sequence[JobKind] = [JobKind.REMOVE_IDENTITY]
    for handler in (RemoveIdentityJobs(remove), RemoveIdentityJobs(None)):
        await yard.add(kind=JobKind.REMOVE_IDENTITY, user_id="0815")
        assert await yard.jobs(handler, kinds).run_until_idle() == ()
    assert removed == ["0815"]
    assert logged.lines_about("user 0815 is not removed: no identity service is configured")
