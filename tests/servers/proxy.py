"""A TCP proxy that a test may put between a program and its server, to play the bad network."""

from __future__ import annotations

import asyncio
import socket
import ssl
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

LOOPBACK = "127.0.0.1"


class Proxy:
    """Passes on what comes, until told to hold it.  Its thread runs until :meth:`close`.

    What is held when a connection ends is lost, as in a network.

    :param target: the server's port on the loopback interface, or its UNIX socket.
    :param records: keep what is sent to the server in ``sent``.
    :param certificate: speak TLS with this certificate and key (a PEM file).
    :ivar port: where the proxy listens on the loopback interface.
    """

    def __init__(
        self, target: int | Path, *, records: bool = False, certificate: Path | None = None
    ) -> None:
        self.target = target
        self.records = records
        self.sent = bytearray()
        self._tls = certificate and _tls(certificate)
        # Bound for as long as the proxy lives: nobody else gets the port while it refuses.
        self._place = socket.socket()
        self._place.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._place.bind((LOOPBACK, 0))
        self.port = self._place.getsockname()[1]
        self.holds_requests = False
        self.holds_answers = False
        self.links: set[Link] = set()
        self._loop = asyncio.new_event_loop()
        self._listener: asyncio.Server | None = None
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self.listen()

    def listen(self) -> None:
        """Take connections (again), on the same port."""

        async def listen() -> None:
            self._listener = await self._loop.create_server(
                lambda: Link(self).near, LOOPBACK, self.port, reuse_address=True, ssl=self._tls
            )

        asyncio.run_coroutine_threadsafe(listen(), self._loop).result(60)

    def refuse(self) -> None:
        """Take no more connections, and cut those that there are."""

        async def refuse() -> None:
            assert self._listener is not None
            self._listener.close()

        asyncio.run_coroutine_threadsafe(refuse(), self._loop).result(60)
        self.cut()

    def hold_requests(self) -> None:
        """Keep back what is sent to the server from now on."""
        self.holds_requests = True

    def hold_answers(self) -> None:
        """Keep back what the server sends from now on."""
        self.holds_answers = True

    def release(self) -> None:
        """Pass on what was held and what comes."""
        self.holds_requests = self.holds_answers = False
        self._for_each_link(Link.pass_on)

    def cut(self) -> None:
        """Break all connections; what is held is lost."""
        self._for_each_link(Link.cut)

    def close(self) -> None:
        self.refuse()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(60)
        self._loop.close()
        self._place.close()

    def _for_each_link(self, action: Callable[[Link], None]) -> None:
        async def act() -> None:
            for link in tuple(self.links):
                action(link)

        asyncio.run_coroutine_threadsafe(act(), self._loop).result(60)


class End(asyncio.Protocol):
    """One end of a connection through the proxy."""

    def __init__(self, link: Link) -> None:
        self.link = link
        self.received = bytearray()
        self.transport: Any = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport
        self.link.connected(self)

    def data_received(self, data: bytes) -> None:
        self.received += data
        self.link.pass_on()

    def connection_lost(self, error: Exception | None) -> None:
        self.link.cut()


class Link:
    """A connection through the proxy: the near end is the program's, the far end the server's."""

    def __init__(self, proxy: Proxy) -> None:
        self.proxy = proxy
        self.near = End(self)
        self.far = End(self)
        self._connecting: asyncio.Task[Any] | None = None

    def connected(self, end: End) -> None:
        if end is self.far:
            self.pass_on()
            return
        self.proxy.links.add(self)
        self._connecting = asyncio.get_running_loop().create_task(self._connect())

    def pass_on(self) -> None:
        if self.far.transport is None:
            return
        if not self.proxy.holds_requests:
            if self.proxy.records:
                self.proxy.sent += self.near.received
            move(self.near, self.far)
        if not self.proxy.holds_answers:
            move(self.far, self.near)

    def cut(self) -> None:
        self.proxy.links.discard(self)
        for end in (self.near, self.far):
            if end.transport is not None:
                end.transport.abort()

    async def _connect(self) -> None:
        loop, target = asyncio.get_running_loop(), self.proxy.target
        try:
            if isinstance(target, Path):
                await loop.create_unix_connection(lambda: self.far, str(target))
            else:
                await loop.create_connection(lambda: self.far, LOOPBACK, target)
        except OSError:
            self.cut()


def _tls(certificate: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return context


def move(source: End, destination: End) -> None:
    if source.received:
        destination.transport.write(bytes(source.received))
        source.received.clear()
