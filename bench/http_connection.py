"""A connection to the HTTP front-end that costs as little as can be.

Sends requests that are bytes already, one after the other, and tells when an
answer is complete.  Understands what our server sends, not all of RFC 9112:
answers have a Content-Length.
"""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import Any

from twisted.internet.interfaces import IReadDescriptor
from twisted.python.failure import Failure
from zope.interface import implementer

READ_BYTES = 1024 * 1024
END_OF_HEAD = b"\r\n\r\n"
LENGTH = b"content-length:"

Answered = Callable[["HttpConnection", bytes, bytes], None]
"""Told the connection, the status line with the headers, and the body."""


@implementer(IReadDescriptor)
class HttpConnection:
    """One request at a time."""

    def __init__(self, reactor: Any, host: str, port: int, answered: Answered) -> None:
        self._reactor = reactor
        self._answered = answered
        self._socket = socket.create_connection((host, port), timeout=10)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._socket.setblocking(False)
        self._pieces: list[bytes] = []
        self._head = b""
        self._missing = 0
        self.lost: str | None = None
        """Why the connection ended, or ``None``."""
        reactor.addReader(self)

    def ask(self, request: bytes) -> None:
        """Send a request, small enough for the socket's buffer."""
        sent = self._socket.send(request)
        if sent != len(request):
            raise RuntimeError(f"the socket took {sent} of {len(request)} bytes")

    def close(self) -> None:
        self._reactor.removeReader(self)
        self._socket.close()

    def fileno(self) -> int:
        return self._socket.fileno()

    def logPrefix(self) -> str:
        return "bench"

    def doRead(self) -> None:
        try:
            data = self._socket.recv(READ_BYTES)
        except BlockingIOError:
            return
        if not data:
            self.lost = "the server closed the connection"
            self.close()
            return
        if not self._missing:
            self._begin(data)
        else:
            self._pieces.append(data)
            self._missing -= len(data)
        if not self._missing and self._head:
            head, self._head = self._head, b""
            body, self._pieces = b"".join(self._pieces), []
            self._answered(self, head, body)

    def connectionLost(self, reason: Failure) -> None:
        self.lost = reason.getErrorMessage()

    def _begin(self, data: bytes) -> None:
        """The first part of an answer; our server sends the head in one piece."""
        head, found, body = data.partition(END_OF_HEAD)
        lowered = head.lower()
        place = lowered.find(LENGTH)
        if not found or place < 0:
            raise RuntimeError(f"not an answer of our server: {data[:200]!r}")
        length = int(lowered[place + len(LENGTH) :].split(b"\r\n", 1)[0])
        self._head = head
        self._pieces = [body]
        self._missing = length - len(body)
