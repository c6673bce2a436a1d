"""The front-end's connection to RabbitMQ, kept up: topology, publisher, consumer.

When the broker goes away, it is sought again with jittered back-off; what was
not acknowledged comes again by itself.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any, Protocol
from urllib.parse import unquote, urlsplit

from attrs import field, frozen
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.endpoints import HostnameEndpoint, connectProtocol, wrapClientTLS
from twisted.internet.interfaces import IStreamClientEndpoint
from twisted.internet.ssl import optionsForClientTLS
from twisted.internet.task import deferLater
from twisted.logger import Logger
from zope.interface import implementer

from stacksync.errors import ConfigurationError, Unavailable
from stacksync.interfaces import IHealthCheck
from stacksync.protocols.amqp.connection import ChannelClosed, ChannelHandler, Connection
from stacksync.protocols.amqp.consumer import Consumer, Handler
from stacksync.protocols.amqp.publisher import Publisher

log = Logger()

PORTS = {"amqp": 5672, "amqps": 5671}
CONNECT_TIMEOUT = 10.0
FIRST_DELAY = 0.25
LONGEST_DELAY = 10.0
GOODBYE = 2.0
"""Seconds for the broker to answer that we close the connection."""


class BrokerSettings(Protocol):
    """What the front-end needs to know; ``stacksync.config`` has it."""

    durable: bool
    request_exchange: str
    request_queue: str
    dead_letter_queue: str
    dead_letter_max: int
    prefetch: int
    max_message: int
    heartbeat: float


@frozen
class Address:
    """Where a broker is and how to log in; read from ``amqp://user:password@host:port/vhost``."""

    host: str
    port: int
    user: str
    password: str = field(repr=False)
    vhost: str
    tls: bool

    @classmethod
    def parse(cls, url: str) -> Address:
        """:raises ConfigurationError: the URL is no ``amqp`` or ``amqps`` one."""
        parts = urlsplit(url)
        if parts.scheme not in PORTS or not parts.hostname:
            raise ConfigurationError("amqp.url: must be amqp:// or amqps:// with a host")
        return cls(
            host=parts.hostname,
            port=parts.port or PORTS[parts.scheme],
            user=unquote(parts.username or "guest"),
            password=unquote(parts.password or "guest"),
            vhost=unquote(parts.path[1:]) or "/",
            tls=parts.scheme == "amqps",
        )

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"

    def endpoint(self, reactor: Any) -> IStreamClientEndpoint:
        plain = HostnameEndpoint(reactor, self.host, self.port, timeout=CONNECT_TIMEOUT)
        return wrapClientTLS(optionsForClientTLS(self.host), plain) if self.tls else plain


HandlerFor = Callable[[Publisher], Handler]
"""Makes the handler of requests that come on the publisher's connection."""


@implementer(IHealthCheck)
class Broker:
    """Stays connected from :meth:`start` to :meth:`stop`."""

    part = "broker"

    def __init__(
        self, reactor: Any, address: Address, settings: BrokerSettings, handler_for: HandlerFor
    ) -> None:
        self._reactor = reactor
        self._address = address
        self._settings = settings
        self._handler_for = handler_for
        self._connection: Connection | None = None
        self._consumer: Consumer | None = None
        self._running: Deferred[None] | None = None
        self._outage: str | None = "not connected yet"
        self.publisher: Publisher | None = None
        """The present connection's publisher, or ``None`` while there is none."""

    def start(self) -> None:
        """Begin to connect; returns at once."""
        self._running = Deferred.fromCoroutine(self._run())
        self._running.addErrback(self._ended)

    async def stop(self, within: float) -> None:
        """Take no more requests, finish those in work, and close the connection.

        :param within: seconds that the requests in work may take.
        """
        if self._consumer is not None:
            await self._consumer.stop(within)
        if self._connection is not None:
            await self._connection.say_goodbye(GOODBYE)
        if self._running is not None:
            self._running.cancel()

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
            else:
                attempt = 0
                problem = await connection.lost
            self._disconnected(problem)
            attempt += 1
            delay = min(LONGEST_DELAY, FIRST_DELAY * 2 ** min(attempt - 1, 10))
            await deferLater(self._reactor, delay * random.uniform(0.5, 1.0))

    async def _connect(self) -> Connection:
        address, settings = self._address, self._settings
        connection = Connection(
            self._reactor, address.vhost, settings.heartbeat, settings.max_message
        )
        try:
            await connectProtocol(address.endpoint(self._reactor), connection)
        except CancelledError:
            raise
        except Exception as error:
            raise Unavailable("broker", f"cannot connect to {address}: {error}") from error
        self._connection = connection
        await connection.log_in(address.user, address.password)
        return connection

    async def _set_up(self, connection: Connection) -> None:
        await self._declare(connection)
        publisher = Publisher(self._reactor, connection)
        await publisher.start()
        self.publisher = publisher
        self._consumer = Consumer(
            self._reactor,
            connection,
            self._settings.request_queue,
            self._settings.prefetch,
            self._handler_for(publisher),
            self._give_up,
        )
        await self._consumer.start()
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

    def _give_up(self, problem: str) -> None:
        if self._connection is not None:
            self._connection.close_reason = problem
            self._connection.transport.abortConnection()

    def _disconnected(self, problem: str) -> None:
        connection, self._connection = self._connection, None
        publisher, self.publisher = self.publisher, None
        self._consumer = None
        if publisher is not None:
            publisher.fail(problem)
        if connection is not None and connection.transport is not None:
            connection.transport.abortConnection()
        if problem != self._outage:
            log.warn("broker: {problem}; trying again", problem=problem)
        self._outage = problem
