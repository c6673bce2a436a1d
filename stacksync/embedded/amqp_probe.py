"""Whether an AMQP 0-9-1 broker answers at an address; blocks, within a time limit."""

from __future__ import annotations

import socket
import struct
import time

_HEADER = b"AMQP\x00\x00\x09\x01"
_METHOD_FRAME, _CHANNEL_0 = 1, 0
_CONNECTION_START = (10, 10)
_START = struct.Struct("!BHIHH")


def speaks_amqp(host: str, port: int, seconds: float = 2.0) -> bool:
    """Say hello and look for a ``connection.start`` frame (AMQP 0-9-1, 2.2.4 and 4.2).

    :param seconds: for the whole exchange.  Refusal, silence and anything else
        than a broker's first frame are all "no".
    """
    end = time.monotonic() + seconds
    received = b""
    try:
        with socket.create_connection((host, port), timeout=seconds) as connection:
            connection.sendall(_HEADER)
            while len(received) < _START.size:
                connection.settimeout(max(0.001, end - time.monotonic()))
                more = connection.recv(_START.size - len(received))
                if not more:
                    return False
                received += more
    except OSError:
        return False
    kind, channel, _size, *method = _START.unpack(received)
    return (kind, channel, tuple(method)) == (_METHOD_FRAME, _CHANNEL_0, _CONNECTION_START)
