"""Cuts what the broker sends into frames, and puts messages together.

Messages and confirms go at once to the handler of their channel; all other
methods go to txAMQP.  Nothing is written here.
"""

from __future__ import annotations

from typing import Any

from attrs import define, field
from txamqp.protocol import AMQClient

from stacksync.protocols.amqp.wire import frames
from stacksync.protocols.amqp.wire.channel import ChannelHandler
from stacksync.protocols.amqp.wire.frames import Delivery, FrameError

LARGEST_FRAME = 131072


@define(eq=False)
class Assembly:
    """A message whose frames are still arriving."""

    delivery: Delivery | None
    pieces: list[bytes] = field(factory=list)
    missing: int = 0
    room: int = 0


class MessageReceiver(AMQClient):
    """The receiving half of a connection.

    :param largest_body: bytes of a message's body that are kept; the rest of a
        larger one is read and dropped.
    """

    close_reason: str | None = None
    """Why the connection ended or is about to, where we know better than the socket."""

    def __init__(
        self, reactor: Any, delegate: Any, vhost: str, specification: Any, largest_body: int
    ) -> None:
        super().__init__(delegate, vhost.encode(), specification, heartbeat=0, clock=reactor)
        self.handlers: dict[int, ChannelHandler] = {}
        self.last_received = reactor.seconds()
        self._seconds = reactor.seconds
        self._largest_body = largest_body
        self._unread = b""
        self._assembling: dict[int, Assembly] = {}

    def abort(self, problem: str) -> None:
        """End the connection at once, because of this problem unless there was one before."""
        self.close_reason = self.close_reason or problem
        if self.transport is not None:
            self.transport.abortConnection()

    def dataReceived(self, data: bytes) -> None:
        self.last_received = self._seconds()
        buffer = self._unread + data if self._unread else data
        position, end = 0, len(buffer)
        unpack = frames.FRAME.unpack_from
        try:
            while end - position >= frames.FRAME_OVERHEAD:
                kind, channel, size = unpack(buffer, position)
                if size > LARGEST_FRAME:
                    raise FrameError(f"a frame of {size} bytes")
                stop = position + 7 + size
                if stop >= end:
                    break
                if buffer[stop] != frames.FRAME_END:
                    raise FrameError("a frame without its end octet")
                payload = buffer[position + 7 : stop]
                if kind == frames.METHOD:
                    self._method_received(channel, payload)
                elif kind == frames.BODY:
                    self._body_received(channel, payload)
                elif kind == frames.HEADER:
                    self._header_received(channel, payload)
                elif kind != frames.HEARTBEAT:
                    raise FrameError(f"a frame of type {kind}")
                position = stop + 1
        except FrameError as error:
            self._unread = b""
            self.abort(f"the broker sent what is not AMQP 0-9-1: {error}")
            return
        self._unread = buffer[position:]

    def _method_received(self, channel: int, payload: bytes) -> None:
        method = frames.method_of(payload)
        if method == frames.BASIC_DELIVER:
            self._assembling[channel] = Assembly(frames.decode_deliver(channel, payload))
        elif method in (frames.BASIC_ACK, frames.BASIC_NACK):
            handler = self.handlers.get(channel)
            if handler is not None and handler.confirmed is not None:
                tag, multiple = frames.decode_tag(payload)
                handler.confirmed(tag, multiple, method == frames.BASIC_ACK)
        elif method == frames.BASIC_RETURN:
            self._assembling[channel] = Assembly(None)
        elif method == frames.BASIC_CANCEL:
            handler = self.handlers.get(channel)
            if handler is not None and handler.cancelled is not None:
                handler.cancelled()
        else:
            framed = frames.frame(frames.METHOD, channel, payload)
            try:
                decoded = self._unpack_frame(framed)
            except Exception as error:
                raise FrameError(f"method {method:#010x}: {error!r}") from None
            self.frame_received(decoded)

    def _header_received(self, channel: int, payload: bytes) -> None:
        assembly = self._assembling.get(channel)
        if assembly is None:
            raise FrameError("a content header without a method")
        size, properties = frames.decode_content_header(payload)
        assembly.missing = size
        assembly.room = self._largest_body
        if assembly.delivery is not None:
            assembly.delivery.size = size
            assembly.delivery.properties = properties
        if size == 0:
            self._assembled(channel, assembly)

    def _body_received(self, channel: int, payload: bytes) -> None:
        assembly = self._assembling.get(channel)
        if assembly is None or len(payload) > assembly.missing:
            raise FrameError("a body that belongs to no message")
        assembly.missing -= len(payload)
        if assembly.room > 0:
            assembly.pieces.append(payload[: assembly.room])
            assembly.room -= len(payload)
        if assembly.missing == 0:
            self._assembled(channel, assembly)

    def _assembled(self, channel: int, assembly: Assembly) -> None:
        del self._assembling[channel]
        delivery, handler = assembly.delivery, self.handlers.get(channel)
        if delivery is None or handler is None or handler.delivered is None:
            return
        pieces = assembly.pieces
        delivery.body = pieces[0] if len(pieces) == 1 else b"".join(pieces)
        handler.delivered(delivery)
