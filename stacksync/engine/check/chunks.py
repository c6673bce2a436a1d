"""Checks the content: every chunk that a version refers to is there and is what its name says.

A chunk is looked at once, however many versions have it, and a bad one again
before that is told.  What devices have encrypted can only be seen to be there.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from attrs import define, field, frozen

from stacksync.db.checks import CheckTable
from stacksync.db.chunk_checks import ChunkCheckTable, Faulty
from stacksync.db.item_pages import Place
from stacksync.db.known_workspaces import KnownWorkspace
from stacksync.engine.check.findings import Finding, Findings
from stacksync.engine.content.chunk_object import BadChunk, content_name
from stacksync.engine.content.chunk_reading import ChunkReading
from stacksync.engine.content.tasks import Tasks
from stacksync.engine.content.threads import ContentThreads
from stacksync.engine.upkeep import Progress
from stacksync.errors import ChunkNotFound, ContainerNotFound
from stacksync.interfaces import IBlobStore

AT_ONCE = 4
"""How many chunks are looked at at the same time."""

PER_PAGE = 200

MISSING = "is missing"


@frozen
class Looked:
    """What was found out about a chunk; the plain size is ``None`` if it is not known."""

    name: str
    size: int | None
    problem: str | None


Look = Callable[[KnownWorkspace, str], Awaitable[Looked]]


@define
class ChunkCheck:
    """Looks through one workspace at a time.

    :param content: read the chunks; without it, only see whether they are there.
    :param repairing: say of what is damaged whether anything can be done.
    :ivar chunks: how many chunks were looked at.
    :ivar bytes: how many plain bytes were read.
    """

    _table: ChunkCheckTable
    _checks: CheckTable
    _store: IBlobStore
    _threads: ContentThreads
    _findings: Findings
    _progress: Progress
    _content: bool
    _repairing: bool
    chunks: int = field(default=0, init=False)
    bytes: int = field(default=0, init=False)

    async def check(self, workspace: KnownWorkspace) -> None:
        """Look; a chunk that is lost can't be repaired."""
        await self._table.begin()
        gathered: Place | None = Place()
        while gathered is not None:
            self._progress(f"{workspace.owner_email}: gathering the chunks of all versions")
            gathered = await self._table.gather(workspace.id, gathered)
        look = self._read if self._content and not workspace.is_encrypted else self._glance
        await self._look_at_all(look, workspace, await self._table.count())
        sizes = not workspace.is_encrypted
        place = Place()
        while (page := await self._table.faulty(workspace.id, place, sizes=sizes)) is not None:
            place, found = page
            for faulty in found:
                if not faulty.bad or await self._is_bad_still(look, workspace, faulty):
                    await self._tell(workspace, faulty, sizes)

    async def _is_bad_still(self, look: Look, workspace: KnownWorkspace, faulty: Faulty) -> bool:
        """Whether a chunk of a version is bad now that the version is known to be there.

        When it was looked at, garbage collection may just have removed it, to be written anew
        for this version.
        """
        for name in await self._table.bad(faulty):
            if (await look(workspace, name)).problem is not None:
                return True
        return False

    async def _look_at_all(self, look: Look, workspace: KnownWorkspace, total: int) -> None:
        after = ""
        done = 0
        while names := await self._table.names(after, PER_PAGE):
            looked: list[Looked] = []
            tasks = Tasks(AT_ONCE)
            try:
                for name in names:
                    await tasks.room()
                    tasks.start(self._look(look, workspace, name, looked))
                await tasks.finish()
            except BaseException:
                await tasks.give_up()
                raise
            await self._table.note(
                [each.name for each in looked],
                [each.size for each in looked],
                [each.problem for each in looked],
            )
            done += len(names)
            after = names[-1]
            self._progress(f"{workspace.owner_email}: {done} of {total} chunks looked at")

    async def _look(
        self, look: Look, workspace: KnownWorkspace, name: str, into: list[Looked]
    ) -> None:
        into.append(await look(workspace, name))
        self.chunks += 1

    async def _glance(self, workspace: KnownWorkspace, name: str) -> Looked:
        """Whether the chunk is there."""
        try:
            info = await self._store.head(workspace.container, name)
        except ContainerNotFound:
            info = None
        if info is None:
            return Looked(name, None, MISSING)
        told = content_name(name)
        return Looked(name, told.size if told is not None else None, None)

    async def _read(self, workspace: KnownWorkspace, name: str) -> Looked:
        """Whether the chunk is there and is what its name says."""
        reading = ChunkReading(self._store, self._threads, workspace.container, name, 0)
        size = 0
        try:
            while block := await reading.block():
                size += len(block)
        except (ChunkNotFound, ContainerNotFound):
            return Looked(name, None, MISSING)
        except BadChunk as error:
            return Looked(name, None, f"is damaged: {error}")
        finally:
            await reading.close()
        self.bytes += size
        return Looked(name, size, None)

    async def _tell(self, workspace: KnownWorkspace, faulty: Faulty, sizes: bool) -> None:
        path = await self._checks.path(faulty.item_id)
        where = f"{path}, version {faulty.version}"
        if faulty.bad:
            more = faulty.bad - len(faulty.problems)
            told = "; ".join(f"chunk {problem}" for problem in faulty.problems)
            told += f"; and {more} more" if more > 0 else ""
        else:
            told = f"it should have {faulty.size} bytes, but its chunks have {faulty.together}"
        finding = Finding(
            "bad-content",
            f"{where}: {told}",
            workspace.owner_email,
            workspace.id,
            faulty.item_id,
            faulty.version,
            tuple(faulty.chunks or ()),
        )
        whole = await self._table.whole_before(faulty, sizes=sizes)
        advice = (
            f"version {whole} is whole and can be restored"
            if whole is not None
            else "no earlier version is whole"
        )
        lost = "cannot be repaired: " if self._repairing else ""
        self._findings.unrepaired(finding, lost + advice)
