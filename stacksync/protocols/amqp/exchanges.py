"""Declares fanout exchanges before anything is published to them.

On a channel of its own, so that a refusal closes nothing else.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any

from twisted.internet.defer import Deferred
from twisted.logger import Logger

from stacksync.errors import Unavailable
from stacksync.protocols.amqp.wire.channel import ChannelClosed, ChannelHandler
from stacksync.protocols.amqp.wire.connection import Connection

log = Logger()

PRECONDITION_FAILED = 406


class FanoutExchanges:
    """The fanout exchanges of one connection.

    :param ready: told the name of an exchange that was wanted, and what
        hinders it, if anything does.
    """

    def __init__(
        self, connection: Connection, ready: Callable[[str, Unavailable | None], None]
    ) -> None:
        self.declared: set[str] = set()
        """What can be published to."""
        self._connection = connection
        self._ready = ready
        self._wanted: deque[str] = deque()
        self._channel: Any = None
        self._declaring = False

    def want(self, exchange: str) -> None:
        """Have an exchange declared."""
        self._wanted.append(exchange)
        self.go_on()

    def go_on(self) -> None:
        """Declare what is wanted, unless the broker asks us to wait: it would not answer."""
        if self._wanted and not self._declaring and self._connection.blocked is None:
            self._declaring = True
            Deferred.fromCoroutine(self._declare_wanted())

    def forget(self, exchange: str | None = None) -> None:
        """An exchange may have been deleted.

        :param exchange: this one; ``None``: any, so trust none.
        """
        if exchange is None:
            self.declared.clear()
        else:
            self.declared.discard(exchange)

    async def _declare_wanted(self) -> None:
        while self._wanted and self._connection.blocked is None:
            exchange = self._wanted.popleft()
            problem = await self._declare(exchange)
            if problem is None:
                self.declared.add(exchange)
            self._ready(exchange, problem)
        self._declaring = False

    async def _declare(self, exchange: str) -> Unavailable | None:
        """What hinders it, or ``None``."""
        answered = self._connection.answered
        try:
            if self._channel is None:
                self._channel = await self._connection.open_channel(ChannelHandler())
            await answered(
                self._channel.exchange_declare(exchange=exchange.encode(), type=b"fanout")
            )
        except ChannelClosed as closed:
            self._channel = None
            if closed.code != PRECONDITION_FAILED:
                log.warn("broker: exchange {name}: {closed}", name=exchange, closed=str(closed))
                return Unavailable("broker", str(closed))
            # Somebody declared it differently: it exists, which is all we need.
            log.info("broker: exchange {name}: {closed}", name=exchange, closed=str(closed))
        except Unavailable as error:
            return error
        return None
