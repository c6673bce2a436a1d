"""The body of an answer whose headers have arrived."""

from __future__ import annotations

from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.protocol import Protocol, connectionDone
from twisted.python.failure import Failure
from twisted.web.client import ResponseDone
from twisted.web.iweb import IResponse

LONGEST_BODY = 16 * 1024 * 1024
"""Bytes of an answer that is taken as a whole."""


class BodyTooLong(Exception):
    """An answer that is longer than any that was asked for."""


async def whole_body(response: IResponse, longest: int = LONGEST_BODY) -> bytes:
    """All of it; cancelling closes the connection.

    :raises BodyTooLong: it has more than ``longest`` bytes.
    """
    collector = _Collector(longest)
    response.deliverBody(collector)
    return await collector.done


def let_go(response: IResponse) -> None:
    """Close the connection of an answer whose body nobody wants, if there is still more of it."""
    collector = _Collector(0)
    collector.done.addErrback(lambda failure: None)
    response.deliverBody(collector)
    collector.abort()


class _Collector(Protocol):
    """Gathers pieces up to a number of bytes."""

    def __init__(self, longest: int) -> None:
        self.done: Deferred[bytes] = Deferred(lambda cancelled: self.abort())
        self._longest = longest
        self._pieces: list[bytes] = []
        self._received = 0

    def dataReceived(self, data: bytes) -> None:
        if self.done.called:
            return
        self._received += len(data)
        self._pieces.append(data)
        if self._received > self._longest:
            self.done.errback(BodyTooLong(f"its body has more than {self._longest} bytes"))
            self.abort()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        if self.done.called:
            return
        if reason.check(ResponseDone):
            self.done.callback(b"".join(self._pieces))
        else:
            self.done.errback(reason)

    def abort(self) -> None:
        transport: Any = self.transport
        # What has arrived as a whole has no transport that could be closed.
        close = getattr(transport, "abortConnection", None)
        if close is not None:
            close()
