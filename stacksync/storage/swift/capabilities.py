"""What a cluster can do, as it says itself at ``/info``."""

from __future__ import annotations

from typing import Any

import orjson
from attrs import frozen
from twisted.logger import Logger

from stacksync.errors import TooLarge, Unavailable
from stacksync.storage.keystone import Keystone
from stacksync.storage.swift.answer import Answer
from stacksync.storage.swift.connections import Connections
from stacksync.storage.swift.exchange import Broken
from stacksync.storage.threads import PART
from stacksync.streams import read_all

log = Logger()

LONGEST_ANSWER = 1024 * 1024
FRESH_SECONDS = 3600.0


@frozen
class Cluster:
    """What of it matters to us; as it is by default where the cluster does not tell.

    :ivar max_header_size: bytes of a header line, its name and end included.
    """

    has_container_quotas: bool = False
    max_header_size: int = 8192


class Capabilities:
    """Asks once an hour."""

    def __init__(self, reactor: Any, keystone: Keystone, connections: Connections) -> None:
        self._reactor = reactor
        self._keystone = keystone
        self._connections = connections
        self._known: Cluster | None = None
        self._known_at = 0.0

    async def get(self) -> Cluster:
        """What the cluster can do.

        :raises Unavailable: it is away.
        """
        now = self._reactor.seconds()
        if self._known is None or now - self._known_at > FRESH_SECONDS:
            self._known = await self._ask()
            self._known_at = now
        return self._known

    async def _ask(self) -> Cluster:
        account = await self._keystone.object_store()
        url = account.rpartition("/v1")[0] + "/info"
        # Not every Swift tells it to whoever comes without a token (delay_auth_decision).
        token = await self._keystone.token()
        answer = await self._answer(url, token)
        if answer.code == 401:
            await answer.text()
            self._keystone.reject(token)
            answer = await self._answer(url, await self._keystone.token())
        try:
            content = await read_all(answer.body, LONGEST_ANSWER)
        except TooLarge as error:
            raise Unavailable(PART, f"Swift does not tell what it can do: {error}") from error
        if answer.code >= 500:
            raise Unavailable(PART, f"Swift does not tell what it can do: {answer.code}")
        if answer.code != 200:
            log.info("storage: Swift keeps {url} to itself ({code})", url=url, code=answer.code)
            return Cluster()
        try:
            told = orjson.loads(content)
            return Cluster(
                has_container_quotas="container_quotas" in told,
                max_header_size=int(told["swift"]["max_header_size"]),
            )
        except (ValueError, TypeError, KeyError) as error:
            raise Unavailable(PART, f"{url} makes no sense: {error!r}") from error

    async def _answer(self, url: str, token: str) -> Answer:
        headers = {"X-Auth-Token": token}
        try:
            return await self._connections.ask("GET", url, headers)
        except Broken:
            # A connection that nobody had used for a while may be gone.
            pass
        try:
            return await self._connections.ask("GET", url, headers)
        except Broken as error:
            raise Unavailable(PART, f"Swift does not tell what it can do: {error}") from error
