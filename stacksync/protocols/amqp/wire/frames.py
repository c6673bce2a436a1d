"""AMQP 0-9-1 frames of messages, to bytes and back.

Only what every message needs, written for speed: deliveries, publishes,
acknowledgements, properties.  All other methods are txAMQP's.  Pure functions,
no connection (AMQP 0-9-1 specification, §4.2).
"""

from __future__ import annotations

from collections.abc import Mapping
from struct import Struct
from typing import Any

from attrs import define

METHOD, HEADER, BODY, HEARTBEAT = 1, 2, 3, 8
FRAME_END = 0xCE
END = b"\xce"
FRAME_OVERHEAD = 8
"""Bytes of a frame around its payload: type, channel, size, end."""

FRAME = Struct(">BHI")
METHOD_ID = Struct(">I")
TAG_AND_BIT = Struct(">QB")
CONTENT = Struct(">HHQH")
LONG = Struct(">I")
LONG_LONG = Struct(">Q")

BASIC = 60
BASIC_CANCEL = BASIC << 16 | 30
BASIC_PUBLISH = BASIC << 16 | 40
BASIC_RETURN = BASIC << 16 | 50
BASIC_DELIVER = BASIC << 16 | 60
BASIC_ACK = BASIC << 16 | 80
BASIC_REJECT = BASIC << 16 | 90
BASIC_NACK = BASIC << 16 | 120
CONNECTION_START_OK = 10 << 16 | 11

HEARTBEAT_FRAME = FRAME.pack(HEARTBEAT, 0, 0) + END

PROPERTIES = (
    ("content_type", 15, "shortstr"),
    ("content_encoding", 14, "shortstr"),
    ("headers", 13, "table"),
    ("delivery_mode", 12, "octet"),
    ("priority", 11, "octet"),
    ("correlation_id", 10, "shortstr"),
    ("reply_to", 9, "shortstr"),
    ("expiration", 8, "shortstr"),
    ("message_id", 7, "shortstr"),
    ("timestamp", 6, "longlong"),
    ("type", 5, "shortstr"),
    ("user_id", 4, "shortstr"),
    ("app_id", 3, "shortstr"),
    ("cluster_id", 2, "shortstr"),
)
"""Name, flag bit and type of the properties, in the order in which they are sent."""

PROPERTY_FLAGS = {name: (bit, kind) for name, bit, kind in PROPERTIES}

Properties = Mapping[str, Any]


class FrameError(Exception):
    """The peer sent something that is not AMQP 0-9-1."""


@define
class Delivery:
    """A message as it was delivered.

    ``body`` is never decoded.  If the message was larger than allowed it holds
    the beginning only, and ``size`` is larger than its length.
    """

    channel: int
    delivery_tag: int
    redelivered: bool
    exchange: str
    routing_key: str
    properties: dict[str, Any]
    size: int = 0
    body: bytes = b""

    @property
    def whole(self) -> bool:
        return len(self.body) == self.size


def shortstr(text: str | bytes) -> bytes:
    """A short string with its length in bytes (txAMQP counts characters).

    :raises ValueError: it has more than 255 bytes.
    """
    data = text if isinstance(text, bytes) else text.encode("utf-8", "surrogateescape")
    if len(data) > 255:
        raise ValueError(f"{len(data)} bytes do not fit into an AMQP short string")
    return bytes((len(data),)) + data


def read_shortstr(data: bytes, start: int) -> tuple[str, int]:
    """A short string, and where it ends.  What is not UTF-8 is kept by surrogate escapes."""
    stop = start + 1 + data[start]
    return data[start + 1 : stop].decode("utf-8", "surrogateescape"), stop


def table(values: Mapping[str, Any]) -> bytes:
    """A field table of strings, booleans, integers and tables."""
    entries = b"".join(shortstr(name) + table_value(value) for name, value in values.items())
    return LONG.pack(len(entries)) + entries


def table_value(value: Any) -> bytes:
    if isinstance(value, bool):
        return b"t\x01" if value else b"t\x00"
    if isinstance(value, int):
        return b"l" + value.to_bytes(8, "big", signed=True)
    if isinstance(value, Mapping):
        return b"F" + table(value)
    data = value if isinstance(value, bytes) else str(value).encode("utf-8", "surrogateescape")
    return b"S" + LONG.pack(len(data)) + data


