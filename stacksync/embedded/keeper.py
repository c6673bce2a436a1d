"""Keeps one embedded server running for as long as any process needs it.

Whoever comes first starts it, the last one to leave stops it.  One that a
killed process left behind is taken over, one that dies is started again.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Protocol

from attrs import frozen
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.task import deferLater
from twisted.logger import Logger

from stacksync.embedded.claim import Claim
from stacksync.embedded.deadline import Deadline
from stacksync.embedded.processes import tail
from stacksync.embedded.threads import in_thread
from stacksync.errors import Unavailable

_GIVING_UP = 2.0


class Server(Protocol):
    """What is kept: its methods block, and ``pid`` is ``None`` while it doesn't run."""

    @property
    def pid(self) -> int | None: ...

    @property
    def log(self) -> Path: ...

    def start(self, deadline: Deadline) -> None: ...

    def stop(self, deadline: Deadline) -> None: ...


@frozen
class Patience:
    """How long a keeper waits for what, in seconds.

    ``first_delay`` and ``longest_delay`` bound the pause before a server that
    died is started again: it doubles each time until one stays up for ``lived``.
    """

    start: float = 60.0
    stop: float = 15.0
    check: float = 1.0
    first_delay: float = 1.0
    longest_delay: float = 60.0
    lived: float = 60.0


class Keeper:
    """One process's hold on a server.

    :param name: of the server, for messages and for the files of its claim.
    :param home: the state directory.
    """

    _log = Logger()

    def __init__(
        self, reactor: Any, name: str, home: Path, server: Server, patience: Patience
    ) -> None:
        self._reactor = reactor
        self._name = name
        self._server = server
        self._claim = Claim(home, name.lower())
        self._patience = patience
        self._watch: Deferred[None] | None = None

    async def start(self) -> None:
        """Start the server or join it, and from then on restart it when it dies.

        :raises Unavailable: it did not start; the message has the end of its log.
        """
        await in_thread(self._reactor, self._patience.start, self._start)
        self._watch = Deferred.fromCoroutine(self._restart_when_dead())
        self._watch.addErrback(lambda failure: failure.trap(CancelledError))
        self._watch.addErrback(
            lambda failure: self._log.failure("nobody watches {name} now", failure, name=self._name)
        )

    async def stop(self) -> None:
        """Leave the server; stop it if no other process uses it."""
        if self._watch is not None:
            self._watch.cancel()
        await in_thread(self._reactor, self._limit, self._stop)

    @property
    def _limit(self) -> float:
        """For stopping, another process's starting included."""
        return self._patience.start + self._patience.stop

    async def _restart_when_dead(self) -> None:
        patience = self._patience
        delay = patience.first_delay
        started = self._reactor.seconds()
        while True:
            await deferLater(self._reactor, patience.check)
            if await in_thread(self._reactor, 10, lambda _: self._server.pid is not None):
                continue
            if self._reactor.seconds() - started > patience.lived:
                delay = patience.first_delay
            self._log.error(
                "{name} has died, starting it again in {delay} s; the end of its log:\n{tail}",
                name=self._name,
                delay=delay,
                tail=tail(self._server.log),
            )
            await deferLater(self._reactor, delay)
            delay = min(2 * delay, patience.longest_delay)
            try:
                await in_thread(self._reactor, patience.start, self._start)
            except (Unavailable, OSError) as error:
                self._log.error("{name}: {error}", name=self._name, error=error)
            started = self._reactor.seconds()

    def _start(self, deadline: Deadline) -> None:
        with self._claim.exclusive(deadline):
            self._claim.take()
            try:
                self._server.start(deadline)
            except BaseException:
                if self._claim.release():
                    self._server.stop(Deadline(_GIVING_UP))
                raise

    def _stop(self, deadline: Deadline) -> None:
        with self._claim.exclusive(deadline):
            if self._claim.release():
                self._server.stop(Deadline(self._patience.stop))
