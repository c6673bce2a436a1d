"""Publishes messages and says when the broker has taken them.

A channel in confirm mode (RabbitMQ's extension *publisher confirms*).  A
message waits while the broker or the socket cannot take it, and is published
again on a new channel when its channel is closed under it.  Knows nothing of
what the messages say.
"""

from __future__ import annotations

from collections import deque
from typing import Any

from attrs import define, field
from twisted.internet.defer import Deferred, DeferredLock
from twisted.logger import Logger

from stacksync.errors import Unavailable
from stacksync.protocols.amqp import frames
from stacksync.protocols.amqp.connection import ChannelClosed, ChannelHandler, Connection
from stacksync.protocols.amqp.frames import Properties

log = Logger()

MOST_WAITING = 20_000
"""Messages that may wait, unsent or unconfirmed, before more are turned away."""

TRIES = 3

CONFIRM_TIMEOUT = 30.0
"""Seconds for which the broker may leave messages unconfirmed before it is given up."""


@define(eq=False)
class Message:
    exchange: str
    routing_key: str
    properties: Properties
    body: bytes
    tries: int = 0
    confirmed: Deferred[None] = field(factory=Deferred)


class Publisher:
    """Publishes on one connection.

    Fanout exchanges named with ``to_fanout`` are declared before their first
    use: publishing to one that does not exist closes the channel.
    """

    def __init__(self, reactor: Any, connection: Connection) -> None:
        self._reactor = reactor
        self._connection = connection
        self._channel: Any = None
        self._number = 0
        self._sequence = 0
        self._unconfirmed: dict[int, Message] = {}
        self._waiting: deque[Message] = deque()
        self._declared: set[str] = set()
        self._declaring: dict[str, list[Message]] = {}
        self._declaring_one = DeferredLock()
        self._declarer: Any = None
        self.failed: str | None = None
        """Why the connection is gone, or ``None``."""
        self._oldest_sent = 0.0

    async def start(self) -> None:
        """Open the channel.

        :raises Unavailable: the broker went away meanwhile.
        """
        self._connection.writable_again = self._send_waiting
        await self._open()

    def publish(
        self, exchange: str, routing_key: str, properties: Properties, body: bytes
    ) -> Deferred[None]:
        """Publish a message; fires when the broker has taken it.

        :raises Unavailable: the connection was lost first, or too many wait.
        """
        return self._take(Message(exchange, routing_key, properties, body))

    def to_fanout(self, exchange: str, properties: Properties, body: bytes) -> Deferred[None]:
        """Publish to a fanout exchange, declared if need be; like :meth:`publish`."""
        message = Message(exchange, "", properties, body)
        if exchange in self._declared or self.failed is not None:
            return self._take(message)
        waiting = self._declaring.get(exchange)
        if waiting is not None:
            waiting.append(message)
        else:
            self._declaring[exchange] = [message]
            Deferred.fromCoroutine(self._declare(exchange))
        return message.confirmed

    def fail(self, problem: str) -> None:
        """The connection is gone: so is what was not confirmed."""
        self.failed = problem
        messages = [*self._unconfirmed.values(), *self._waiting]
        for declaring in self._declaring.values():
            messages.extend(declaring)
        self._unconfirmed.clear()
        self._waiting.clear()
        self._declaring.clear()
        for message in messages:
            message.confirmed.errback(Unavailable("broker", problem))

    def check(self) -> str | None:
        """What is wrong with the broker's confirming, or ``None``."""
        if self._unconfirmed and self._connection.blocked is None:
            waited = self._reactor.seconds() - self._oldest_sent
            if waited > CONFIRM_TIMEOUT:
                return f"messages are unconfirmed for {waited:.0f} s"
        return None

    def _take(self, message: Message) -> Deferred[None]:
        if self.failed is not None:
            message.confirmed.errback(Unavailable("broker", self.failed))
        elif len(self._waiting) + len(self._unconfirmed) >= MOST_WAITING:
            message.confirmed.errback(
                Unavailable("broker", f"{MOST_WAITING} messages wait for it already")
            )
        elif self._waiting or not self._can_send():
            self._waiting.append(message)
        else:
            self._send(message)
        return message.confirmed

    def _can_send(self) -> bool:
        connection = self._connection
        return self._channel is not None and connection.writable and connection.blocked is None

    def _send_waiting(self) -> None:
        while self._waiting and self._can_send():
            self._send(self._waiting.popleft())

    def _send(self, message: Message) -> None:
        try:
            data = frames.encode_publish(
                self._number,
                message.exchange,
                message.routing_key,
                message.properties,
                message.body,
                self._connection.MAX_LENGTH,
            )
        except ValueError as error:
            message.confirmed.errback(error)
            return
        if not self._unconfirmed:
            self._oldest_sent = self._reactor.seconds()
        self._sequence += 1
        message.tries += 1
        self._unconfirmed[self._sequence] = message
        self._connection.write(data)

    def _confirmed(self, tag: int, multiple: bool, taken: bool) -> None:
        unconfirmed = self._unconfirmed
        tags = [tag]
        if multiple:
            # Insertion order is sequence order, so the older ones come first.
            tags = []
            for sequence in unconfirmed:
                if sequence > tag:
                    break
                tags.append(sequence)
        self._oldest_sent = self._reactor.seconds()
        for sequence in tags:
            message = unconfirmed.pop(sequence, None)
            if message is None:
                continue
            if taken:
                message.confirmed.callback(None)
            else:
                message.confirmed.errback(Unavailable("broker", "it refused a message"))

    async def _open(self) -> None:
        handler = ChannelHandler(confirmed=self._confirmed, closed=self._channel_closed)
        channel = await self._connection.open_channel(handler)
        await self._connection.answered(channel.confirm_select())
        self._number = channel.id
        self._sequence = 0
        self._channel = channel
        self._send_waiting()

    def _channel_closed(self, closed: ChannelClosed) -> None:
        log.warn("broker: the publishing channel was closed: {closed}", closed=str(closed))
        self._channel = None
        # An exchange may have been deleted: declare them all again.
        self._declared.clear()
        again, self._unconfirmed = list(self._unconfirmed.values()), {}
        Deferred.fromCoroutine(self._reopen(again, closed)).addErrback(self._give_up)

    async def _reopen(self, again: list[Message], closed: ChannelClosed) -> None:
        for message in again:
            if message.tries >= TRIES:
                message.confirmed.errback(Unavailable("broker", str(closed)))
            elif message.exchange.startswith("multi#"):
                self._declaring.setdefault(message.exchange, []).append(message)
            else:
                self._waiting.append(message)
        await self._open()
        for exchange in list(self._declaring):
            await self._declare(exchange)

    def _give_up(self, failure: Any) -> None:
        self._connection.close_reason = f"no new channel: {failure.value}"
        self._connection.transport.abortConnection()

    async def _declare(self, exchange: str) -> None:
        """Declare on a channel of its own, so that a refusal closes nothing else."""
        await self._declaring_one.acquire()
        try:
            if self._declarer is None:
                self._declarer = await self._connection.open_channel(ChannelHandler())
            await self._connection.answered(
                self._declarer.exchange_declare(exchange=exchange.encode(), type=b"fanout")
            )
        except ChannelClosed as closed:
            # Somebody declared it differently: it exists, which is all we need.
            self._declarer = None
            log.info("broker: exchange {name}: {closed}", name=exchange, closed=str(closed))
        except Unavailable as error:
            for message in self._declaring.pop(exchange, []):
                message.confirmed.errback(error)
            return
        finally:
            self._declaring_one.release()
        self._declared.add(exchange)
        for message in self._declaring.pop(exchange, []):
            self._take(message)
