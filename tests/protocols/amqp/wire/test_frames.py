"""Our frames are those of AMQP 0-9-1, as pika's codec reads and writes them."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pika import data as pika_data
from pika import spec

from stacksync.protocols.amqp.wire import frames
from stacksync.protocols.amqp.wire.frames import FrameError
from tests.protocols.amqp.broker_frames import content, frames_of, method, publish_of

channels = st.integers(1, 65535)
short_strings = st.text(max_size=255).filter(lambda text: len(text.encode()) <= 255)
octets = st.integers(0, 255)
table_values = st.recursive(
    st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.text(),
    lambda values: st.dictionaries(short_strings, values, max_size=3),
    max_leaves=8,
)
tables = st.dictionaries(short_strings, table_values, max_size=4)
properties = st.fixed_dictionaries(
    {},
    optional={
        "content_type": short_strings,
        "content_encoding": short_strings,
        "headers": tables,
        "delivery_mode": octets,
        "priority": octets,
        "correlation_id": short_strings,
        "reply_to": short_strings,
        "expiration": short_strings,
        "message_id": short_strings,
        "timestamp": st.integers(0, 2**64 - 1),
        "type": short_strings,
        "user_id": short_strings,
        "app_id": short_strings,
        "cluster_id": short_strings,
    },
)
ALL_PROPERTIES = {
    name: {"shortstr": "é", "octet": 2, "table": {"x": 1}, "longlong": 3}[kind]
    for name, _, kind in frames.PROPERTIES
}


def told(found: Any) -> dict[str, Any]:
    """The properties that are there."""
    return {
        name: getattr(found, name)
        for name, _, _ in frames.PROPERTIES
        if getattr(found, name) is not None
    }


@given(channels, short_strings, short_strings, properties, st.binary(max_size=300))
def test_a_message_that_we_publish_arrives_as_it_was(
    channel: int, exchange: str, key: str, sent: dict[str, Any], body: bytes
) -> None:
    data = frames.encode_publish(channel, exchange, key, sent, body, frame_max=64)

    published, received, arrived = publish_of(data)
    assert (published.exchange, published.routing_key) == (exchange, key)
    assert not published.mandatory
    assert told(received) == sent
    assert arrived == body
    assert {each.channel_number for each in frames_of(data)} == {channel}


@given(st.integers(9, 80), st.binary(max_size=400))
def test_no_body_frame_is_larger_than_agreed(frame_max: int, body: bytes) -> None:
    data = frames.encode_publish(1, "", "q", {}, body, frame_max)

    bodies = [each for each in frames_of(data) if each.frame_type == spec.FRAME_BODY]
    assert all(len(each.marshal()) <= frame_max for each in bodies)
    assert b"".join(each.fragment for each in bodies) == body


@given(properties, st.integers(0, 2**63))
def test_the_header_of_a_message_is_read_as_it_was_sent(sent: dict[str, Any], size: int) -> None:
    flags, values = frames.encode_properties(sent)
    payload = frames.CONTENT.pack(frames.BASIC, 0, size, flags) + values

    read_size, read = frames.decode_content_header(payload)

    table = read.pop("headers", None)
    assert read_size == size
    assert read == {name: value for name, value in sent.items() if name != "headers"}
    assert table == (frames.table(sent["headers"]) if "headers" in sent else None)


@given(channels, st.integers(1, 2**64 - 1), st.booleans(), short_strings, short_strings)
def test_a_delivery_is_read_as_the_broker_wrote_it(
    channel: int, tag: int, redelivered: bool, exchange: str, key: str
) -> None:
    deliver = spec.Basic.Deliver("consumer-é", tag, redelivered, exchange, key)
    payload = method(channel, deliver)[7:-1]

    delivery = frames.decode_deliver(channel, payload)

    assert frames.method_of(payload) == frames.BASIC_DELIVER
    assert (delivery.channel, delivery.delivery_tag) == (channel, tag)
    assert delivery.redelivered is redelivered
    assert (delivery.exchange, delivery.routing_key) == (exchange, key)


@given(channels, st.integers(0, 2**64 - 1), st.booleans())
def test_an_acknowledgement_is_what_pika_would_send(channel: int, tag: int, multiple: bool) -> None:
    data = frames.encode_ack(channel, tag, multiple)

    assert data == method(channel, spec.Basic.Ack(tag, multiple))
    assert frames.decode_tag(data[7:-1]) == (tag, multiple)


@given(st.text())
def test_a_short_string_has_its_length_in_bytes_and_at_most_255(text: str) -> None:
    size = len(text.encode())
    if size > 255:
        with pytest.raises(ValueError, match=f"{size} bytes"):
            frames.shortstr(text)
    else:
        data = frames.shortstr(text)
        assert data == bytes((size,)) + text.encode()
        assert frames.read_shortstr(b"before" + data + b"after", 6) == (text, 7 + size)


@pytest.mark.parametrize("text", ["é" * 127, "💾" * 63 + "xyz", "x" * 255])
def test_255_bytes_just_fit_and_one_more_does_not(text: str) -> None:
    longest = text + "x" * (255 - len(text.encode()))

    assert len(frames.shortstr(longest)) == 256
    with pytest.raises(ValueError, match="256 bytes do not fit"):
        frames.shortstr(longest + "x")


@given(st.binary(max_size=255))
def test_a_short_string_that_is_no_text_comes_back_as_it_was(data: bytes) -> None:
    read, _ = frames.read_shortstr(bytes((len(data),)) + data, 0)

    assert frames.shortstr(read)[1:] == data


@given(tables)
def test_a_table_is_read_by_others(values: dict[str, Any]) -> None:
    decoded, stop = pika_data.decode_table(frames.table(values), 0)

    assert decoded == values
    assert stop == len(frames.table(values))


def test_a_content_header_that_is_cut_short_anywhere_is_an_error() -> None:
    flags, values = frames.encode_properties(ALL_PROPERTIES)
    payload = frames.CONTENT.pack(frames.BASIC, 0, 5, flags) + values

    for length in range(len(payload)):
        with pytest.raises(FrameError, match="content header"):
            frames.decode_content_header(payload[:length])


def test_a_delivery_that_is_cut_short_anywhere_is_an_error() -> None:
    payload = method(1, spec.Basic.Deliver("consumer", 1, False, "exchange", "key"))[7:-1]

    for length in range(4, len(payload)):
        with pytest.raises(FrameError, match=r"basic\.deliver"):
            frames.decode_deliver(1, payload[:length])


def test_a_confirm_that_is_cut_short_anywhere_is_an_error() -> None:
    payload = method(1, spec.Basic.Ack(1))[7:-1]

    for length in range(4, len(payload)):
        with pytest.raises(FrameError, match=r"basic\.ack"):
            frames.decode_tag(payload[:length])
    with pytest.raises(FrameError, match="method"):
        frames.method_of(payload[:3])


def test_a_truncated_message_says_that_it_is_not_whole() -> None:
    delivery = frames.decode_deliver(1, method(1, spec.Basic.Deliver("c", 1, False, "", ""))[7:-1])
    delivery.size, delivery.body = 3, b"abc"
    assert delivery.whole

    delivery.size = 4
    assert not delivery.whole


def test_the_heartbeat_is_one() -> None:
    (frame,) = frames_of(frames.HEARTBEAT_FRAME)

    assert frame.frame_type == spec.FRAME_HEARTBEAT


def test_all_properties_have_the_flags_of_the_specification() -> None:
    header = content(b"", properties=ALL_PROPERTIES)[7:-1]

    size, read = frames.decode_content_header(header)

    assert size == 0
    assert read.keys() == {name for name, _, _ in frames.PROPERTIES}
