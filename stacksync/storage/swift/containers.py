"""Containers as a whole: making one, removing one with all that is in it."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any

from twisted.internet.defer import Deferred, FirstError, gatherResults
from twisted.internet.task import deferLater

from stacksync.errors import ContainerNotFound, Unavailable
from stacksync.model import BlobInfo
from stacksync.storage.swift.answer import Answer
from stacksync.storage.swift.client import Request, SwiftClient
from stacksync.storage.swift.listings import LONGEST_PAGE, Listings
from stacksync.storage.swift.paths import container_path, object_path
from stacksync.storage.threads import PART

AT_ONCE = 8
"""Objects that are deleted at the same time."""

FIRST_DELAY = 0.1
LONGEST_DELAY = 5.0


class Containers:
    """See :class:`~stacksync.interfaces.IBlobStore`.

    :param timeout: seconds for which a container may stay full while its listing is empty.
    """

    def __init__(
        self, reactor: Any, client: SwiftClient, listings: Listings, timeout: float
    ) -> None:
        self._reactor = reactor
        self._client = client
        self._listings = listings
        self._timeout = timeout

    async def create(self, container: str) -> None:
        await self._client.done(Request("PUT", container_path(container), {201, 202}))

    async def head(self, container: str) -> Answer:
        """What Swift says of a container.

        :raises ContainerNotFound: there is none.
        """
        request = Request("HEAD", container_path(container), {200, 204, 404})
        answer = await self._client.done(request)
        if answer.code == 404:
            raise ContainerNotFound(container)
        return answer

    async def remove(self, container: str) -> None:
        """Delete what it lists and then itself, again until it is gone.

        Listings follow a little later than objects: what shows up meanwhile
        is deleted too.

        :raises Unavailable: it did not get empty in time.
        """
        request = Request("DELETE", container_path(container), {204, 404, 409})
        delay, waited = FIRST_DELAY, 0.0
        while True:
            try:
                found = await self._listings.objects(container, "", LONGEST_PAGE)
            except ContainerNotFound:
                return
            if found:
                await self._delete(container, found)
                if len(found) == LONGEST_PAGE:
                    continue
            if (await self._client.done(request)).code != 409:
                return
            if waited >= self._timeout:
                raise Unavailable(PART, f"container {container} is not empty yet")
            pause = delay * random.uniform(0.5, 1.0)
            await deferLater(self._reactor, pause)
            waited += pause
            delay = min(LONGEST_DELAY, delay * 2)

    async def _delete(self, container: str, found: Sequence[BlobInfo]) -> None:
        waiting = iter(found)

        async def work() -> None:
            for each in waiting:
                path = object_path(container, each.name)
                await self._client.done(Request("DELETE", path, {204, 404}, passing={409}))

        workers = [Deferred.fromCoroutine(work()) for _ in range(AT_ONCE)]
        try:
            await gatherResults(workers, consumeErrors=True)
        except FirstError as error:
            for worker in workers:
                worker.cancel()
            error.subFailure.raiseException()
