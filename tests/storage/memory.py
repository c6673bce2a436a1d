"""A store in memory that fails, or stalls, when a test wants it to."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta

from attrs import define, evolve, field
from twisted.internet.defer import Deferred
from zope.interface import implementer

from stacksync.errors import ChunkNotFound, ContainerNotFound, Unavailable
from stacksync.interfaces import IBlobStore, IByteStream
from stacksync.model import BlobInfo
from stacksync.streams import BytesStream

START = datetime(2026, 1, 1, tzinfo=UTC)


@define
class Fault:
    """What befalls the calls of one method, from the ``after``-th on, counted from 0."""

    method: str
    after: int = 0
    stalls: bool = False


@implementer(IByteStream)
@define(eq=False)
class MemoryReader:
    _store: MemoryStore
    _stream: BytesStream
    _closed: bool = False

    async def read(self) -> bytes:
        assert not self._closed
        await self._store.meets("read")
        piece = await self._stream.read()
        self._store.given += len(piece)
        return piece

    async def close(self) -> None:
        if not self._closed:
            self._closed = True
            self._store.open_readers -= 1


@implementer(IBlobStore)
@define(eq=False)
class MemoryStore:
    """Containers and objects in dictionaries; its time goes by a second with each change.

    :ivar calls: how often each method was called, and ``read`` of what it gave to read.
    :ivar given: bytes that were read from it.
    :ivar running: puts that have begun and not ended.
    :ivar before: called with method and name before a method does anything.
    """

    held: dict[str, dict[str, tuple[BlobInfo, bytes]]] = field(factory=dict)
    calls: Counter[str] = field(factory=Counter)
    faults: list[Fault] = field(factory=list)
    stalled: list[Deferred[None]] = field(factory=list)
    names_read: list[str] = field(factory=list)
    given: int = 0
    running: int = 0
    open_readers: int = 0
    before: Callable[[str, str], None] = lambda method, name: None
    _now: datetime = START

    def objects(self, container: str) -> dict[str, bytes]:
        return {name: body for name, (_, body) in self.held.get(container, {}).items()}

    def replace(self, container: str, name: str, body: bytes) -> None:
        info, _ = self.held[container][name]
        self.held[container][name] = (evolve(info, size=len(body)), body)

    def go_on(self) -> None:
        """Let what is stalled go on."""
        self.faults.clear()
        stalled, self.stalled = self.stalled, []
        for waiting in stalled:
            waiting.callback(None)

    async def meets(self, method: str, name: str = "") -> None:
        number = self.calls[method]
        self.calls[method] += 1
        self.before(method, name)
        for fault in self.faults:
            if fault.method == method and number >= fault.after:
                if not fault.stalls:
                    raise Unavailable("storage", f"{method} fails as it was told to")
                waiting: Deferred[None] = Deferred(self._forget)
                self.stalled.append(waiting)
                await waiting

    def _forget(self, waiting: Deferred[None]) -> None:
        self.stalled.remove(waiting)

    def _tick(self) -> datetime:
        self._now += timedelta(seconds=1)
        return self._now

    def _of(self, container: str) -> dict[str, tuple[BlobInfo, bytes]]:
        try:
            return self.held[container]
        except KeyError:
            raise ContainerNotFound(container) from None

    async def create_container(self, container: str) -> None:
        await self.meets("create_container", container)
        self.held.setdefault(container, {})

    async def delete_container(self, container: str) -> None:
        self.held.pop(container, None)

    async def put(self, container: str, name: str, body: IByteStream) -> BlobInfo:
        self.running += 1
        try:
            await self.meets("put", name)
            held = self._of(container)
            pieces = []
            while piece := await body.read():
                pieces.append(piece)
            whole = b"".join(pieces)
            info = BlobInfo(name, len(whole), self._tick())
            held[name] = (info, whole)
            return info
        finally:
            self.running -= 1

    async def get(
        self, container: str, name: str, start: int = 0, stop: int | None = None
    ) -> IByteStream:
        await self.meets("get", name)
        self.names_read.append(name)
        if name not in self._of(container):
            raise ChunkNotFound(name)
        body = self._of(container)[name][1]
        self.open_readers += 1
        return MemoryReader(self, BytesStream(body[start:stop]))

    async def head(self, container: str, name: str) -> BlobInfo | None:
        await self.meets("head", name)
        found = self._of(container).get(name)
        return found[0] if found else None

    async def refresh(self, container: str, name: str) -> BlobInfo | None:
        await self.meets("refresh", name)
        held = self._of(container)
        if name not in held:
            return None
        info, body = held[name]
        held[name] = (evolve(info, modified_at=self._tick()), body)
        return held[name][0]

    async def delete(self, container: str, name: str) -> bool:
        await self.meets("delete", name)
        return self._of(container).pop(name, None) is not None

    async def copy(self, container: str, name: str, to_container: str) -> BlobInfo:
        await self.meets("copy", name)
        if name not in self._of(container):
            raise ChunkNotFound(name)
        info, body = self._of(container)[name]
        made = evolve(info, modified_at=self._tick())
        self._of(to_container)[name] = (made, body)
        return made

    async def list(self, container: str, after: str = "", limit: int = 1000) -> Sequence[BlobInfo]:
        await self.meets("list", container)
        held = self._of(container)
        names = sorted(name for name in held if name.encode() > after.encode())
        return [held[name][0] for name in names[:limit]]

    async def containers(self, after: str = "", limit: int = 1000) -> Sequence[str]:
        await self.meets("containers")
        names = sorted(self.held, key=str.encode)
        return [name for name in names if name.encode() > after.encode()][:limit]
