"""The front-end's connection to RabbitMQ, kept up: topology, publisher, consumer.

When the broker goes away, it is sought again with jittered back-off; what was
not acknowledged comes again by itself.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any, Protocol

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.protocol import Factory
from twisted.internet.task import deferLater
from twisted.logger import Logger
from zope.interface import implementer

from stacksync.errors import Unavailable
from stacksync.interfaces import IHealthCheck
from stacksync.protocols.amqp.consumer import Bounds, Consumer, Handler, SenderOf
from stacksync.protocols.amqp.publisher import Publisher
from stacksync.protocols.amqp.wire.address import Address
from stacksync.protocols.amqp.wire.channel import ChannelClosed, ChannelHandler
from stacksync.protocols.amqp.wire.connection import Connection
from stacksync.tls import ClientSecurity

log = Logger()

FIRST_DELAY = 0.25
LONGEST_DELAY = 10.0
GOODBYE = 2.0
"""Seconds for the broker to answer that we close the connection."""


class BrokerSettings(Protocol):
    """What the front-end needs to know; ``stacksync.config`` has it."""

    @property
    def durable(self) -> bool: ...
    @property
    def request_exchange(self) -> str: ...
    @property
    def request_queue(self) -> str: ...
    @property
    def dead_letter_queue(self) -> str: ...
    @property
    def dead_letter_max(self) -> int: ...
    @property
    def prefetch(self) -> int: ...
    @property
    def account_in_flight(self) -> int: ...
    @property
    def backlog(self) -> int: ...
    @property
    def max_message(self) -> int: ...
    @property
    def heartbeat(self) -> float: ...


HandlerFor = Callable[[Publisher], Handler]
"""Makes the handler of requests that come on the publisher's connection."""


class OneConnection(Factory):
    """Builds this connection, and makes no line in the log at each try."""

    noisy = False

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def buildProtocol(self, addr: object) -> Connection:
        return self._connection


@implementer(IHealthCheck)
class Broker:
    """Stays connected from :meth:`start` to :meth:`stop`."""

    part = "broker"

    def __init__(
        self,
        reactor: Any,
        address: Address,
        settings: BrokerSettings,
        sender_of: SenderOf,
        handler_for: HandlerFor,
        security: ClientSecurity | None = None,
    ) -> None:
        self._reactor = reactor
        self._address = address
        self._security = security
        self._settings = settings
        self._sender_of = sender_of
        self._handler_for = handler_for
        self._connection: Connection | None = None
        self._consumer: Consumer | None = None
        self._running: Deferred[None] | None = None
        self._stopping = False
        self._outage: str | None = "not connected yet"
        self.publisher: Publisher | None = None
        """The present connection's publisher, or ``None`` while there is none."""

    @property
    def connection(self) -> Connection | None:
        """The present connection, once it is set up, or ``None``."""
        return self._connection if self.publisher is not None else None

    def start(self) -> None:
        """Begin to connect; returns at once."""
        self._running = Deferred.fromCoroutine(self._run())
        self._running.addErrback(self._ended)

    async def stop(self, within: float) -> None:
        """Take no more requests, finish those in work, and close the connection.

        :param within: seconds that the requests in work may take.
        """
        self._stopping = True
        if self._consumer is not None:
            await self._consumer.stop(within)
        if self._connection is not None:
            await self._connection.say_goodbye(GOODBYE)
        if self._running is not None:
            self._running.cancel()
        self._disconnected("stopped")

    async def check(self) -> None:
        """See :meth:`stacksync.interfaces.IHealthCheck.check`."""
        problem = self._outage
        if problem is None and self._connection is not None and self._connection.blocked:
            problem = f"publishing is blocked: {self._connection.blocked}"
        if problem is None and self.publisher is not None:
            problem = self.publisher.check()
        if problem is not None:
            raise Unavailable("broker", problem)

    def _ended(self, failure: Any) -> None:
        if not failure.check(CancelledError):
            log.failure("broker: the front-end has stopped", failure)

    async def _run(self) -> None:
        attempt = 0
        while True:
            try:
                connection = await self._connect()
                await self._set_up(connection)
            except Unavailable as error:
                problem = error.problem
            except ChannelClosed as closed:
                problem = f"cannot set up the queues: {closed}"
            except CancelledError:
                raise
            except Exception as error:
                log.failure("broker: the connection failed")
                problem = repr(error)
            else:
                attempt = 0
                problem = await connection.lost
            self._disconnected(problem)
            if self._stopping:
                return
            attempt += 1
            delay = min(LONGEST_DELAY, FIRST_DELAY * 2 ** min(attempt - 1, 10))
            await deferLater(self._reactor, delay * random.uniform(0.5, 1.0))

    async def _connect(self) -> Connection:
        address, settings = self._address, self._settings
        connection = Connection(
            self._reactor, address.vhost, settings.heartbeat, settings.max_message
        )
        try:
            endpoint = address.endpoint(self._reactor, self._security)
            await endpoint.connect(OneConnection(connection))
        except CancelledError:
            raise
        except Exception as error:
            raise Unavailable("broker", f"cannot connect to {address}: {error}") from error
        self._connection = connection
        await connection.log_in(address.user, address.password)
        return connection

    async def _set_up(self, connection: Connection) -> None:
        await self._declare(connection)
        settings = self._settings
        publisher = Publisher(self._reactor, connection)
        await publisher.start()
        self.publisher = publisher
        consumer = Consumer(
            self._reactor,
            connection,
            settings.request_queue,
            Bounds(settings.prefetch, settings.account_in_flight, settings.backlog),
            self._sender_of,
            self._handler_for(publisher),
            connection.abort,
        )
        await consumer.start()
        self._consumer = consumer
        self._outage = None
        log.info("broker: connected to {address}", address=str(self._address))

    async def _declare(self, connection: Connection) -> None:
        settings = self._settings
        exchange, queue = settings.request_exchange.encode(), settings.request_queue.encode()
        channel = await connection.open_channel(ChannelHandler())
        answered = connection.answered
        await answered(
            channel.exchange_declare(exchange=exchange, type=b"direct", durable=settings.durable)
        )
        await answered(channel.queue_declare(queue=queue, durable=settings.durable))
        await answered(channel.queue_bind(queue=queue, exchange=exchange, routing_key=queue))
        await answered(
            channel.queue_declare(
                queue=settings.dead_letter_queue.encode(),
                durable=True,
                arguments={"x-max-length": settings.dead_letter_max},
            )
        )

    def _disconnected(self, problem: str) -> None:
        connection, self._connection = self._connection, None
        publisher, self.publisher = self.publisher, None
        consumer, self._consumer = self._consumer, None
        if publisher is not None:
            publisher.fail(problem)
        if consumer is not None:
            consumer.connection_lost()
        if connection is not None:
            connection.abort(problem)
        if problem != self._outage and not self._stopping:
            log.warn("broker: {problem}; trying again", problem=problem)
        self._outage = problem
