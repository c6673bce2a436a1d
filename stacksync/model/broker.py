"""What a message broker asks about: who may do what with its exchanges and queues."""

from __future__ import annotations

from enum import StrEnum
from uuid import UUID

from attrs import frozen


class BrokerResource(StrEnum):
    """What something is to be done with."""

    EXCHANGE = "exchange"
    QUEUE = "queue"


class BrokerPermission(StrEnum):
    """What is to be done.

    RabbitMQ asks *configure* for declaring and deleting; *write* for publishing to an exchange,
    and of a queue that is bound; *read* for consuming and purging, and of an exchange that
    something is bound to.
    """

    CONFIGURE = "configure"
    READ = "read"
    WRITE = "write"


class ExchangePurpose(StrEnum):
    """What the exchanges are for that clients have of their own; their names begin so."""

    REQUESTS = "rpc#"
    """An account's requests come by it, and nobody else's."""
    NOTIFICATIONS = "multi#"
    """An account or a workspace is told of there (docs/amqp.rst)."""


@frozen
class ClientExchange:
    """An exchange that belongs to an account or a workspace.

    :ivar owner: the account's id, or the workspace's.
    """

    purpose: ExchangePurpose
    owner: UUID

    @property
    def name(self) -> str:
        return f"{self.purpose.value}{self.owner}"

    @classmethod
    def parse(cls, name: str) -> ClientExchange | None:
        """The exchange of this name; ``None`` if it is no such, spelled as we do."""
        for purpose in ExchangePurpose:
            if name.startswith(purpose.value):
                try:
                    exchange = cls(purpose, UUID(name.removeprefix(purpose.value)))
                except ValueError:
                    return None
                # The class alone takes capitals, braces, ``urn:`` and more.
                return exchange if exchange.name == name else None
        return None
