"""What has to be right at the broker before a client may do something there.

An account's request exchange, ``rpc#…``, is bound to the request queue, so that
what comes by it is known to come from that account (:mod:`.identity`).  Queues
that hear something end with their connection.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twisted.logger import Logger
from zope.interface import implementer

from stacksync.errors import Unavailable
from stacksync.interfaces import IClientTopology
from stacksync.model import ClientExchange, ExchangePurpose
from stacksync.protocols.amqp.broker import BrokerSettings
from stacksync.protocols.amqp.exchanges import PRECONDITION_FAILED
from stacksync.protocols.amqp.side_channel import SideChannel
from stacksync.protocols.amqp.wire.channel import ChannelClosed
from stacksync.protocols.amqp.wire.connection import Connection

log = Logger()

RESOURCE_LOCKED = 405
NOT_FOUND = 404


@implementer(IClientTopology)
class ClientTopology:
    """Looks and declares on the front-end's present connection.

    Each time anew: a client may have deleted what was there.

    :param connection: gives that connection, if there is one.
    """

    def __init__(
        self, settings: BrokerSettings, connection: Callable[[], Connection | None]
    ) -> None:
        self._settings = settings
        self._declaring = SideChannel(connection)
        # A channel is closed by each exclusive queue that it looks at.
        self._looking = SideChannel(connection)

    async def prepare(self, exchange: ClientExchange) -> None:
        """See :meth:`stacksync.interfaces.IClientTopology.prepare`."""

        async def declare(connection: Connection, channel: Any) -> None:
            await self._declare(connection, channel, exchange)

        async def replace(connection: Connection, channel: Any) -> None:
            await connection.answered(channel.exchange_delete(exchange=exchange.name.encode()))
            await self._declare(connection, channel, exchange)

        try:
            try:
                await self._declaring.do(declare)
            except ChannelClosed as closed:
                if closed.code != PRECONDITION_FAILED:
                    raise
                # RabbitMQ asks once for each channel, so that what we have declared may be
                # deleted and be made something else, which nobody could declare or hear.
                log.warn("broker: {closed}; it is declared anew", closed=str(closed))
                await self._declaring.do(replace)
        except ChannelClosed as closed:
            log.warn("broker: exchange {name}: {closed}", name=exchange.name, closed=str(closed))
            raise Unavailable("broker", f"exchange {exchange.name}: {closed}") from None

    async def is_exclusive(self, queue: str) -> bool:
        """See :meth:`stacksync.interfaces.IClientTopology.is_exclusive`."""

        async def look(connection: Connection, channel: Any) -> None:
            await connection.answered(channel.queue_declare(queue=queue.encode(), passive=True))

        try:
            await self._looking.do(look)
        except ChannelClosed as closed:
            if closed.code == RESOURCE_LOCKED:
                return True
            if closed.code != NOT_FOUND:
                raise Unavailable("broker", f"queue {queue}: {closed}") from None
        return False

    async def _declare(
        self, connection: Connection, channel: Any, exchange: ClientExchange
    ) -> None:
        answered, name, settings = connection.answered, exchange.name.encode(), self._settings
        if exchange.purpose is ExchangePurpose.NOTIFICATIONS:
            await answered(channel.exchange_declare(exchange=name, type=b"fanout"))
            return
        await answered(
            channel.exchange_declare(exchange=name, type=b"direct", durable=settings.durable)
        )
        queue = settings.request_queue.encode()
        await answered(channel.queue_bind(queue=queue, exchange=name, routing_key=queue))
