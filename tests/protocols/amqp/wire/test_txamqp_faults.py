"""The faults of txAMQP that ``connection`` works round are still there.

A test here that fails says that a release of txAMQP has mended something, and
which of our work-arounds may go.  That ours works is for the other modules to
show; where it is a matter of a few bytes, it is shown beside the fault.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from io import BytesIO
from typing import Any

import pytest
from pika import spec as pika_spec
from pytest_twisted import ensureDeferred
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from txamqp import spec as txamqp_spec
from txamqp.client import TwistedDelegate
from txamqp.codec import Codec
from txamqp.connection import Body, Frame, Header, Method
from txamqp.protocol import AMQClient, read_content
from txamqp.queue import TimeoutDeferredQueue

from stacksync.protocols.amqp.wire import frames
from stacksync.protocols.amqp.wire.channel import ChannelHandler
from stacksync.protocols.amqp.wire.connection import PROTOCOL_HEADER, SPECIFICATION, Connection
from tests.protocols.amqp.broker_frames import content, delivery, frames_of, method
from tests.protocols.amqp.script import Script

TEXT = "ab💾c"


def plain_client() -> tuple[Any, StringTransport]:
    """txAMQP as it is, with our specification."""
    client = AMQClient(TwistedDelegate(), "/", SPECIFICATION, clock=Clock())
    transport = StringTransport()
    client.makeConnection(transport)
    return client, transport


def decoded_body(data: bytes) -> Any:
    return Body.decode(SPECIFICATION, Codec(BytesIO(frames.LONG.pack(len(data)) + data))).content


def test_txamqp_ships_no_specification() -> None:
    assert not os.path.exists(txamqp_spec.DEFAULT_SPEC)


def fields_of(pika_method: Any) -> list[str]:
    """The names of a method's fields, in order, as pika encodes them."""
    code = type(pika_method).__init__.__code__
    return list(code.co_varnames[1 : code.co_argcount])


PIKA_METHODS: dict[int, Any] = pika_spec.methods
OURS = [each for klass in SPECIFICATION.classes for each in klass.methods]


def name_of(each: Any) -> str:
    return f"{each.klass.name}.{each.name}"


@pytest.mark.parametrize("ours", OURS, ids=name_of)
def test_a_method_of_our_specification_is_encoded_as_by_pika(ours: Any) -> None:
    """Name, number, and every field in its place."""
    theirs = PIKA_METHODS[ours.klass.id << 16 | ours.id]
    assert theirs.NAME.lower() == name_of(ours).replace("-", "").lower()
    values: dict[str, list[Any]] = {
        "bit": [True, False],
        "octet": [3],
        "short": [258],
        "long": [66051],
        "longlong": [72623859790382856],
        "shortstr": ["short"],
        "longstr": ["long"],
        "table": [{"key": "value"}],
    }
    places = dict.fromkeys(values, 0)
    arguments = []
    for each in ours.fields:
        choice = values[each.type]
        arguments.append(choice[places[each.type] % len(choice)])
        places[each.type] += 1
    stream = BytesIO()
    Method(ours, *arguments).encode(Codec(stream))

    read = theirs().decode(stream.getvalue()[4 + 4 :])

    told = [text_of(getattr(read, name)) for name in fields_of(read)]
    # Where the first field is reserved, pika leaves it out or calls it a ticket.
    assert told == arguments[len(arguments) - len(told) :]


def text_of(value: Any) -> Any:
    return value.decode() if isinstance(value, bytes) else value


def test_properties_are_in_the_order_of_the_specification() -> None:
    (basic,) = [klass for klass in SPECIFICATION.classes if klass.name == "basic"]

    assert [each.name.replace("-", "_") for each in basic.fields] == [
        name for name, _, _ in frames.PROPERTIES
    ]


def test_txamqp_makes_text_of_bodies_that_happen_to_be_text() -> None:
    assert decoded_body(b"abc") == "abc"
    assert decoded_body(b"\xff") == b"\xff"


@pytest.mark.parametrize("place", range(3, 5))
@ensureDeferred
async def test_txamqp_loses_a_body_that_is_cut_inside_a_character(place: int) -> None:
    data = TEXT.encode()
    frames_received: TimeoutDeferredQueue = TimeoutDeferredQueue(Clock())
    (basic,) = [klass for klass in SPECIFICATION.classes if klass.name == "basic"]
    frames_received.put(Frame(1, Header(basic, 0, len(data))))
    for piece in (data[:2], data[2:place], data[place:], *[b"x"] * 10):
        frames_received.put(Frame(1, Body(decoded_body(piece))))

    read = (await read_content(frames_received)).body

    assert read not in (TEXT, data)


