"""Takes requests from a queue, a bounded number at a time, and acknowledges them.

A request is acknowledged when its handler returns.  One whose handler never
does, because the connection or this process is gone, the broker delivers
again.  Knows nothing of what the messages say.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.defer import TimeoutError as DeferredTimeout
from twisted.internet.interfaces import IDelayedCall
from twisted.logger import Logger

from stacksync.errors import Unavailable
from stacksync.protocols.amqp import frames
from stacksync.protocols.amqp.channel import ChannelClosed, ChannelHandler
from stacksync.protocols.amqp.connection import Connection
from stacksync.protocols.amqp.frames import Delivery

log = Logger()

Handler = Callable[[Delivery], Awaitable[None]]


class Consumer:
    """One consumer on one connection.

    :param prefetch: how many requests may be in work at a time.
    :param lost: called with the reason when the broker ends the consumer or its channel.
    """

    def __init__(
        self,
        reactor: Any,
        connection: Connection,
        queue: str,
        prefetch: int,
        handler: Handler,
        lost: Callable[[str], None],
    ) -> None:
        self._reactor = reactor
        self._connection = connection
        self._queue = queue
        self._prefetch = prefetch
        self._handler = handler
        self._lost = lost
        self._channel: Any = None
        self._outstanding: dict[int, bool] = {}
        """Delivery tags in the order delivered, and whether they are done with."""
        self._flushing: IDelayedCall | None = None
        self._idle: Deferred[None] | None = None

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
        await answered(
            self._channel.basic_consume(queue=self._queue.encode(), consumer_tag=b"requests")
        )

    async def stop(self, within: float) -> None:
        """Take no more requests, and finish those in work within so many seconds."""
        try:
            await Deferred.fromCoroutine(self._drain()).addTimeout(within, self._reactor)
        except DeferredTimeout:
            log.warn(
                "broker: {count} requests were not finished in time; they come again",
                count=len(self._outstanding),
            )
        except (Unavailable, ChannelClosed) as error:
            log.info("broker: requests in work come again: {error}", error=str(error))

    async def _drain(self) -> None:
        await self._connection.answered(self._channel.basic_cancel(consumer_tag=b"requests"))
        if self._outstanding:
            self._idle = Deferred()
            await self._idle

    def connection_lost(self) -> None:
        """Nothing that is in work can be acknowledged any more: do not wait for it."""
        self._outstanding.clear()
        self._tell_if_idle()

    def _delivered(self, delivery: Delivery) -> None:
        self._outstanding[delivery.delivery_tag] = False
        Deferred.fromCoroutine(self._work(delivery))

    async def _work(self, delivery: Delivery) -> None:
        try:
            await self._handler(delivery)
        except Unavailable as error:
            # Only a broken connection gets here: what it delivered comes again.
            log.debug("broker: a request is left to be redelivered: {error}", error=str(error))
        except Exception:
            log.failure("broker: a request is left to be redelivered")
        else:
            self._done(delivery.delivery_tag)

    def _done(self, tag: int) -> None:
        self._outstanding[tag] = True
        if self._flushing is None:
            self._flushing = self._reactor.callLater(0, self._flush)

    def _flush(self) -> None:
        """Acknowledge what is done: the oldest together, others one by one."""
        self._flushing = None
        number = self._channel.id
        done = [tag for tag, is_done in self._outstanding.items() if is_done]
        oldest = 0
        for tag, is_done in self._outstanding.items():
            if not is_done:
                break
            oldest = tag
        data = [frames.encode_ack(number, oldest, multiple=True)] if oldest else []
        data += [frames.encode_ack(number, tag, multiple=False) for tag in done if tag > oldest]
        for tag in done:
            del self._outstanding[tag]
        self._connection.write(b"".join(data))
        self._tell_if_idle()

    def _tell_if_idle(self) -> None:
        if self._idle is not None and not self._outstanding and not self._idle.called:
            self._idle.callback(None)

    def _cancelled(self) -> None:
        self._lost("the broker cancelled the consumer: the request queue was deleted")

    def _closed(self, closed: ChannelClosed) -> None:
        self._lost(f"the consumer's channel was closed: {closed}")
