"""A connection to an AMQP broker: txAMQP with its faults worked round.

txAMQP 0.8.2 is used for the handshake and for the methods that wait for an
answer.  What it does wrongly, or slowly, on Python 3 is done here, in
``receiver`` and in ``delegate``:

- it ships no protocol specification: ``amqp0-9-1.xml`` is ours;
- it decodes message bodies that happen to be UTF-8, frame by frame, which
  loses data: messages are assembled from bytes;
- it writes the length of strings in characters: what it is given to encode is
  given as bytes;
- it cannot read headers tables as RabbitMQ writes them: they are not read;
- it re-slices its whole buffer for each frame and takes 150 µs for a message:
  frames are cut and deliveries decoded by ourselves, in a fifth of that;
- it announces protocol version 1.1.0.9, and no capabilities;
- its queues of deliveries have no bounds: deliveries are handed on at once,
  and the prefetch count bounds them.

Nothing of StackSync here.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib.resources import files
from itertools import count
from typing import Any

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.defer import TimeoutError as DeferredTimeout
from twisted.internet.error import ConnectionDone
from twisted.internet.task import LoopingCall
from twisted.logger import Logger
from twisted.python.failure import Failure
from txamqp import client as txamqp_client
from txamqp import spec

from stacksync.errors import Unavailable
from stacksync.protocols.amqp.wire import frames
from stacksync.protocols.amqp.wire.channel import ChannelClosed, ChannelHandler
from stacksync.protocols.amqp.wire.delegate import Delegate
from stacksync.protocols.amqp.wire.receiver import MessageReceiver
from stacksync.tls import tls_problem

log = Logger()

SPECIFICATION = spec.load_string(
    (files("stacksync.protocols.amqp.wire") / "amqp0-9-1.xml").read_text("utf-8"), "amqp0-9-1.xml"
)

PROTOCOL_HEADER = b"AMQP\x00\x00\x09\x01"
TLS_ALERT = b"\x15"
"""What a server that speaks TLS answers to the protocol header; no frame begins so."""

REPLY_TIMEOUT = 15.0
"""Seconds to wait for the broker's answer to a method."""


class Connection(MessageReceiver):
    """One connection.

    :param heartbeat: seconds; silence for twice as long ends the connection.
    :param largest_body: bytes of a message's body that are kept; the rest of a
        larger one is read and dropped.
    """

    blocked: str | None = None
    """Why the broker asks us not to publish now, or ``None``."""

    def __init__(self, reactor: Any, vhost: str, heartbeat: float, largest_body: int) -> None:
        super().__init__(reactor, Delegate(), vhost, SPECIFICATION, largest_body)
        self.heartbeat = heartbeat
        self.lost: Deferred[str] = Deferred()
        """Fires with the reason when the connection is gone."""
        self.writable = True
        self.writable_again: Callable[[], None] = lambda: None
        self._reactor = reactor
        self._beat = LoopingCall(self._check_and_send_heartbeat)
        self._beat.clock = reactor

    # -- opening and closing

    def send_init_string(self) -> None:
        self.transport.write(PROTOCOL_HEADER)

    def connectionMade(self) -> None:
        super().connectionMade()
        self.transport.registerProducer(self, True)

    async def log_in(self, user: str, password: str) -> None:
        """Authenticate and open the virtual host.

        :raises Unavailable: refused, or no answer in time.
        """
        # With Nagle's algorithm a small frame can wait 40 ms for the peer's delayed ACK.
        self.transport.setTcpNoDelay(True)
        response = b"\0" + user.encode() + b"\0" + password.encode()
        await self.answered(self.start(response, "PLAIN"))
        self._beat.start(max(self.heartbeat / 2, 0.1), now=False)

    async def open_channel(self, handler: ChannelHandler) -> Any:
        """A new channel: txAMQP's object, for methods that wait for an answer.

        :raises Unavailable: the connection is gone.
        """
        if self.closed:
            raise self._gone()
        number = next(n for n in count(1) if n not in self.handlers)
        self.handlers[number] = handler
        channel = await self.channel(number)
        await self.answered(channel.channel_open())
        return channel

    async def answered(self, calling: Deferred[Any]) -> Any:
        """The broker's answer to a method.

        :raises ChannelClosed: the broker closed the channel instead.
        :raises Unavailable: the connection is gone, or was given up after
            :data:`REPLY_TIMEOUT` seconds of silence.
        """
        try:
            return await calling.addTimeout(REPLY_TIMEOUT, self._reactor)
        except DeferredTimeout:
            self.abort(f"no answer in {REPLY_TIMEOUT:g} s")
            raise self._gone() from None
        except (CancelledError, Unavailable):
            raise
        except txamqp_client.ChannelClosed as error:
            (closing,) = error.args
            raise ChannelClosed(closing.reply_code, str(closing.reply_text)) from None
        except Exception as error:
            raise self._gone() from error

    def _gone(self) -> Unavailable:
        return Unavailable("broker", self.close_reason or "the connection was lost")

    async def say_goodbye(self, within: float) -> None:
        """Close the connection properly, or at once after so many seconds."""
        if self.closed:
            return
        if not self._beat.running:
            # In the middle of the handshake a broker answers no goodbye.
            self.abort("closed before the handshake was done")
            return
        try:
            await Deferred.fromCoroutine(self._goodbye()).addTimeout(within, self._reactor)
        except Exception:
            self.abort("the broker did not answer that we close the connection")

    async def _goodbye(self) -> None:
        channel = await self.channel(0)
        await channel.connection_close(reply_code=200, reply_text=b"bye")
        self.transport.unregisterProducer()
        self.transport.loseConnection()
        await self.disconnected.wait()

    def do_close(self, reason: Any) -> None:
        """Fail whatever waits for an answer; who is told so must not begin anew."""
        self.closed = True
        super().do_close(reason)

    def connectionLost(self, reason: Failure = Failure(ConnectionDone())) -> None:  # noqa: B008
        if self._beat.running:
            self._beat.stop()
        if not self.close_reason:
            told = tls_problem(reason.value, "[amqp] certificate") if reason.value else None
            if self._unread[:1] == TLS_ALERT:
                told = "that port speaks TLS: write amqps:// in [amqp] url"
            self.close_reason = told or reason.getErrorMessage()
        super().connectionLost(reason)
        if not self.lost.called:
            self.lost.callback(self.close_reason)

    def channel_failed(self, channel: Any, reason: Failure) -> None:
        """The connection's end is told by :attr:`lost`, a channel's by its handler."""

    # -- heartbeats

    def reschedule_send_heartbeat(self) -> None:
        """Not per frame: see :meth:`_check_and_send_heartbeat`."""

    def _check_and_send_heartbeat(self) -> None:
        if self._reactor.seconds() - self.last_received > 2 * self.heartbeat:
            self.abort(f"nothing heard for {2 * self.heartbeat:g} s")
        else:
            self.write(frames.HEARTBEAT_FRAME)

    # -- writing

    def write(self, data: bytes) -> None:
        """Send frames; after :attr:`lost` they go nowhere."""
        if not self.closed and self.transport is not None:
            self.transport.write(data)

    def set_blocked(self, reason: str | None) -> None:
        self.blocked = reason
        if reason is None:
            log.info("broker: publishing is allowed again")
            self.writable_again()
        else:
            log.warn("broker: publishing is blocked: {reason}", reason=reason)

    def pauseProducing(self) -> None:
        self.writable = False

    def resumeProducing(self) -> None:
        self.writable = True
        self.writable_again()

    def stopProducing(self) -> None:
        self.writable = False
