"""A client that asks and does not read the answer."""

from __future__ import annotations

import socket
from base64 import b64encode
from urllib.parse import urlsplit

import requests

from tests.servers.stacksync import KnownUser, StackSyncProcess

SMALL_BUFFER = 64 * 1024

ESTABLISHED = 1
"""The state of a connection, as Linux tells it (``tcp_info``)."""


class UnreadAnswer:
    """An HTTP request whose answer stays where it is, but for what :meth:`read` takes."""

    def __init__(self, server: StackSyncProcess, user: KnownUser, path: str) -> None:
        self._socket = socket.socket()
        # Set before connecting, or the system makes room for megabytes.
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, SMALL_BUFFER)
        address = urlsplit(server.http_url)
        self._socket.connect((address.hostname, address.port))
        self._socket.settimeout(60)
        login = b64encode(f"{user.email}:{user.password}".encode()).decode()
        self._socket.sendall(
            f"GET /api{path} HTTP/1.1\r\nHost: x\r\nAuthorization: Basic {login}\r\n\r\n".encode()
        )

    def close(self) -> None:
        self._socket.close()

    def read(self, most: int = SMALL_BUFFER) -> bytes:
        """Some of it, or nothing if the connection was closed."""
        return self._socket.recv(most)


def is_connected(answer: requests.Response) -> bool:
    """Whether the server has not hung up on us, who may still have much to read."""
    told = answer.raw.connection.sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1)
    return bool(told[0] == ESTABLISHED)
