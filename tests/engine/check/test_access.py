"""Who may reach a container in the store is who takes part, or a check says who may not."""

from __future__ import annotations

import pytest
from attrs import define, evolve, field
from pytest_twisted import ensureDeferred
from twisted.internet import reactor
from zope.interface import implementer

from stacksync.engine.check import Check
from stacksync.errors import ContainerNotFound
from stacksync.interfaces import IAccessControl
from stacksync.model import ContainerAccess
from tests.engine.conftest import Person
from tests.engine.estate import Estate, estate
from tests.storage.memory import MemoryStore

__all__ = ["estate"]


@implementer(IAccessControl)
@define(eq=False)
class GuardedStore(MemoryStore):
    """A store in memory with access lists."""

    lists: dict[str, ContainerAccess] = field(factory=dict)

    async def access(self, container: str) -> ContainerAccess:
        if container not in self.lists:
            raise ContainerNotFound(container)
        return self.lists[container]

    async def set_access(self, container: str, access: ContainerAccess) -> None:
        self.lists[container] = access


@define
class Guarded:
    """Anna's workspace, of which Bert is a viewer, and the store's idea of it."""

    estate: Estate
    store: GuardedStore
    anna: Person
    bert: Person
    container: str

    async def check(self, *, repair: bool = False) -> Check:
        engine = self.estate.engine
        check = Check(
            reactor, self.estate.database, self.store, engine.content.threads, engine.devices,
            repair=repair,
        )  # fmt: skip
        await check.run()
        return check

    async def message(self) -> str:
        (finding,) = (await self.check()).findings.kept
        assert (finding.kind, finding.owner) == ("access", self.anna.user.account.email)
        return finding.message

    @property
    def access(self) -> ContainerAccess:
        return self.store.lists[self.container]

    @access.setter
    def access(self, access: ContainerAccess) -> None:
        self.store.lists[self.container] = access


async def guarded(estate: Estate) -> Guarded:
    anna, bert = await estate.person(), await estate.person()
    for person, identity in ((anna, "id-a"), (bert, "id-b")):
        estate.psql.rows(
            "UPDATE account SET identity_id = %s WHERE id = %s", identity, person.user.account.id
        )
    estate.psql.rows("DELETE FROM workspace WHERE owner_id = %s", bert.user.account.id)
    estate.psql.rows(
        "INSERT INTO membership (account_id, workspace_id, role, mount_name)"
        " VALUES (%s, %s, 'viewer', 'shared')",
        bert.user.account.id,
        anna.user.workspace_id,
    )
    estate.psql.rows("DELETE FROM job")
    made = Guarded(estate, GuardedStore(), anna, bert, estate.container(anna))
    quota = anna.user.account.quota_limit
    made.access = ContainerAccess(frozenset({"id-a", "id-b"}), frozenset({"id-a"}), quota)
    return made


@ensureDeferred
async def test_what_fits_is_found_so(estate: Estate) -> None:
    site = await guarded(estate)
    assert (await site.check()).findings.kept == []
    # A cluster without quotas of containers has none to compare.
    site.access = evolve(site.access, quota=None)
    assert (await site.check()).findings.kept == []


@pytest.mark.parametrize(
    ("readers", "writers", "problem"),
    [
        ("ab", "ab", "{bert} can write it, and should not"),
        ("abx", "a", "user id-x can read it, and should not"),
        ("a", "a", "{bert} cannot read it"),
        ("ab", "", "{anna} cannot write it"),
        ("", "", "{anna}, {bert} cannot read it; {anna} cannot write it"),
    ],
)
@ensureDeferred
async def test_who_may_and_should_not_or_should_and_may_not_is_told(
    estate: Estate, readers: str, writers: str, problem: str
) -> None:
    site = await guarded(estate)
    site.access = evolve(
        site.access,
        readers=frozenset(f"id-{each}" for each in readers),
        writers=frozenset(f"id-{each}" for each in writers),
    )
    facts = {"anna": site.anna.user.account.email, "bert": site.bert.user.account.email}
    assert await site.message() == f"container {site.container}: {problem.format(**facts)}"


@ensureDeferred
async def test_a_container_or_quota_that_is_another_is_told(estate: Estate) -> None:
    site = await guarded(estate)
    site.access = evolve(site.access, quota=1)
    assert await site.message() == (
        f"container {site.container}: its quota is 1 bytes instead of {10**9}"
    )
    site.store.lists.clear()
    assert await site.message() == f"container {site.container}: it is not there"


@ensureDeferred
async def test_a_repair_leaves_a_job_and_what_waits_for_one_is_no_finding(estate: Estate) -> None:
    site = await guarded(estate)
    site.store.lists.clear()

    repaired = await site.check(repair=True)

    (finding,) = repaired.findings.kept
    assert finding.repaired
    assert finding.outcome == "a job was left that puts it right (stacksync-admin jobs list)"
    assert estate.psql.rows("SELECT kind, queue, arguments ->> 'workspace_id' FROM job") == [
        ("container", f"container:{site.container}", str(site.anna.user.workspace_id))
    ]
    again = await site.check()
    assert again.findings.kept == []
    assert again.notes == ["1 containers wait for a job and were not looked at"]
