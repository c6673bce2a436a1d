"""The store in Swift: objects are Swift's objects, containers its containers.

Says what is asked of Swift and what the answers mean.  That an object
outlives a power failure is Swift's promise; so is that one answer follows
from all replicas: heads ask for the newest one.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

from twisted.web.iweb import IPolicyForHTTPS
from zope.interface import implementer

from stacksync.config import StorageConfig
from stacksync.errors import ChunkNotFound, ContainerNotFound, InvalidRequest, Unavailable
from stacksync.interfaces import IAccessControl, IByteStream
from stacksync.model import BlobInfo, ContainerAccess
from stacksync.storage.keystone import Keystone
from stacksync.storage.lifecycle import IStore
from stacksync.storage.swift.access import AccessLists
from stacksync.storage.swift.bodies import Measure, Pieces, gather
from stacksync.storage.swift.capabilities import Capabilities
from stacksync.storage.swift.client import Request, SwiftClient
from stacksync.storage.swift.connections import Connections
from stacksync.storage.swift.containers import Containers
from stacksync.storage.swift.listings import Listings
from stacksync.storage.swift.paths import object_path
from stacksync.storage.swift.request_body import RequestBody
from stacksync.storage.swift.times import from_header
from stacksync.storage.threads import PART
from stacksync.streams import BytesStream

CHECK_SECONDS = 5.0
"""How long Swift may take to say that it is well."""

OBJECT = {"Content-Type": "application/octet-stream"}
NEWEST = {"X-Newest": "true"}

LOST = 202
"""Swift has a version of the object that it takes for newer than the one that was put."""


@implementer(IStore, IAccessControl)
class SwiftStore:
    """One account in Swift, reached with the service's own token.

    :param reactor: an ``IReactorTime`` and ``IReactorTCP``.
    :param policy: which certificates are trusted.
    :param owns_keystone: whether Keystone's client starts and stops with this store.
    """

    part = PART

    def __init__(
        self,
        reactor: Any,
        keystone: Keystone,
        settings: StorageConfig,
        policy: IPolicyForHTTPS,
        owns_keystone: bool = False,
    ) -> None:
        self._keystone = keystone if owns_keystone else None
        self._connections = Connections(reactor, settings.connections, settings.timeout, policy)
        self._client = SwiftClient(reactor, keystone, self._connections, settings.timeout)
        self._listings = Listings(self._client)
        self._containers = Containers(reactor, self._client, self._listings, settings.timeout)
        capabilities = Capabilities(reactor, keystone, self._connections)
        self._access = AccessLists(keystone, self._client, self._containers, capabilities)

    @property
    def in_use(self) -> int:
        """How many connections requests and open streams have."""
        return self._connections.in_use

    def start(self) -> None:
        """See :meth:`IStore.start`; connections are made when they are needed."""
        if self._keystone is not None:
            self._keystone.start()

    async def stop(self) -> None:
        await self._connections.stop()
        if self._keystone is not None:
            await self._keystone.stop()

    async def check(self) -> None:
        """Ask for the account.

        :raises Unavailable: Swift is away, or refuses us; or Keystone is.
        """
        await self._client.done(Request("HEAD", "", {200, 204, 404}, tries=1, within=CHECK_SECONDS))

    async def create_container(self, container: str) -> None:
        await self._containers.create(container)

    async def delete_container(self, container: str) -> None:
        """It is gone when this returns; a failure leaves a container with fewer objects."""
        await self._containers.remove(container)

    async def put(self, container: str, name: str, body: IByteStream) -> BlobInfo:
        """See :meth:`~stacksync.interfaces.IBlobStore.put`.

        What is not larger than :data:`~stacksync.storage.swift.bodies.KEPT`
        is sent again if it has to be.  The rest of a larger body can't be read
        twice: it is begun only with a token that was just good, and tried once.

        :raises stacksync.errors.QuotaExceeded: the container's quota does not allow it.
            Swift compares a larger body with the quota only when it is there already.
        """
        path = object_path(container, name)
        measure = Measure()
        pieces, is_whole = await gather(body, measure)
        if is_whole:
            return await self._put_whole(path, container, name, pieces, measure)
        await self._containers.head(container)
        source = Pieces(pieces, body, measure)
        # The pieces are dropped as they are sent.
        del pieces
        request = Request(
            "PUT", path, {201, LOST, 404}, OBJECT, partial(RequestBody, source, None), tries=1
        )
        answer = await self._client.done(request)
        if answer.code == 404:
            raise ContainerNotFound(container)
        if answer.code == LOST:
            raise Unavailable(PART, f"another object was put at {path} meanwhile")
        if answer.header("ETag").strip('"') != measure.etag:
            await self.delete(container, name)
            raise Unavailable(PART, f"Swift has received something else than was put at {path}")
        return BlobInfo(name, measure.size, from_header(answer.header("Last-Modified")))

    async def get(
        self, container: str, name: str, start: int = 0, stop: int | None = None
    ) -> IByteStream:
        if start < 0 or (stop is not None and stop < 0):
            raise InvalidRequest("start" if start < 0 else "stop", "must not be negative")
        path = object_path(container, name)
        if stop is not None and stop <= start:
            if await self.head(container, name) is None:
                raise ChunkNotFound(name)
            return BytesStream(b"")
        is_whole = start == 0 and stop is None
        headers = {} if is_whole else {"Range": _range(start, stop)}
        expected = {200, 404} if is_whole else {206, 416, 404}
        answer = await self._client.ask(Request("GET", path, expected, headers))
        if answer.code == 404:
            await answer.text()
            await self._containers.head(container)
            raise ChunkNotFound(name)
        if answer.code == 416:
            await answer.text()
            return BytesStream(b"")
        return answer.body

    async def head(self, container: str, name: str) -> BlobInfo | None:
        request = Request("HEAD", object_path(container, name), {200, 404}, NEWEST)
        answer = await self._client.done(request)
        if answer.code == 404:
            await self._containers.head(container)
            return None
        length = answer.header("Content-Length")
        if not length.isdecimal():
            raise Unavailable(PART, f"Swift tells no size of {request.path}: {length!r}")
        return BlobInfo(name, int(length), from_header(answer.header("Last-Modified")))

    async def refresh(self, container: str, name: str) -> BlobInfo | None:
        """See :meth:`~stacksync.interfaces.IBlobStore.refresh`: sets metadata, to none."""
        request = Request("POST", object_path(container, name), {202, 404}, passing={409})
        if (await self._client.done(request)).code == 404:
            await self._containers.head(container)
            return None
        return await self.head(container, name)

    async def delete(self, container: str, name: str) -> bool:
        path = object_path(container, name)
        answer = await self._client.done(Request("DELETE", path, {204, 404}, passing={409}))
        if answer.code == 404:
            await self._containers.head(container)
        return answer.code == 204

    async def copy(self, container: str, name: str, to_container: str) -> BlobInfo:
        """See :meth:`~stacksync.interfaces.IBlobStore.copy`; the bytes stay within Swift."""
        source, target = object_path(container, name), object_path(to_container, name)
        headers = {**OBJECT, "X-Copy-From": source}
        request = Request("PUT", target, {201, 404}, headers, passing={LOST, 409})
        if (await self._client.done(request)).code == 201:
            made = await self.head(to_container, name)
            if made is not None:
                return made
        await self._containers.head(to_container)
        await self._containers.head(container)
        raise ChunkNotFound(name)

    async def list(self, container: str, after: str = "", limit: int = 1000) -> Sequence[BlobInfo]:
        """See :meth:`~stacksync.interfaces.IBlobStore.list`.

        A busy Swift brings its listings up to date later than its objects.
        """
        return await self._listings.objects(container, after, limit)

    async def containers(self, after: str = "", limit: int = 1000) -> Sequence[str]:
        return await self._listings.containers(after, limit)

    async def access(self, container: str) -> ContainerAccess:
        return await self._access.read(container)

    async def set_access(self, container: str, access: ContainerAccess) -> None:
        """See :meth:`~stacksync.interfaces.IAccessControl.set_access`.

        The quota is kept where the cluster has container quotas, and dropped elsewhere.
        """
        await self._access.write(container, access)

    async def _put_whole(
        self, path: str, container: str, name: str, pieces: Sequence[bytes], measure: Measure
    ) -> BlobInfo:
        def body() -> RequestBody:
            return RequestBody(Pieces(pieces), measure.size)

        answer = await self._client.done(
            Request(
                "PUT",
                path,
                {201, 404},
                # Swift answers 422, and keeps what it had, when something else arrives.
                {**OBJECT, "ETag": measure.etag},
                body,
                passing={LOST, 409, 422},
            )
        )
        if answer.code == 404:
            raise ContainerNotFound(container)
        return BlobInfo(name, measure.size, from_header(answer.header("Last-Modified")))


def _range(start: int, stop: int | None) -> str:
    return f"bytes={start}-" if stop is None else f"bytes={start}-{stop - 1}"
