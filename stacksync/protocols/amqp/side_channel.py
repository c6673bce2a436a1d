"""A channel for what is done besides requests and notifications, one thing at a time.

What the broker refuses there closes nothing else, and the next one gets a new
channel.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from twisted.internet.defer import Deferred, DeferredLock
from twisted.python.failure import Failure

from stacksync.errors import Unavailable
from stacksync.protocols.amqp.wire.channel import ChannelClosed, ChannelHandler
from stacksync.protocols.amqp.wire.connection import Connection

T = TypeVar("T")


class SideChannel:
    """A channel on the front-end's present connection.

    :param connection: gives that connection, if there is one.
    """

    def __init__(self, connection: Callable[[], Connection | None]) -> None:
        self._connection = connection
        self._lock = DeferredLock()
        self._channel: Any = None
        self._channel_of: Connection | None = None

    async def do(self, work: Callable[[Connection, Any], Awaitable[T]]) -> T:
        """Do something with the connection and txAMQP's object for the channel.

        :raises Unavailable: the broker is away, or does not answer now.
        :raises ChannelClosed: it refuses.
        """
        done: Deferred[T] = Deferred()

        def tell(result: T | Failure) -> None:
            if not done.called:
                # A Failure fires the errbacks.
                done.callback(result)

        # Who waits may give up; the broker's answer must find somebody who takes it.
        running = self._lock.run(lambda: Deferred.fromCoroutine(self._do(work)))
        running.addBoth(tell)
        return await done

    async def _do(self, work: Callable[[Connection, Any], Awaitable[T]]) -> T:
        connection = self._connection()
        if connection is None:
            raise Unavailable("broker", "not connected")
        if connection.blocked is not None:
            # It would not answer.
            raise Unavailable("broker", f"publishing is blocked: {connection.blocked}")
        if self._channel is None or self._channel_of is not connection:
            self._channel, self._channel_of = None, connection
            self._channel = await connection.open_channel(ChannelHandler())
        try:
            return await work(connection, self._channel)
        except ChannelClosed:
            self._channel = None
            raise
