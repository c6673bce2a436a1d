"""What Swift answers: a status, headers, and a body that comes as fast as it is read."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any

from attrs import frozen
from twisted.internet.defer import Deferred
from twisted.internet.defer import TimeoutError as DeferredTimeout
from twisted.internet.protocol import Protocol, connectionDone
from twisted.python.failure import Failure
from twisted.web.client import ResponseDone
from twisted.web.http_headers import Headers
from zope.interface import implementer

from stacksync.errors import StackSyncError, TooLarge, Unavailable
from stacksync.interfaces import IByteStream
from stacksync.storage.threads import PART
from stacksync.streams import PIECE, read_all

LONGEST_REMARK = 64 * 1024
"""Bytes of an error's page; a longer one is not worth its connection."""


@implementer(IByteStream)
class AnswerBody(Protocol):
    """Gives whole pieces; holds at most one, and what one read of a socket brings.

    :param timeout: seconds that the next bytes may take when the reader waits.
    :param abort: breaks the connection.
    :param dawdles: called when the reader does not keep up.
    :param over: called when no more comes.
    """

    def __init__(
        self,
        reactor: Any,
        timeout: float,
        abort: Callable[[], None],
        dawdles: Callable[[], None],
        over: Callable[[], None],
    ) -> None:
        self._reactor = reactor
        self._timeout = timeout
        self._abort = abort
        self._dawdles = dawdles
        self._over = over
        self._held: deque[bytes] = deque()
        self._size = 0
        self._received = 0
        self._is_paused = False
        self._is_complete = False
        self._failure: StackSyncError | None = None
        self._waiting: Deferred[None] | None = None
        self._connection: Any = None

    async def read(self) -> bytes:
        while self._failure is None and self._size < PIECE and not self._is_complete:
            self._waiting = Deferred()
            self._flow()
            try:
                await self._waiting.addTimeout(self._timeout, self._reactor)
            except DeferredTimeout:
                self.fail(f"nothing more came within {self._timeout:g} s")
            finally:
                self._waiting = None
        if self._failure is not None:
            raise self._failure
        return self._taken()

    async def close(self) -> None:
        self._held.clear()
        self._size = 0
        if not self._is_complete:
            self._is_complete = True
            self._abort()

    def fail(self, problem: str) -> None:
        """Give up, unless all is here: whoever reads on is told why."""
        if not self._is_complete and self._failure is None:
            self._failure = Unavailable(PART, problem)
            self._abort()
            self._wake()

    def withdraw(self, problem: str) -> None:
        """Like :meth:`fail`, and what is here is not given any more either."""
        self._failure = self._failure or Unavailable(PART, problem)
        self._held.clear()
        self._abort()
        self._wake()

    def connectionMade(self) -> None:
        self._connection = self.transport

    def dataReceived(self, data: bytes) -> None:
        self._held.append(data)
        self._size += len(data)
        self._received += len(data)
        if self._size >= PIECE and not self._is_paused:
            self._is_paused = True
            self._connection.pauseProducing()
            self._dawdles()
        self._wake()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        if reason.check(ResponseDone):
            self._is_complete = True
        elif not self._is_complete and self._failure is None:
            self._failure = Unavailable(
                PART, f"Swift's answer broke off after {self._received} bytes"
            )
        self._over()
        self._wake()

    def _taken(self) -> bytes:
        taken: list[bytes] = []
        room = PIECE
        while self._held and room:
            data = self._held.popleft()
            if len(data) > room:
                self._held.appendleft(data[room:])
                data = data[:room]
            taken.append(data)
            room -= len(data)
        self._size -= PIECE - room
        self._flow()
        return b"".join(taken)

    def _flow(self) -> None:
        if self._is_paused and self._size < PIECE and not self._is_complete:
            self._is_paused = False
            self._connection.resumeProducing()

    def _wake(self) -> None:
        if self._waiting is not None and not self._waiting.called:
            self._waiting.callback(None)


@frozen
class Answer:
    """A status with its headers; whoever gets it reads the body or closes it."""

    code: int
    headers: Headers
    body: AnswerBody

    def header(self, name: str) -> str:
        """The value, or nothing if the header is missing."""
        values = self.headers.getRawHeaders(name.encode()) or [b""]
        return bytes(values[-1]).decode("utf-8", "replace")

    async def text(self) -> str:
        """What an error's page says, as far as it can be got."""
        try:
            return (await read_all(self.body, LONGEST_REMARK)).decode("utf-8", "replace")
        except (TooLarge, Unavailable):
            return ""
