"""What a broker puts on the wire, frame by frame, made by pika's codec and not by ours."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise
from typing import Any

from pika import frame, spec


def method(channel: int, method: Any) -> bytes:
    """A method's frame."""
    return bytes(frame.Method(channel, method).marshal())


def delivery(
    body: bytes,
    *,
    channel: int = 1,
    tag: int = 1,
    redelivered: bool = False,
    exchange: str | bytes = "",
    routing_key: str | bytes = "requests",
    frame_max: int = 131072,
    properties: dict[str, Any] | None = None,
) -> bytes:
    """All frames of a delivered message."""
    deliver = spec.Basic.Deliver("consumer", tag, redelivered, exchange, routing_key)
    return method(channel, deliver) + content(body, channel, frame_max, properties)


def content(
    body: bytes,
    channel: int = 1,
    frame_max: int = 131072,
    properties: dict[str, Any] | None = None,
) -> bytes:
    """The header and the body frames that follow a method."""
    header = frame.Header(channel, len(body), spec.BasicProperties(**properties or {}))
    room = frame_max - 8
    pieces = [header.marshal()]
    pieces += [
        frame.Body(channel, body[start : start + room]).marshal()
        for start in range(0, len(body), room)
    ]
    return b"".join(pieces)


def frames_of(data: bytes) -> list[Any]:
    """What pika makes of our frames."""
    found = []
    while data:
        length, decoded = frame.decode_frame(data)
        assert decoded is not None, "the last frame is cut short"
        found.append(decoded)
        data = data[length:]
    return found


def publish_of(data: bytes) -> tuple[Any, Any, bytes]:
    """Method, properties and body of the one message in the frames, as pika reads it."""
    published, header, *bodies = frames_of(data)
    body = b"".join(each.fragment for each in bodies)
    assert header.body_size == len(body)
    return published.method, header.properties, body


def cut(data: bytes, places: Iterable[int]) -> list[bytes]:
    """The data, cut at these places."""
    stops = [0, *sorted(place % (len(data) + 1) for place in places), len(data)]
    return [data[start:stop] for start, stop in pairwise(stops)]
