"""Answers what the broker asks by itself, in txAMQP's way: by the methods' names."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from twisted.python.failure import Failure
from txamqp.client import TwistedDelegate

from stacksync.errors import Unavailable
from stacksync.protocols.amqp.wire import frames
from stacksync.protocols.amqp.wire.channel import ChannelClosed
from stacksync.protocols.amqp.wire.receiver import LARGEST_FRAME

if TYPE_CHECKING:
    from stacksync.protocols.amqp.wire.connection import Connection

CLIENT_PROPERTIES = {
    "product": "StackSync",
    "capabilities": {
        "publisher_confirms": True,
        "basic.nack": True,
        "consumer_cancel_notify": True,
        "connection.blocked": True,
        "authentication_failure_close": True,
    },
}


class Delegate(TwistedDelegate):
    """What one connection does when the broker asks."""

    client: Connection

    def connection_start(self, channel: Any, message: Any) -> None:
        payload = b"".join(
            (
                frames.METHOD_ID.pack(frames.CONNECTION_START_OK),
                frames.table(CLIENT_PROPERTIES),
                frames.shortstr(self.client.mechanism),
                frames.LONG.pack(len(self.client.response)),
                self.client.response,
                frames.shortstr(self.client.locale),
            )
        )
        self.client.write(frames.frame(frames.METHOD, 0, payload))

    def connection_tune(self, channel: Any, message: Any) -> None:
        largest = min(message.frame_max or LARGEST_FRAME, LARGEST_FRAME)
        self.client.MAX_LENGTH = largest
        channel.connection_tune_ok(message.channel_max, largest, int(self.client.heartbeat))
        self.client.started.fire()

    def connection_blocked(self, channel: Any, message: Any) -> None:
        self.client.set_blocked(str(message.reason))

    def connection_unblocked(self, channel: Any, message: Any) -> None:
        self.client.set_blocked(None)

    def channel_close(self, channel: Any, message: Any) -> None:
        channel.channel_close_ok()
        handler = self.client.handlers.pop(channel.id, None)
        self.client.channels.pop(channel.id, None)
        channel.closed = True
        channel.reason = message
        channel.responses.close()
        closed = ChannelClosed(message.reply_code, str(message.reply_text))
        if handler is not None and handler.closed is not None:
            handler.closed(closed)

    def connection_close(self, channel: Any, message: Any) -> None:
        self.client.close_reason = f"{message.reply_code} {message.reply_text}"
        super().connection_close(channel, message)

    def close(self, reason: Any) -> None:
        if not isinstance(reason, Failure):
            reason = Failure(Unavailable("broker", self.client.close_reason or "closed"))
        self.client.started.fail_if_not_fired(reason)
        self.client.transport.unregisterProducer()
        self.client.transport.loseConnection()