@pytest.mark.parametrize("place", range(len(TEXT.encode()) + 1))
def test_our_body_is_whole_wherever_it_is_cut(place: int) -> None:
    data = TEXT.encode()
    heard: list[bytes] = []
    connection = quiet_connection(lambda delivery: heard.append(delivery.body))
    connection.dataReceived(
        method(1, pika_spec.Basic.Deliver("c", 1, False, "", "q"))
        + content(data)[: 8 + 14]
        + frames.frame(frames.BODY, 1, data[:place])
        + frames.frame(frames.BODY, 1, data[place:])
    )

    assert heard == [data]


def quiet_connection(delivered: Callable[[Any], None]) -> Connection:
    connection = Connection(Clock(), "/", 30.0, 1000)
    connection.makeConnection(StringTransport())
    connection.handlers[1] = ChannelHandler(delivered=delivered)
    return connection


def test_txamqp_counts_the_characters_of_a_string_and_not_its_bytes() -> None:
    stream = BytesIO()
    Codec(stream).encode_shortstr("é")
    assert stream.getvalue() == b"\x01\xc3\xa9"

    stream = BytesIO()
    Codec(stream).encode_shortstr("é".encode())
    assert stream.getvalue() == frames.shortstr("é")


@pytest.mark.parametrize(
    "value", [b"A\0\0\0\0", b"T" + bytes(8), b"l" + bytes(8), b"d" + bytes(8), b"V"]
)
def test_txamqp_cannot_read_tables_as_rabbitmq_writes_them(value: bytes) -> None:
    entry = frames.shortstr("x") + value

    with pytest.raises(ValueError, match="b'"):
        Codec(BytesIO(frames.LONG.pack(len(entry)) + entry)).decode_table()


def test_txamqp_cannot_write_the_capabilities() -> None:
    with pytest.raises(Exception, match="integer"):
        Codec(BytesIO()).encode_table({"capabilities": {"basic.nack": True}})


def test_txamqp_slices_its_whole_buffer_for_every_frame() -> None:
    class Counted(bytes):
        copied = 0

        def __add__(self, other: Any) -> Counted:
            return Counted(bytes(self) + bytes(other))

        def __getitem__(self, key: Any) -> Any:
            piece = bytes(self)[key]
            if isinstance(key, slice):
                Counted.copied += len(piece)
                return Counted(piece)
            return piece

    client, _ = plain_client()
    client._FrameReceiver__buffer = Counted()
    client.frame_received = lambda frame: None
    stream = frames.HEARTBEAT_FRAME * 1000

    client.dataReceived(stream)

    assert Counted.copied > 100 * len(stream)


def test_txamqp_ends_a_connection_whose_frames_are_larger_than_4096_bytes() -> None:
    client, _ = plain_client()

    with pytest.raises(AttributeError, match="frameLengthExceeded"):
        client.dataReceived(delivery(b"x" * 10_000)[:9000])


def test_txamqp_announces_a_version_that_is_not_ours() -> None:
    _, transport = plain_client()
    assert transport.value() == b"AMQP\x01\x01\x00\x09"

    ours = StringTransport()
    Connection(Clock(), "/", 30.0, 1000).makeConnection(ours)
    assert ours.value() == PROTOCOL_HEADER == b"AMQP\x00\x00\x09\x01"


def test_txamqp_tells_the_broker_no_capabilities() -> None:
    client, transport = plain_client()
    client.response, client.mechanism, client.locale = b"\0guest\0guest", "PLAIN", "en_US"
    transport.clear()

    client.dataReceived(method(0, pika_spec.Connection.Start(0, 9, {}, "PLAIN", "en_US")))

    (answer,) = frames_of(transport.value())
    assert answer.method.client_properties == {}


def test_we_tell_the_broker_our_capabilities() -> None:
    script = Script()
    logging_in = Deferred.fromCoroutine(script.connection.log_in("Ünal", "pässword"))

    script.say(pika_spec.Connection.Start(0, 9, {}, "PLAIN", "en_US"))

    assert not logging_in.called
    (answer,) = script.heard()
    assert answer.method.client_properties["capabilities"] == {
        "publisher_confirms": True,
        "basic.nack": True,
        "consumer_cancel_notify": True,
        "connection.blocked": True,
        "authentication_failure_close": True,
    }
    assert text_of(answer.method.response) == "\0Ünal\0pässword"


def test_txamqps_queues_of_deliveries_have_no_bounds() -> None:
    client, _ = plain_client()

    for tag in range(1, 1001):
        client.dataReceived(delivery(b"x", tag=tag))

    assert len(client.queues["consumer"].pending) == 1000


def test_ours_are_handed_on_at_once() -> None:
    heard: list[Any] = []
    connection = quiet_connection(heard.append)

    connection.dataReceived(delivery(b"x") * 1000)

    assert len(heard) == 1000
    assert not connection.queues
