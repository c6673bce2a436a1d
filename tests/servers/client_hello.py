"""The first message of TLS, byte by byte: offers what no TLS library of today would.

And what a server says to it, as far as its first message.
"""

from __future__ import annotations

import socket
import struct
from collections.abc import Sequence

from attrs import frozen

SSL_3, TLS_1_0, TLS_1_1, TLS_1_2, TLS_1_3 = range(0x0300, 0x0305)

PROTOCOL_VERSION, HANDSHAKE_FAILURE = 70, 40
"""Alerts (RFC 8446, section 6)."""

_ALERT, _HANDSHAKE = 0x15, 0x16
_X25519, _P256 = 0x001D, 0x0017


@frozen
class Reaction:
    """What a server says to a hello.

    :ivar alert: with which it refuses; ``None``: it does not.
    :ivar cipher: which it has chosen, and ``compression``.
    """

    alert: int | None
    cipher: int = 0
    compression: int = 0


def hello(version: int, ciphers: Sequence[int], compressions: bytes = b"\0") -> bytes:
    """A ``ClientHello`` (RFC 5246, section 7.4.1.2) that offers just that version."""
    signatures = struct.pack(">6H", 0x0403, 0x0503, 0x0804, 0x0805, 0x0401, 0x0201)
    extensions = b"".join(
        (
            _extension(10, _vector(2, struct.pack(">2H", _X25519, _P256))),
            _extension(11, _vector(1, b"\0")),
            _extension(13, _vector(2, signatures)),
            # RFC 5746: or today's servers refuse to talk at all.
            _extension(0xFF01, b"\0"),
        )
    )
    body = b"".join(
        (
            struct.pack(">H", version),
            bytes(32),
            _vector(1, b""),
            _vector(2, struct.pack(f">{len(ciphers)}H", *ciphers)),
            _vector(1, compressions),
            _vector(2, extensions),
        )
    )
    handshake = b"\x01" + len(body).to_bytes(3, "big") + body
    return struct.pack(">BHH", _HANDSHAKE, min(version, TLS_1_0), len(handshake)) + handshake


def reaction(port: int, message: bytes) -> Reaction:
    """What the server on a port of this machine says to a hello."""
    with socket.create_connection(("127.0.0.1", port), timeout=60) as connection:
        connection.sendall(message)
        with connection.makefile("rb") as answer:
            kind, _, length = struct.unpack(">BHH", answer.read(5))
            content = answer.read(length)
    if kind == _ALERT:
        return Reaction(content[1])
    assert (kind, content[0]) == (_HANDSHAKE, 2), (kind, content[:40])
    after_session = 4 + 2 + 32 + 1 + content[38]
    cipher, compression = struct.unpack(">HB", content[after_session : after_session + 3])
    return Reaction(None, cipher, compression)


def _vector(width: int, content: bytes) -> bytes:
    return len(content).to_bytes(width, "big") + content


def _extension(kind: int, content: bytes) -> bytes:
    return struct.pack(">H", kind) + _vector(2, content)
