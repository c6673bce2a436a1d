"""A request whose bytes go when the test says so, and whose answers are seen as they come."""

from __future__ import annotations

import json
import select
import socket
import struct
from base64 import b64encode
from contextlib import suppress
from typing import Any, BinaryIO
from urllib.parse import urlsplit

from attrs import frozen

from tests.servers.stacksync import KnownUser

TIMEOUT = 60.0
RESET = struct.pack("ii", 1, 0)


@frozen
class HandAnswer:
    """An answer, or with code 100 the word to go on.

    :ivar is_whole: whether the body has as many bytes as the head says.
    """

    code: int
    headers: dict[str, str]
    body: bytes
    is_whole: bool

    @property
    def told(self) -> Any:
        return json.loads(self.body)


class HandSentRequest:
    """One request on a connection of its own; the head goes at once.

    :param path: below ``/api``, percent-encoded.
    """

    def __init__(self, url: str, user: KnownUser, method: str, path: str, **headers: str) -> None:
        address = urlsplit(url)
        self._socket = socket.create_connection((address.hostname, address.port), TIMEOUT)
        self._file = self._socket.makefile("rb")
        login = b64encode(f"{user.email}:{user.password}".encode()).decode()
        lines = [f"{method} /api{path} HTTP/1.1", "Host: x", f"Authorization: Basic {login}"]
        lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
        self.send("\r\n".join([*lines, "", ""]).encode())

    def send(self, data: bytes) -> None:
        self._socket.sendall(data)

    def send_chunk(self, data: bytes) -> None:
        """A piece of a body with ``Transfer-Encoding: chunked``."""
        self.send(b"%x\r\n%b\r\n" % (len(data), data))

    def send_file(self, file: BinaryIO) -> None:
        """The rest of a file, which need not fit into memory."""
        self._socket.sendfile(file)

    @property
    def is_answered(self) -> bool:
        """Whether something has come, without waiting."""
        return bool(select.select([self._socket], [], [], 0)[0])

    def answer(self) -> HandAnswer:
        """Wait for the next one."""
        code = int(self._file.readline().split(b" ")[1])
        headers = {}
        while line := self._file.readline().strip():
            name, _, value = line.decode("latin-1").partition(":")
            headers[name.lower()] = value.strip()
        length = int(headers.get("content-length", "0"))
        body = self._read(length)
        return HandAnswer(code, headers, body, len(body) == length)

    def close(self) -> None:
        """Hang up in an orderly way."""
        self._file.close()
        self._socket.close()

    def vanish(self) -> None:
        """Be gone from one moment to the next."""
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
        self.close()

    def _read(self, length: int) -> bytes:
        """As much of it as comes before the connection ends, however it ends."""
        pieces, left = [], length
        with suppress(ConnectionResetError):
            while left and (piece := self._file.read1(left)):
                pieces.append(piece)
                left -= len(piece)
        return b"".join(pieces)
