"""Takes requests from a queue, a bounded number at a time, and acknowledges them.

A request is acknowledged when its handler returns.  One whose handler never
does, because the connection or this process is gone, the broker delivers
again.  Of more requests than may be in work the next ones wait here, so that
each sender has its turn (``turns``); when they are too large together, no more
are taken until some are done.  Knows nothing of what the messages say.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from attrs import frozen
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.defer import TimeoutError as DeferredTimeout
from twisted.internet.interfaces import IDelayedCall
from twisted.logger import Logger

from stacksync.errors import Unavailable
from stacksync.protocols.amqp.turns import Sender, Turns
from stacksync.protocols.amqp.wire import frames
from stacksync.protocols.amqp.wire.channel import ChannelClosed, ChannelHandler
from stacksync.protocols.amqp.wire.connection import Connection
from stacksync.protocols.amqp.wire.frames import Delivery

log = Logger()

Handler = Callable[[Delivery], Awaitable[None]]
SenderOf = Callable[[Delivery], str]

TAG = b"requests"
PREFETCH_MAX = 65535
"""What ``basic.qos`` has room for (AMQP 0-9-1 §1.7.2.1)."""

WAITING_BYTES = 64 * 1024**2
"""Bodies that may wait.  Half of them must be gone before more requests are taken."""


@frozen
class Bounds:
    """How many requests there may be.

    :ivar in_all: in work at a time.
    :ivar per_sender: of those, of one sender.
    :ivar backlog: waiting here for their turn.
    """

    in_all: int
    per_sender: int
    backlog: int


class Consumer:
    """One consumer on one connection.

    :param sender_of: tells requests of different senders apart.
    :param lost: called with the reason when the broker ends the consumer or its channel.
    """

    def __init__(
        self,
        reactor: Any,
        connection: Connection,
        queue: str,
        bounds: Bounds,
        sender_of: SenderOf,
        handler: Handler,
        lost: Callable[[str], None],
    ) -> None:
        self._reactor = reactor
        self._connection = connection
        self._queue = queue
        self._prefetch = min(bounds.in_all + bounds.backlog, PREFETCH_MAX)
        self._sender_of = sender_of
        self._handler = handler
        self._lost = lost
        self._channel: Any = None
        self._turns = Turns(bounds.in_all, bounds.per_sender, self._begin)
        self._outstanding: dict[int, bool] = {}
        """Delivery tags in the order delivered, and whether they are done with."""
        self._done_with: list[int] = []
        self._flushing: IDelayedCall | None = None
        self._idle: Deferred[None] | None = None
        self._takes_more = True
        self._pausing: Deferred[None] | None = None
        self._room: Deferred[None] | None = None

    async def start(self) -> None:
        """Begin to take requests.

        :raises Unavailable: the broker went away meanwhile.
        :raises ChannelClosed: there is no such queue, or we may not read it.
        """
        handler = ChannelHandler(
            delivered=self._delivered, cancelled=self._cancelled, closed=self._closed
        )
        answered = self._connection.answered
        self._channel = await self._connection.open_channel(handler)
        await answered(self._channel.basic_qos(prefetch_count=self._prefetch))
        await self._consume()

    async def stop(self, within: float) -> None:
        """Take no more requests, and finish those in work within so many seconds.

        What waits goes back to the queue, for other instances.
        """
        if self._pausing is not None:
            self._pausing.cancel()
        try:
            await Deferred.fromCoroutine(self._drain()).addTimeout(within, self._reactor)
        except DeferredTimeout:
            log.warn(
                "broker: {count} requests were not finished in time; they come again",
                count=len(self._outstanding),
            )
        except (Unavailable, ChannelClosed) as error:
            log.info("broker: requests in work come again: {error}", error=str(error))

    async def _consume(self) -> None:
        consume = self._channel.basic_consume
        await self._connection.answered(consume(queue=self._queue.encode(), consumer_tag=TAG))

    async def _cancel(self) -> None:
        """Take no more; what is on its way to us goes back."""
        self._takes_more = False
        await self._connection.answered(self._channel.basic_cancel(consumer_tag=TAG))

    async def _drain(self) -> None:
        cancelling = Deferred.fromCoroutine(self._cancel())
        self._give_back([delivery.delivery_tag for delivery in self._turns.drop()])
        await cancelling
        if self._outstanding:
            self._idle = Deferred()
            await self._idle

    def connection_lost(self) -> None:
        """Nothing that is in work can be acknowledged any more: do not wait for it."""
        if self._pausing is not None:
            self._pausing.cancel()
        self._turns.drop()
        self._outstanding.clear()
        self._tell_if_idle()

    def _delivered(self, delivery: Delivery) -> None:
        if not self._takes_more:
            # Kept, it would overtake an earlier one of its sender that was given back.
            self._give_back([delivery.delivery_tag])
            return
        self._outstanding[delivery.delivery_tag] = False
        self._turns.add(self._sender_of(delivery), delivery)
        if self._turns.waiting_bytes > WAITING_BYTES:
            pausing = Deferred.fromCoroutine(self._pause())
            if not pausing.called:
                self._pausing = pausing
            pausing.addErrback(self._pause_failed)

    def _begin(self, sender: Sender, delivery: Delivery) -> None:
        Deferred.fromCoroutine(self._work(sender, delivery))

    async def _work(self, sender: Sender, delivery: Delivery) -> None:
        try:
            await self._handler(delivery)
        except Unavailable as error:
            # Only a broken connection gets here: what it delivered comes again.
            log.debug("broker: a request is left to be redelivered: {error}", error=str(error))
        except Exception:
            log.failure("broker: a request is left to be redelivered")
        else:
            self._done(delivery.delivery_tag)
        self._turns.done(sender, delivery)
        if self._room is not None and self._turns.waiting_bytes <= WAITING_BYTES // 2:
            room, self._room = self._room, None
            room.callback(None)

    async def _pause(self) -> None:
        """Take no more until half of what waits has begun.

        By ending the consumer, for RabbitMQ knows no other way to hold back by
        bytes: other instances take the requests meanwhile.
        """
        log.info(
            "broker: {count} requests wait with {size} bytes; no more are taken for a while",
            count=self._turns.waiting,
            size=self._turns.waiting_bytes,
        )
        try:
            await self._cancel()
            if self._turns.waiting_bytes > WAITING_BYTES // 2:
                self._room = Deferred()
                await self._room
        finally:
            self._room = self._pausing = None
        # From here on this may be called anew: what comes with the answer may be too much again.
        self._takes_more = True
        await self._consume()

    def _pause_failed(self, failure: Any) -> None:
        # Of a connection that is gone others tell; a consumer that does not come back, nobody.
        if failure.check(CancelledError, Unavailable) is None:
            self._lost(f"the consumer could not be had again: {failure.getErrorMessage()}")

    def _give_back(self, tags: list[int]) -> None:
        """Let the broker deliver these again, to us or to others."""
        if not tags:
            return
        for tag in tags:
            self._outstanding.pop(tag, None)
        number = self._channel.id
        self._connection.write(b"".join(frames.encode_requeue(number, tag) for tag in tags))

    def _done(self, tag: int) -> None:
        if tag not in self._outstanding:
            return
        self._outstanding[tag] = True
        self._done_with.append(tag)
        if self._flushing is None:
            self._flushing = self._reactor.callLater(0, self._flush)

    def _flush(self) -> None:
        """Acknowledge what is done: the oldest together, others one by one."""
        self._flushing = None
        done, self._done_with = self._done_with, []
        number = self._channel.id
        oldest = 0
        for tag, is_done in self._outstanding.items():
            if not is_done:
                break
            oldest = tag
        data = [frames.encode_ack(number, oldest, multiple=True)] if oldest else []
        data += [frames.encode_ack(number, tag, multiple=False) for tag in done if tag > oldest]
        for tag in done:
            self._outstanding.pop(tag, None)
        self._connection.write(b"".join(data))
        self._tell_if_idle()

    def _tell_if_idle(self) -> None:
        if self._idle is not None and not self._outstanding and not self._idle.called:
            self._idle.callback(None)

    def _cancelled(self) -> None:
        self._lost("the broker cancelled the consumer: the request queue was deleted")

    def _closed(self, closed: ChannelClosed) -> None:
        self._lost(f"the consumer's channel was closed: {closed}")
