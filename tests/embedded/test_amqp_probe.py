"""Only a broker is taken for a broker, and nobody is waited for long."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager

import pytest

from stacksync.embedded.amqp_probe import speaks_amqp
from stacksync.embedded.ports import choose
from tests.servers.rabbitmq import RabbitServer

HEADER_OF_ANOTHER_VERSION = b"AMQP\x00\x01\x00\x00"
CONNECTION_START = b"\x01\x00\x00\x00\x00\x00\x10\x00\x0a\x00\x0a"


@contextmanager
def answering(answer: bytes, then_close: bool) -> Iterator[int]:
    """A port where every caller is given this answer."""
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:
        callers = []

        def serve() -> None:
            while True:
                try:
                    caller, _ = listener.accept()
                except OSError:
                    return
                callers.append(caller)
                caller.recv(8)
                caller.sendall(answer)
                if then_close:
                    caller.close()

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield listener.getsockname()[1]
        listener.shutdown(socket.SHUT_RDWR)
        for caller in callers:
            caller.close()
    thread.join()


def test_a_broker_is_recognised(rabbitmq: RabbitServer) -> None:
    assert speaks_amqp("127.0.0.1", rabbitmq.port, 30)


def test_its_first_frame_may_come_in_pieces() -> None:
    with answering(CONNECTION_START[:5], then_close=False) as port:
        assert not speaks_amqp("127.0.0.1", port, 0.2)
    with answering(CONNECTION_START, then_close=False) as port:
        assert speaks_amqp("127.0.0.1", port, 30)


def test_nobody_there() -> None:
    (port,) = choose(1)
    assert not speaks_amqp("127.0.0.1", port)


@pytest.mark.parametrize("then_close", [True, False])
@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"HTTP/1.1 400 Bad Request\r\n\r\n",
        b"220 mail.example.org ESMTP\r\n",
        HEADER_OF_ANOTHER_VERSION,
        CONNECTION_START[:-1] + b"\x0b",
        b"\x00" * 11,
    ],
)
def test_anything_else_is_not_a_broker(answer: bytes, then_close: bool) -> None:
    began = time.monotonic()
    with answering(answer, then_close) as port:
        assert not speaks_amqp("127.0.0.1", port, 0.3)
    assert time.monotonic() - began < 10
