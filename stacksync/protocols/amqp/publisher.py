"""Publishes messages and says when the broker has taken them.

A channel in confirm mode (RabbitMQ's extension *publisher confirms*).  A
message waits while the broker or the socket cannot take it.  When the channel
is closed, one of the messages on the way was at fault.  If the broker says for
which exchange, its messages are sent again one by one; if not, all are.  Knows
nothing of what the messages say.
"""

from __future__ import annotations

from collections import deque
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.task import LoopingCall
from twisted.logger import Logger

from stacksync.errors import StackSyncError, Unavailable
from stacksync.protocols.amqp.exchanges import FanoutExchanges
from stacksync.protocols.amqp.outgoing import Message
from stacksync.protocols.amqp.spoilt_exchanges import SpoiltExchanges
from stacksync.protocols.amqp.wire import frames
from stacksync.protocols.amqp.wire.channel import ChannelClosed, ChannelHandler
from stacksync.protocols.amqp.wire.connection import Connection
from stacksync.protocols.amqp.wire.frames import Properties

log = Logger()

MOST_WAITING = 20_000
"""Messages that may wait, unsent or unconfirmed, before more are turned away."""

TRIES = 3
NOT_FOUND = 404

CONFIRM_TIMEOUT = 30.0
"""Seconds without any progress after which a broker that holds messages up is given up."""


class MessageRefused(StackSyncError):
    """The broker, or a queue, does not take this message: trying again would not help."""


class ExchangeBarred(MessageRefused):
    """Its exchange has closed our channel too often: nothing goes there for a while."""

    def __init__(self, exchange: str) -> None:
        super().__init__(f"broker: exchange {exchange} is deleted or spoilt again and again")


