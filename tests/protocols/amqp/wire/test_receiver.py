"""Whatever way the stream is cut, the messages in it come out whole, and garbage ends it."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from decimal import Decimal
from math import inf
from time import thread_time
from typing import Any

import pytest
from attrs import define, field
from hypothesis import given
from hypothesis import strategies as st
from pika import spec
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport

from stacksync.protocols.amqp.wire import frames
from stacksync.protocols.amqp.wire.channel import ChannelHandler
from stacksync.protocols.amqp.wire.connection import Connection
from stacksync.protocols.amqp.wire.frames import Delivery
from stacksync.protocols.amqp.wire.receiver import LARGEST_FRAME
from tests.protocols.amqp.broker_frames import content, cut, delivery, method

texts = st.text(max_size=60)
messages = st.lists(
    st.builds(
        lambda body, channel, key: (body.encode(), channel, key),
        st.text(max_size=200),
        st.integers(1, 3),
        st.text(max_size=60),
    ),
    max_size=6,
)
places = st.lists(st.integers(0, 10_000), max_size=12)


@define
class Ear:
    """Hears what arrives on the channels 1 to 3 of a connection without a network."""

    largest_body: int = 1000
    delivered: list[Delivery] = field(factory=list)
    confirmed: list[tuple[int, bool, bool]] = field(factory=list)
    cancelled: int = 0
    transport: StringTransport = field(factory=StringTransport)
    connection: Connection = field(init=False)

    def __attrs_post_init__(self) -> None:
        self.connection = Connection(Clock(), "/", 30.0, self.largest_body)
        self.connection.makeConnection(self.transport)
        handler = ChannelHandler(
            delivered=self.delivered.append,
            confirmed=lambda *confirm: self.confirmed.append(confirm),
            cancelled=self._cancelled,
        )
        self.connection.handlers.update(dict.fromkeys((1, 2, 3), handler))

    def _cancelled(self) -> None:
        self.cancelled += 1

    def hear(self, *pieces: bytes) -> None:
        for piece in pieces:
            self.connection.dataReceived(piece)

    @property
    def aborted(self) -> bool:
        return self.transport.disconnected

    @property
    def reason(self) -> str | None:
        return self.connection.close_reason


def arrived(ear: Ear) -> list[Any]:
    return [(each.body, each.channel, each.routing_key) for each in ear.delivered]


@given(messages, places, st.integers(9, 40))
def test_every_cut_of_the_stream_yields_the_same_deliveries(
    sent: list[tuple[bytes, int, str]], where: list[int], frame_max: int
) -> None:
    stream = b"".join(
        delivery(body, channel=channel, tag=tag, routing_key=key, frame_max=frame_max)
        for tag, (body, channel, key) in enumerate(sent, 1)
    )
    ear = Ear()

    ear.hear(*cut(stream, where))

    assert arrived(ear) == sent
    assert [each.delivery_tag for each in ear.delivered] == list(range(1, len(sent) + 1))
    assert all(each.whole for each in ear.delivered)
    assert not ear.aborted


def test_a_stream_may_come_byte_by_byte() -> None:
    ear = Ear()
    stream = delivery("grüße 💾".encode(), frame_max=12) + frames.HEARTBEAT_FRAME + delivery(b"")

    ear.hear(*(bytes((byte,)) for byte in stream))

    assert [each.body for each in ear.delivered] == ["grüße 💾".encode(), b""]


def test_messages_of_two_channels_may_be_interleaved() -> None:
    deliver = [method(channel, spec.Basic.Deliver("c", 1, False, "", "q")) for channel in (1, 2)]
    first, second = content(b"one", 1), content(b"two", 2)
    ear = Ear()

    ear.hear(deliver[0] + deliver[1] + second[:25] + second[25:] + first)

    assert sorted(each.body for each in ear.delivered) == [b"one", b"two"]


def test_of_a_message_that_is_too_large_only_the_beginning_is_kept() -> None:
    ear = Ear(largest_body=10)

    ear.hear(delivery(b"x" * 7 + b"y" * 50, frame_max=15), delivery(b"z"))

    large, small = ear.delivered
    assert (large.body, large.size, large.whole) == (b"x" * 7 + b"yyy", 57, False)
    assert (small.body, small.whole) == (b"z", True)


def test_confirms_go_to_their_channels_handler() -> None:
    ear = Ear()

    ear.hear(
        method(1, spec.Basic.Ack(3, True))
        + method(2, spec.Basic.Nack(4, False))
        + method(9, spec.Basic.Ack(5))
    )

    assert ear.confirmed == [(3, True, True), (4, False, False)]


def test_a_cancelled_consumer_is_told() -> None:
    ear = Ear()

    ear.hear(method(1, spec.Basic.Cancel("consumer", True)))

    assert ear.cancelled == 1


def test_what_comes_back_or_belongs_to_nobody_is_passed_over() -> None:
    ear = Ear()
    returned = method(1, spec.Basic.Return(312, "NO_ROUTE", "", "nobody")) + content(b"back")

    ear.hear(returned, delivery(b"lost", channel=9), delivery(b"kept"))

    assert [each.body for each in ear.delivered] == [b"kept"]


def test_headers_of_every_type_that_rabbitmq_writes_are_passed_over() -> None:
    headers = {
        "array": [1, "two", {"three": 3}],
        "timestamp": datetime(2026, 11, 21, tzinfo=UTC),
        "decimal": Decimal("1.5"),
        "nothing": None,
    }
    ear = Ear()

    ear.hear(delivery(b"body", properties={"headers": headers, "app_id": "after it"}))

    (arrived,) = ear.delivered
    assert arrived.body == b"body"
    assert arrived.properties["app_id"] == "after it"


@given(st.binary(max_size=400), places)
def test_garbage_is_either_the_end_or_the_beginning_of_a_frame(
    garbage: bytes, where: list[int]
) -> None:
    ear = Ear()

    ear.hear(*cut(garbage, where))

    if not ear.aborted:
        # Nothing but frames that are whole, and a last one that is not.
        rest = garbage
        while len(rest) >= 8 and len(rest) >= 8 + int.from_bytes(rest[3:7], "big"):
            rest = rest[8 + int.from_bytes(rest[3:7], "big") :]
        assert len(rest) < 8 or int.from_bytes(rest[3:7], "big") <= LARGEST_FRAME


@given(
    st.sampled_from([frames.METHOD, frames.HEADER, frames.BODY]),
    st.integers(0, 3),
    st.binary(max_size=60),
)
def test_a_frame_with_garbage_in_it_never_raises(kind: int, channel: int, payload: bytes) -> None:
    ear = Ear()

    ear.hear(frames.frame(kind, channel, payload), delivery(b"after it"))

    assert ear.aborted or [each.body for each in ear.delivered] == [b"after it"]


@pytest.mark.parametrize(
    ("garbage", "reason"),
    [
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", "a frame of 1345270062 bytes"),
        (frames.HEARTBEAT_FRAME[:-1] + b"\0", "a frame without its end octet"),
        (frames.frame(7, 1, b""), "a frame of type 7"),
        (frames.frame(frames.METHOD, 1, b"\0"), "method: "),
        (frames.frame(frames.METHOD, 1, b"\0\x63\0\x63"), "method 0x00630063"),
        (frames.frame(frames.METHOD, 1, b"\0\x3c\0\x50"), r"basic\.ack"),
        (content(b"body"), "a content header without a method"),
        (frames.frame(frames.BODY, 1, b"body"), "a body that belongs to no message"),
        (delivery(b"body")[:-12] + frames.frame(frames.BODY, 1, b"x" * 9), "belongs to no message"),
    ],
)
def test_what_is_not_amqp_ends_the_connection_with_the_reason(garbage: bytes, reason: str) -> None:
    ear = Ear()

    ear.hear(garbage)

    assert ear.aborted
    assert re.match(f"the broker sent what is not AMQP 0-9-1: .*{reason}", ear.reason or "")


def test_many_messages_in_one_read_take_time_in_proportion() -> None:
    def seconds(count: int) -> float:
        stream = delivery(b"x" * 100) * count
        best = inf
        for _ in range(3):
            ear = Ear()
            # Of this thread: the longer one would be interrupted more often.
            began = thread_time()
            ear.hear(stream)
            best = min(best, thread_time() - began)
            assert len(ear.delivered) == count
        return best

    # In proportion it is 16 times as long; a buffer sliced per frame makes it 256 times.
    assert seconds(16_000) < 80 * seconds(1000)