def encode_properties(properties: Properties) -> tuple[int, bytes]:
    """The flags and the values of message properties."""
    flags = 0
    values: list[tuple[int, bytes]] = []
    for name, value in properties.items():
        bit, kind = PROPERTY_FLAGS[name]
        flags |= 1 << bit
        if kind == "shortstr":
            values.append((bit, shortstr(value)))
        elif kind == "octet":
            values.append((bit, bytes((value,))))
        elif kind == "table":
            values.append((bit, table(value)))
        else:
            values.append((bit, LONG_LONG.pack(value)))
    values.sort(reverse=True)
    return flags, b"".join(value for _, value in values)


def method_of(payload: bytes) -> int:
    """Class and number of a method, as one integer.

    :raises FrameError: the frame is cut short.
    """
    try:
        method: int = METHOD_ID.unpack_from(payload)[0]
    except Exception as error:
        raise FrameError(f"method: {error}") from None
    return method


def decode_content_header(payload: bytes) -> tuple[int, dict[str, Any]]:
    """The body's size and the properties; the headers table is left as bytes.

    txAMQP raises in the middle of the stream at header values that it does not
    know, such as those that RabbitMQ adds itself; nobody here reads headers.

    :raises FrameError: the frame is cut short.
    """
    try:
        _, _, size, flags = CONTENT.unpack_from(payload)
        position = CONTENT.size
        properties: dict[str, Any] = {}
        for name, bit, kind in PROPERTIES:
            if not flags & 1 << bit:
                continue
            if kind == "shortstr":
                properties[name], position = read_shortstr(payload, position)
            elif kind == "octet":
                properties[name] = payload[position]
                position += 1
            elif kind == "table":
                stop = position + 4 + LONG.unpack_from(payload, position)[0]
                properties[name] = payload[position:stop]
                position = stop
            else:
                properties[name] = LONG_LONG.unpack_from(payload, position)[0]
                position += 8
    except Exception as error:
        raise FrameError(f"content header: {error}") from None
    if position > len(payload):
        raise FrameError("content header: it is cut short")
    return size, properties


def decode_deliver(channel: int, payload: bytes) -> Delivery:
    """A ``basic.deliver`` method.

    :raises FrameError: the frame is cut short.
    """
    try:
        position = 5 + payload[4]
        delivery_tag, redelivered = TAG_AND_BIT.unpack_from(payload, position)
        exchange, position = read_shortstr(payload, position + TAG_AND_BIT.size)
        routing_key, position = read_shortstr(payload, position)
    except Exception as error:
        raise FrameError(f"basic.deliver: {error}") from None
    if position > len(payload):
        raise FrameError("basic.deliver: it is cut short")
    return Delivery(channel, delivery_tag, bool(redelivered & 1), exchange, routing_key, {})


def decode_tag(payload: bytes) -> tuple[int, bool]:
    """Delivery tag and ``multiple`` of a ``basic.ack`` or ``basic.nack``.

    :raises FrameError: the frame is cut short.
    """
    try:
        tag, bits = TAG_AND_BIT.unpack_from(payload, 4)
    except Exception as error:
        raise FrameError(f"basic.ack or basic.nack: {error}") from None
    return tag, bool(bits & 1)


def frame(kind: int, channel: int, payload: bytes) -> bytes:
    return FRAME.pack(kind, channel, len(payload)) + payload + END


def encode_ack(channel: int, delivery_tag: int, multiple: bool) -> bytes:
    payload = METHOD_ID.pack(BASIC_ACK) + TAG_AND_BIT.pack(delivery_tag, multiple)
    return frame(METHOD, channel, payload)


def encode_requeue(channel: int, delivery_tag: int) -> bytes:
    """``basic.reject``: the message goes back to its queue."""
    payload = METHOD_ID.pack(BASIC_REJECT) + TAG_AND_BIT.pack(delivery_tag, True)
    return frame(METHOD, channel, payload)


def encode_publish(
    channel: int,
    exchange: str,
    routing_key: str,
    properties: Properties,
    body: bytes,
    frame_max: int,
) -> bytes:
    """All frames of a message; a body larger than a frame takes several.

    :param frame_max: the connection's limit on a frame, in bytes.
    :raises ValueError: a name or property is too long for AMQP.
    """
    method = METHOD_ID.pack(BASIC_PUBLISH) + b"\0\0" + shortstr(exchange) + shortstr(routing_key)
    flags, values = encode_properties(properties)
    header = CONTENT.pack(BASIC, 0, len(body), flags) + values
    pieces = [frame(METHOD, channel, method + b"\0"), frame(HEADER, channel, header)]
    room = frame_max - FRAME_OVERHEAD
    for start in range(0, len(body), room):
        pieces.append(frame(BODY, channel, body[start : start + room]))
    return b"".join(pieces)
