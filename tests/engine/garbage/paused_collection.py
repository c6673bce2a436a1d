"""An old chunk that nothing refers to, and a collection that can be paused on its way to it."""

from __future__ import annotations

from attrs import define
from twisted.internet.defer import Deferred

from stacksync.engine.content.chunk_object import encode, name_of
from stacksync.model import Workspace
from stacksync.streams import BytesStream
from tests.db.builders import new
from tests.db.observation import until
from tests.engine.conftest import Person
from tests.engine.estate import HOUR, Estate
from tests.engine.garbage.pausing_store import PausingStore

OLD = name_of(b"old")


@define
class Stage:
    """Somebody with an old chunk that nothing refers to, and a collection that can be paused."""

    estate: Estate
    person: Person
    workspace: Workspace
    store: PausingStore

    def begin(self) -> Deferred[None]:
        """Start a collection."""
        return Deferred.fromCoroutine(self.estate.collection(store=self.store).run())

    async def collect_up_to(self, step: str) -> Deferred[None]:
        """Start a collection and wait until it is at a step of the store."""
        collecting = self.begin()
        await until(lambda: step in self.store.reached)
        return collecting

    def write(self) -> Deferred[bool]:
        """Write the old chunk, as every writer does; whether it was found there."""
        return Deferred.fromCoroutine(self._write())

    async def _write(self) -> bool:
        keeper = self.estate.engine.content.keeper
        if await keeper.present(self.workspace, OLD) is not None:
            return True
        await keeper.put(self.workspace, OLD, BytesStream(encode(b"old")))
        return False

    async def commit(self) -> None:
        await self.person.item(new("uses it", chunks=(OLD,), size=3))

    async def until_somebody_waits(self) -> None:
        """Until a statement waits for a lock that the collection has."""
        await until(
            lambda: self.estate.psql.value(
                "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
                " AND wait_event_type = 'Lock'"
            )
        )

    @property
    def is_there(self) -> bool:
        return OLD in self.estate.chunks(self.person)


async def stage_in(estate: Estate) -> Stage:
    person = await estate.person()
    workspace = await estate.engine.workspaces.get(person.principal, person.user.workspace_id)
    await estate.store.create_container(workspace.container)
    await estate.store.put(workspace.container, OLD, BytesStream(encode(b"old")))
    estate.age(2 * HOUR)
    return Stage(estate, person, workspace, PausingStore(estate.store))
