"""The broker of the embedded default: join one, start a private one, or do without.

A private node is shared like the embedded database: the last process to leave
stops it, and one left behind by a killed service is taken over, with the
messages that wait in it.
"""

from __future__ import annotations

from enum import Enum
from pathlib import Path
from typing import Any

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.task import deferLater
from twisted.logger import Logger

from stacksync.embedded.amqp_probe import speaks_amqp
from stacksync.embedded.claim import Claim
from stacksync.embedded.deadline import Deadline
from stacksync.embedded.node import Node, find_program
from stacksync.embedded.processes import tail
from stacksync.embedded.run_as import user_for
from stacksync.embedded.threads import in_thread
from stacksync.errors import Unavailable

START_TIMEOUT = 60.0
STOP_TIMEOUT = 15.0
CHECK_INTERVAL = 1.0
FIRST_DELAY, LONGEST_DELAY = 1.0, 60.0
"""Seconds before a node that died is started again; doubled each time until it stays up."""

_LIVED = 60.0


class Origin(Enum):
    """How a broker came about."""

    JOINED = "joined"
    PRIVATE = "private"


class Broker:
    """A broker to use, until :meth:`stop`.

    :ivar url: where it is, as an AMQP URL; it does not change.
    """

    def __init__(self, url: str, keeper: NodeKeeper | None = None) -> None:
        self.url = url
        self._keeper = keeper

    @property
    def origin(self) -> Origin:
        return Origin.JOINED if self._keeper is None else Origin.PRIVATE

    async def stop(self) -> None:
        """Leave a private node, and stop it if no other process uses it."""
        if self._keeper is not None:
            await self._keeper.stop()


async def find_or_start(
    reactor: Any, home: Path, default: tuple[str, int] = ("127.0.0.1", 5672)
) -> Broker | None:
    """The broker to use when none is configured.

    :param home: the state directory, as :func:`stacksync.embedded.home.prepare` left it.
    :param default: host and port where a broker of the machine's own would be.
    :returns: the broker at the default address if one answers there; else a
        private node; ``None`` if RabbitMQ is not installed.
    :raises ConfigurationError: the servers' user can't enter the state directory.
    :raises Unavailable: the private node did not start; the message has the
        end of its log.
    """
    host, port = default
    joined = await in_thread(reactor, 5, lambda _: speaks_amqp(host, port))
    node = await in_thread(reactor, 30, lambda _: _node_in(home))
    keeper = NodeKeeper(reactor, home, node) if node is not None else None
    if joined:
        if keeper is not None:
            await keeper.end_orphan()
        return Broker(_guest_url(host, port))
    return Broker(_guest_url("127.0.0.1", await keeper.start()), keeper) if keeper else None


class NodeKeeper:
    """Keeps the private node of a state directory running."""

    _log = Logger()

    def __init__(self, reactor: Any, home: Path, node: Node) -> None:
        self._reactor = reactor
        self._node = node
        self._claim = Claim(home, "rabbitmq")
        self._watch: Deferred[None] | None = None

    async def start(self) -> int:
        """Start the node or take it over, and from then on restart it when it dies.

        :returns: its AMQP port.
        """
        await in_thread(self._reactor, START_TIMEOUT, self._start)
        self._watch = Deferred.fromCoroutine(self._restart_when_dead())
        self._watch.addErrback(lambda failure: failure.trap(CancelledError))
        self._watch.addErrback(
            lambda failure: self._log.failure("nobody watches the private RabbitMQ now", failure)
        )
        return self._node.port

    async def stop(self) -> None:
        """Stop watching; stop the node if no other process uses it."""
        if self._watch is not None:
            self._watch.cancel()
        await in_thread(self._reactor, START_TIMEOUT + STOP_TIMEOUT, self._stop)

    async def end_orphan(self) -> None:
        """Stop a node that an earlier process left behind and that nobody uses."""
        await in_thread(self._reactor, START_TIMEOUT + STOP_TIMEOUT, self._end_orphan)

    async def _restart_when_dead(self) -> None:
        delay = FIRST_DELAY
        started = self._reactor.seconds()
        while True:
            await deferLater(self._reactor, CHECK_INTERVAL)
            if await in_thread(self._reactor, 10, lambda _: self._node.pid is not None):
                continue
            if self._reactor.seconds() - started > _LIVED:
                delay = FIRST_DELAY
            self._log.error(
                "the private RabbitMQ has died, starting it again in {delay} s; "
                "the end of its log:\n{tail}",
                delay=delay,
                tail=tail(self._node.log),
            )
            await deferLater(self._reactor, delay)
            delay = min(2 * delay, LONGEST_DELAY)
            try:
                await in_thread(self._reactor, START_TIMEOUT, self._start)
            except Unavailable as error:
                self._log.error("the private RabbitMQ: {error}", error=error)
            started = self._reactor.seconds()

    def _start(self, deadline: Deadline) -> None:
        with self._claim.exclusive(deadline):
            self._claim.take()
            try:
                self._node.start(deadline)
            except BaseException:
                if self._claim.release():
                    self._node.kill()
                raise

    def _stop(self, deadline: Deadline) -> None:
        with self._claim.exclusive(deadline):
            if self._claim.release():
                self._node.stop(Deadline(STOP_TIMEOUT))

    def _end_orphan(self, deadline: Deadline) -> None:
        if self._node.pid is not None:
            with self._claim.exclusive(deadline):
                self._claim.take()
                if self._claim.release():
                    self._node.stop(Deadline(STOP_TIMEOUT))


def _node_in(home: Path) -> Node | None:
    program = find_program()
    return Node(home / "rabbitmq", program, user_for(home)) if program is not None else None


def _guest_url(host: str, port: int) -> str:
    return f"amqp://guest:guest@{host}:{port}/"
