"""The broker of the embedded default: join one, start a private one, or do without.

A private node is shared like the embedded database: the last process to leave
stops it, and one left behind by a killed service is taken over, with the
messages that wait in it.
"""

from __future__ import annotations

from enum import Enum
from pathlib import Path
from typing import Any

from stacksync.embedded.amqp_probe import speaks_amqp
from stacksync.embedded.keeper import Keeper, Patience
from stacksync.embedded.node import Node, find_program
from stacksync.embedded.run_as import user_for
from stacksync.embedded.threads import in_thread


class Origin(Enum):
    """How a broker came about."""

    JOINED = "joined"
    PRIVATE = "private"


class Broker:
    """A broker to use, until :meth:`stop`.

    :ivar url: where it is, as an AMQP URL; it does not change.
    """

    def __init__(self, url: str, keeper: Keeper | None = None) -> None:
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
    reactor: Any,
    home: Path,
    default: tuple[str, int] = ("127.0.0.1", 5672),
    patience: Patience | None = None,
) -> Broker | None:
    """The broker to use when none is configured.

    :param home: the state directory, as :func:`stacksync.embedded.home.prepare` left it.
    :param default: host and port where a broker of the machine's own would be.
    :param patience: how long to wait for what; else the usual.
    :returns: the broker at the default address if one answers there; else a
        private node; ``None`` if RabbitMQ is not installed.
    :raises ConfigurationError: the servers' user can't enter the state directory.
    :raises Unavailable: the private node did not start; the message has the
        end of its log.
    """
    host, port = default
    joined = await in_thread(reactor, 5, lambda _: speaks_amqp(host, port))
    node = await in_thread(reactor, 30, lambda _: _node_in(home))
    default_broker = Broker(_guest_url(host, port)) if joined else None
    if node is None:
        return default_broker
    keeper = Keeper(reactor, "RabbitMQ", home, node, patience or Patience())
    if default_broker is not None:
        await keeper.end_orphan()
        return default_broker
    await keeper.start()
    return Broker(_guest_url("127.0.0.1", node.port), keeper)


def _node_in(home: Path) -> Node | None:
    program = find_program()
    return Node(home / "rabbitmq", program, user_for(home)) if program is not None else None


def _guest_url(host: str, port: int) -> str:
    return f"amqp://guest:guest@{host}:{port}/"
