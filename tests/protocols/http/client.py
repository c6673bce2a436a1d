"""A client for the tests: HTTP over a real loopback connection, raw where a test wants that."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Mapping
from io import BytesIO
from typing import Any

from attrs import define, field, frozen
from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.internet.defer import TimeoutError as DeferredTimeout
from twisted.internet.endpoints import TCP4ClientEndpoint, connectProtocol
from twisted.internet.protocol import Protocol
from twisted.internet.task import deferLater
from twisted.python.failure import Failure
from twisted.web.client import Agent, FileBodyProducer, HTTPConnectionPool
from twisted.web.http_headers import Headers

PATIENCE = 60.0


@frozen
class Response:
    """An answer: status, headers, body.

    :ivar length: what the header Content-Length said; ``UNKNOWN_LENGTH`` without it.
    """

    code: int
    headers: Headers
    length: int | str
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    def header(self, name: str) -> str | None:
        values = self.headers.getRawHeaders(name)
        return None if values is None else ", ".join(values)


@define
class Client:
    """Somebody's way to the API.

    :ivar credentials: what stands before and after the colon; ``None`` for a stranger.
    """

    port: int
    credentials: tuple[str, str] | None = None

    async def request(
        self,
        method: str,
        path: str,
        content: Any = None,
        headers: Mapping[str, str | list[str]] | None = None,
        body: bytes | None = None,
    ) -> Response:
        """Send a request, on a connection of its own.

        :param content: goes as JSON, unless there is a ``body``.
        """
        if content is not None:
            body = json.dumps(content).encode()
        told = Headers({"Authorization": [self.authorization]} if self.credentials else {})
        if body is not None:
            told.setRawHeaders("Content-Type", ["application/json"])
        for name, value in (headers or {}).items():
            told.setRawHeaders(name, [value] if isinstance(value, str) else value)
        agent = Agent(reactor, pool=HTTPConnectionPool(reactor, persistent=False))
        answer = await agent.request(
            method.encode(),
            f"http://127.0.0.1:{self.port}{path}".encode(),
            told,
            None if body is None else FileBodyProducer(BytesIO(body)),
        ).addTimeout(PATIENCE, reactor)
        reader = Conversation()
        answer.deliverBody(reader)
        return Response(answer.code, answer.headers, answer.length, await reader.until_closed())

    async def get(self, path: str, **options: Any) -> Response:
        return await self.request("GET", path, **options)

    async def post(self, path: str, content: Any = None, **options: Any) -> Response:
        return await self.request("POST", path, content, **options)

    async def put(self, path: str, content: Any = None, **options: Any) -> Response:
        return await self.request("PUT", path, content, **options)

    async def send(self, method: str, path: str, content: bytes, **headers: str) -> Response:
        """Send bytes that are no JSON.

        :param headers: with underscores for hyphens.
        """
        told = {name.replace("_", "-"): value for name, value in headers.items()}
        told.setdefault("Content-Type", "application/octet-stream")
        return await self.request(method, path, body=content, headers=told)

    async def raw(self) -> Conversation:
        """A connection to write to as one likes."""
        return await connectProtocol(
            TCP4ClientEndpoint(reactor, "127.0.0.1", self.port), Conversation()
        )

    async def events(self) -> Conversation:
        """An event stream, its head still to be read."""
        stream = await self.raw()
        stream.send(f"GET /api/events HTTP/1.1\r\nHost: x\r\n{self.authorization_line}\r\n")
        return stream

    @property
    def authorization(self) -> str:
        assert self.credentials is not None
        return "Basic " + b64encode(":".join(self.credentials).encode()).decode()

    @property
    def authorization_line(self) -> str:
        return f"Authorization: {self.authorization}\r\n"


class Conversation(Protocol):
    """What a server says on one connection, and whether it has hung up."""

    def __init__(self) -> None:
        self.received = bytearray()
        self.closed = False
        self._changed: list[Deferred[None]] = []

    def dataReceived(self, data: bytes) -> None:
        self.received += data
        self._tell()

    def connectionLost(self, reason: Failure | None = None) -> None:
        self.closed = True
        self._tell()

    def send(self, data: str | bytes) -> None:
        self.transport.write(data.encode() if isinstance(data, str) else data)

    def hang_up(self) -> None:
        self.transport.abortConnection()

    async def until(self, wanted: bytes) -> bytes:
        """Everything up to and with this; it is not kept."""
        await self._wait(lambda: wanted in self.received)
        end = self.received.index(wanted) + len(wanted)
        taken = bytes(self.received[:end])
        del self.received[:end]
        return taken

    async def event(self) -> tuple[str, Any]:
        """The next event of a stream, by name and data; heartbeats are passed over."""
        while True:
            await self.until(b"\nevent: " if b"event: " not in self.received[:7] else b"event: ")
            name = (await self.until(b"\n")).decode().strip()
            await self.until(b"data: ")
            return name, json.loads(await self.until(b"\n"))

    async def until_closed(self) -> bytes:
        """Everything that came until the server hung up."""
        await self._wait(lambda: self.closed)
        return bytes(self.received)

    async def _wait(self, condition: Any) -> None:
        end = reactor.seconds() + PATIENCE
        while not condition():
            changed: Deferred[None] = Deferred()
            self._changed.append(changed)
            try:
                # A stream's heartbeats are no sign that what is waited for still comes.
                await changed.addTimeout(max(0.0, end - reactor.seconds()), reactor)
            except DeferredTimeout:
                raise AssertionError(f"so far: {bytes(self.received[-2000:])!r}") from None

    def _tell(self) -> None:
        changed, self._changed = self._changed, []
        for waiting in changed:
            waiting.callback(None)


async def eventually(condition: Any) -> None:
    """Wait until a condition holds, within a deadline."""
    tries = int(PATIENCE / 0.002)
    for _ in range(tries):
        if condition():
            return
        await deferLater(reactor, 0.002)
    raise AssertionError("it never came to that")


@define
class Patience:
    """Deferreds that a test lets go on when it likes."""

    waiting: list[Deferred[None]] = field(factory=list)

    async def wait(self) -> None:
        self.waiting.append(Deferred())
        await self.waiting[-1]

    def go_on(self) -> None:
        waiting, self.waiting = self.waiting, []
        for each in waiting:
            if not each.called:
                each.callback(None)
