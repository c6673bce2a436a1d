"""A server in the place of Swift that answers what the real one can't be made to answer."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from attrs import define, field
from twisted.internet import reactor
from twisted.web.resource import Resource
from twisted.web.server import Site

LOOPBACK = "127.0.0.1"
Answer = tuple[int, dict[str, str], bytes]


@define(eq=False)
class Script:
    """Gives these answers, one for each request, and the last one for ever.

    :ivar seen: method and path of each request.
    :ivar bodies: what came with each; ``tokens`` by whose rights.
    """

    answers: list[Answer]
    seen: list[str] = field(factory=list)
    bodies: list[bytes] = field(factory=list)
    tokens: list[str] = field(factory=list)
    port: int = 0

    def next(self) -> Answer:
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


class _Page(Resource):
    isLeaf = True

    def __init__(self, script: Script) -> None:
        super().__init__()
        self._script = script

    def render(self, request: Any) -> bytes:
        self._script.seen.append(f"{request.method.decode()} {request.path.decode()}")
        self._script.bodies.append(request.content.read())
        self._script.tokens.append(request.getHeader("X-Auth-Token") or "")
        code, headers, body = self._script.next()
        request.setResponseCode(code)
        for name, value in headers.items():
            request.setHeader(name, value)
        return body


@define
class OtherPlace:
    """A Keystone's client as the store knows it, which names the script's place."""

    script: Script
    rejected: list[str] = field(factory=list)

    async def token(self) -> str:
        return f"token-{len(self.rejected)}"

    def reject(self, token: str) -> None:
        self.rejected.append(token)

    async def object_store(self, interface: str | None = None) -> str:
        return f"http://{LOOPBACK}:{self.script.port}/v1/AUTH_project"

    async def project_id(self) -> str:
        return "project"


@contextmanager
def playing(script: Script) -> Iterator[None]:
    """Listens as long as it is entered."""
    listening: Any = reactor.listenTCP(0, Site(_Page(script)), interface=LOOPBACK)
    script.port = listening.getHost().port
    try:
        yield
    finally:
        listening.stopListening()
