"""Free TCP ports on the loopback interface for the servers that we start."""

from __future__ import annotations

import random
import socket

LOOPBACK = "127.0.0.1"

_RANGE = range(10_240, 32_768)
"""Below the ports that Linux gives to outgoing connections, which would be in the way."""


def is_free(port: int) -> bool:
    """Whether nothing listens on the port of the loopback interface."""
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((LOOPBACK, port))
        except OSError:
            return False
    return True


def choose(number: int) -> list[int]:
    """That many different free ports; somebody else may still take one before it is used."""
    chosen: list[int] = []
    while len(chosen) < number:
        port = random.choice(_RANGE)
        if port not in chosen and is_free(port):
            chosen.append(port)
    return chosen
