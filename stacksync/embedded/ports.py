"""Free TCP ports on the loopback interface for the servers that we start."""

from __future__ import annotations

import random
import socket

LOOPBACK = "127.0.0.1"

_RANGE = range(10_240, 32_768)
"""Below the ports that Linux gives to outgoing connections, which would be in the way."""

_given: set[int] = set()
"""What this process was told: whoever is to have such a port may be long in taking it."""


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
    """That many free ports, none of which this process has been told before.

    Another process may still take one before it is used.
    """
    chosen: list[int] = []
    while len(chosen) < number:
        if len(_given) >= len(_RANGE) // 2:
            # By now the first of them are used, or never will be.
            _given.clear()
        port = random.choice(_RANGE)
        if port not in chosen and port not in _given and is_free(port):
            chosen.append(port)
            _given.add(port)
    return chosen
