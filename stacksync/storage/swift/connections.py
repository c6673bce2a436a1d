"""Persistent connections to Swift, of which a bounded number is in use at a time.

Knows HTTP, not Swift's API: no statuses, no tokens, no second tries.
"""

from __future__ import annotations

from typing import Any

from twisted.internet.defer import Deferred, DeferredSemaphore
from twisted.internet.defer import TimeoutError as DeferredTimeout
from twisted.internet.task import deferLater
from twisted.web.http_headers import Headers
from twisted.web.iweb import IPolicyForHTTPS

from stacksync.errors import Unavailable
from stacksync.http_client.pool import connection_pool
from stacksync.storage.swift.answer import Answer
from stacksync.storage.swift.exchange import Exchange
from stacksync.storage.swift.request_body import RequestBody
from stacksync.storage.threads import PART

STOP_SECONDS = 5.0
"""How long the other side may take to close a connection that is not used."""

STOPPED = "the store has been stopped"


class Connections:
    """Makes requests, and keeps what is open.

    :param places: how many requests go on at the same time.  One whose answer
        is read too slowly does not count any more, or a few slow readers
        would stop everybody.
    :param timeout: seconds that a place, a piece or an answer may take.
    """

    def __init__(self, reactor: Any, places: int, timeout: float, policy: IPolicyForHTTPS) -> None:
        self._reactor = reactor
        self._places = DeferredSemaphore(places)
        self._number = places
        self._timeout = timeout
        self._policy = policy
        self._pool = connection_pool(reactor, places)
        self._pool.retryAutomatically = False
        self._going_on: set[Exchange] = set()
        self._is_stopped = False

    @property
    def in_use(self) -> int:
        """How many connections are made use of, or are being made."""
        return len(self._going_on)

    async def ask(
        self,
        method: str,
        url: str,
        headers: dict[str, str],
        body: RequestBody | None = None,
        within: float | None = None,
    ) -> Answer:
        """Send a request; returns with the answer's headers.

        :param within: seconds, where less than usual is enough.
        :raises Unavailable: no place became free, or the store was stopped.
        :raises stacksync.storage.swift.exchange.Broken: the connection broke, or
            could not be made, or nothing came over it.
        :raises Exception: what reading the body raised.
        """
        seconds = self._timeout if within is None else min(within, self._timeout)
        await self._place(seconds)
        exchange = Exchange(self._reactor, self._pool, self._policy, seconds, self._let_go)
        if self._is_stopped:
            self._places.release()
            raise Unavailable(PART, STOPPED)
        self._going_on.add(exchange)
        encoded = Headers({name: [value] for name, value in headers.items()})
        return await exchange.answer_to(method.encode(), url.encode(), encoded, body)

    async def stop(self) -> None:
        """Break what goes on, close what does not."""
        self._is_stopped = True
        for exchange in tuple(self._going_on):
            exchange.withdraw(STOPPED)
        closing = self._pool.closeCachedConnections()
        try:
            await closing.addTimeout(STOP_SECONDS, self._reactor)
        except DeferredTimeout:
            pass
        # A connection that is aborted is closed in the reactor's next turn.
        await deferLater(self._reactor, 0)

    async def _place(self, seconds: float) -> None:
        if self._is_stopped:
            raise Unavailable(PART, STOPPED)
        acquiring: Deferred[DeferredSemaphore] = self._places.acquire()
        try:
            await acquiring.addTimeout(seconds, self._reactor)
        except DeferredTimeout:
            raise Unavailable(
                PART, f"{self._number} requests to Swift go on already, none ended in {seconds:g} s"
            ) from None

    def _let_go(self, exchange: Exchange, is_over: bool) -> None:
        if is_over:
            self._going_on.discard(exchange)
        if exchange.has_place:
            exchange.has_place = False
            self._places.release()