class Publisher:
    """Publishes on one connection; messages to one exchange keep their order.

    Fanout exchanges named with ``to_fanout`` are declared before their first
    use: publishing to one that does not exist closes the channel.
    """

    def __init__(self, reactor: Any, connection: Connection) -> None:
        self.failed: str | None = None
        """Why the connection is gone, or ``None``."""
        self._reactor = reactor
        self._connection = connection
        self._channel: Any = None
        self._number = 0
        self._sequence = 0
        self._unconfirmed: dict[int, Message] = {}
        self._waiting: deque[Message] = deque()
        self._undeclared: dict[str, list[Message]] = {}
        self._undeclared_count = 0
        self._exchanges = FanoutExchanges(connection, self._exchange_ready)
        self._spoilt = SpoiltExchanges(reactor)
        self._alone = False
        """Whether the one unconfirmed message was suspect, and is to have no company."""
        self._progress = 0.0
        self._watch = LoopingCall(self._give_up_when_stuck)
        self._watch.clock = reactor

    async def start(self) -> None:
        """Open the channel.

        :raises Unavailable: the broker went away meanwhile.
        :raises ChannelClosed: it grants no channel that confirms.
        """
        self._connection.writable_again = self._go_on
        await self._open()
        self._watch.start(CONFIRM_TIMEOUT / 6, now=False)

    def publish(
        self, exchange: str, routing_key: str, properties: Properties, body: bytes
    ) -> Deferred[None]:
        """Publish a message; fires when the broker has taken it.

        :raises Unavailable: the connection was lost first, or too many wait.
        :raises MessageRefused: it will not be taken.
        :raises ValueError: a name or property is too long for AMQP.
        """
        return self._take(Message(exchange, routing_key, properties, body))

    def to_fanout(self, exchange: str, properties: Properties, body: bytes) -> Deferred[None]:
        """Publish to a fanout exchange, declared if need be; like :meth:`publish`."""
        message = Message(exchange, "", properties, body, fanout=True)
        if exchange in self._exchanges.declared or self.failed is not None:
            return self._take(message)
        if self._spoilt.is_barred(exchange):
            message.confirmed.errback(ExchangeBarred(exchange))
        elif self._held() >= MOST_WAITING:
            self._turn_away(message)
        else:
            self._hold_back(message)
        return message.confirmed

    def fail(self, problem: str) -> None:
        """The connection is gone: so is what was not confirmed."""
        self.failed = problem
        if self._watch.running:
            self._watch.stop()
        self._exchanges.forget()
        messages = [*self._unconfirmed.values(), *self._waiting]
        for held in self._undeclared.values():
            messages.extend(held)
        self._unconfirmed.clear()
        self._waiting.clear()
        self._undeclared.clear()
        for message in messages:
            message.confirmed.errback(Unavailable("broker", problem))

    def check(self) -> str | None:
        """What is wrong with the broker's confirming, or ``None``."""
        now: float = self._reactor.seconds()
        if self._connection.blocked is not None:
            self._progress = now
        elif self._unconfirmed and now - self._progress > CONFIRM_TIMEOUT:
            return f"messages are unconfirmed for {now - self._progress:.0f} s"
        return None

    def _give_up_when_stuck(self) -> None:
        problem = self.check()
        if problem is not None:
            self._connection.abort(problem)

    # -- taking, holding back, sending

    def _take(self, message: Message) -> Deferred[None]:
        if self.failed is not None:
            message.confirmed.errback(Unavailable("broker", self.failed))
        elif self._held() >= MOST_WAITING:
            self._turn_away(message)
        elif self._waiting or not self._can_send():
            self._waiting.append(message)
        else:
            self._send(message)
        return message.confirmed

    def _held(self) -> int:
        return len(self._waiting) + len(self._unconfirmed) + self._undeclared_count

    def _turn_away(self, message: Message) -> None:
        problem = f"{MOST_WAITING} messages wait for it already"
        message.confirmed.errback(Unavailable("broker", problem))

    def _hold_back(self, message: Message) -> None:
        """Keep a message until its exchange is declared."""
        self._undeclared_count += 1
        held = self._undeclared.get(message.exchange)
        if held is not None:
            held.append(message)
        else:
            self._undeclared[message.exchange] = [message]
            self._exchanges.want(message.exchange)

    def _exchange_ready(self, exchange: str, problem: Unavailable | None) -> None:
        messages = self._undeclared.pop(exchange, [])
        self._undeclared_count -= len(messages)
        if problem is None:
            self._waiting.extend(messages)
            self._send_waiting()
        else:
            for message in messages:
                message.confirmed.errback(problem)

    def _can_send(self) -> bool:
        connection = self._connection
        return (
            connection.writable
            and not self._alone
            and self._channel is not None
            and connection.blocked is None
        )

    def _go_on(self) -> None:
        self._send_waiting()
        self._exchanges.go_on()

    def _send_waiting(self) -> None:
        waiting = self._waiting
        while waiting and self._can_send():
            if waiting[0].tries and self._unconfirmed:
                return
            self._send(waiting.popleft())

    def _send(self, message: Message) -> None:
        if message.fanout and self._spoilt.is_barred(message.exchange):
            message.confirmed.errback(ExchangeBarred(message.exchange))
            return
        try:
            data = frames.encode_publish(
                self._number,
                message.exchange,
                message.routing_key,
                message.properties,
                message.body,
                self._connection.MAX_LENGTH,
            )
        except Exception as error:
            message.confirmed.errback(error)
            return
        if not self._unconfirmed:
            self._progress = self._reactor.seconds()
        self._alone = message.tries > 0
        self._sequence += 1
        message.tries += 1
        self._unconfirmed[self._sequence] = message
        self._connection.write(data)

    # -- what the broker says

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
        self._progress = self._reactor.seconds()
        self._alone = False
        for sequence in tags:
            message = unconfirmed.pop(sequence, None)
            if message is None:
                continue
            if taken:
                message.confirmed.callback(None)
            else:
                message.confirmed.errback(MessageRefused("broker: a queue refused the message"))
        if self._waiting:
            self._send_waiting()

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
        self._alone = False
        again, self._unconfirmed = [*self._unconfirmed.values()], {}
        blamed = self._spoilt.blame((each.exchange for each in again if each.fanout), str(closed))
        suspects = {each for each in again if blamed is None or each.exchange == blamed}
        known = suspects if blamed is not None or len(suspects) == 1 else set()
        guilty = {each for each in known if not self._may_go(each, closed)}
        again = [each for each in again if each not in guilty]
        # The exchange may have been deleted.
        self._exchanges.forget(blamed)
        for message in set(again) - suspects:
            message.tries = 0
        again.extend(self._waiting)
        self._waiting.clear()
        for message in again:
            if message.fanout and message.exchange not in self._exchanges.declared:
                self._hold_back(message)
            else:
                self._waiting.append(message)
        Deferred.fromCoroutine(self._reopen())
        for message in guilty:
            message.confirmed.errback(MessageRefused(f"broker: {closed}"))

    def _may_go(self, message: Message, closed: ChannelClosed) -> bool:
        """Whether a message that a channel was closed for may go once its exchange is declared."""
        is_missing = closed.code == NOT_FOUND and message.fanout
        is_barred = self._spoilt.is_barred(message.exchange)
        return is_missing and message.tries < TRIES and not is_barred

    async def _reopen(self) -> None:
        try:
            await self._open()
        except (Unavailable, ChannelClosed) as error:
            self._connection.abort(f"no new channel: {error}")
