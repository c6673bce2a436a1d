"""Clients by the thousand that say next to nothing, all in one thread."""

from __future__ import annotations

import resource
import selectors
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from urllib.parse import urlsplit

from attrs import define, field

HEAD = b"GET /api/account HTTP/1.1\r\nHost: x\r\nX-Slow: "
BODY = (
    b"POST /api/devices HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
    b"Content-Length: 1000000\r\n\r\n{"
)
SILENCE = b""
FILES = 4096
PATIENCE = 30.0


@contextmanager
def many_files() -> Iterator[None]:
    """This process may have more sockets than usual."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, min(FILES, hard)), hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@define
class SlowConnections:
    """Connections that have begun something, and go on a byte at a time.

    :param url: of the server.
    """

    _url: str
    _open: list[socket.socket] = field(factory=list)
    _next: int = 0

    def begin(self, count: int, begun: bytes) -> None:
        """Connect so many times, and say this much on each."""
        address = urlsplit(self._url)
        for _ in range(count):
            connection = socket.create_connection((address.hostname, address.port), PATIENCE)
            connection.sendall(begun)
            connection.setblocking(False)
            self._open.append(connection)

    def go_on(self, count: int) -> None:
        """Send one byte more on so many of those that are not silent, in turn."""
        for _ in range(count):
            self._next = (self._next + 1) % len(self._open)
            with suppress(OSError):
                self._open[self._next].send(b"x")

    def until_cut_off(self, count: int) -> None:
        """Wait until the server has had enough of the first so many."""
        end = time.monotonic() + PATIENCE
        with selectors.DefaultSelector() as selector:
            for connection in self._open[:count]:
                selector.register(connection, selectors.EVENT_READ)
            while selector.get_map():
                assert time.monotonic() < end, f"{len(selector.get_map())} are still open"
                for key, _ in selector.select(1.0):
                    # A word that it took too long, or the end: either is the end of it.
                    selector.unregister(key.fileobj)

    def close(self) -> None:
        for connection in self._open:
            connection.close()
