"""Bodies up and down by plain sockets, through us or through whatever else speaks HTTP.

Blocking, one thread for each connection: what a transfer costs the driver is
little more than the system calls.  Whoever runs it sets the time limit.
"""

from __future__ import annotations

import json
import os
import socket
import sys
from collections import deque
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from time import perf_counter
from typing import Any

Transfer = dict[str, Any]
"""``method``, ``path``, and for what goes up ``start`` and ``size`` within the source file."""

BUFFER = 1024 * 1024


class Connection:
    """A connection that stays open; one transfer at a time."""

    def __init__(self, job: dict[str, Any], source: int) -> None:
        self._socket = socket.create_connection(("127.0.0.1", job["port"]))
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._headers = "".join(f"{name}: {value}\r\n" for name, value in job["headers"].items())
        self._source = source
        self._keeps = job["keep_bodies"]
        self._rest = b""
        self._buffer = memoryview(bytearray(BUFFER))

    def do(self, transfer: Transfer) -> str:
        """One request; the answer's body, if bodies are to be kept.

        :raises OSError: the answer is not a success, or not whole.
        """
        size = transfer.get("size", 0)
        length = f"Content-Length: {size}\r\n" if "size" in transfer else ""
        head = f"{transfer['method']} {transfer['path']} HTTP/1.1\r\nHost: bench\r\n"
        self._socket.sendall(f"{head}{self._headers}{length}\r\n".encode())
        start, end = transfer.get("start", 0), transfer.get("start", 0) + size
        while start < end:
            start += os.sendfile(self._socket.fileno(), self._source, start, end - start)
        return self._answer(transfer)

    def _answer(self, transfer: Transfer) -> str:
        while b"\r\n\r\n" not in self._rest:
            self._rest += self._received(self._socket.recv(65536))
        head, _, rest = self._rest.partition(b"\r\n\r\n")
        if not head.startswith(b"HTTP/1.1 2"):
            raise OSError(f"{transfer['method']} {transfer['path']}: {(head + rest)[:500]!r}")
        left = length_in(head) - len(rest)
        self._rest = b""
        while left > 0:
            count = self._socket.recv_into(self._buffer, min(left, BUFFER))
            self._received(b"x" * bool(count))
            left -= count
            if self._keeps:
                rest += self._buffer[:count]
        return rest.decode() if self._keeps else ""

    @staticmethod
    def _received(data: bytes) -> bytes:
        if not data:
            raise OSError("the connection was closed in the middle of an answer")
        return data


def length_in(head: bytes) -> int:
    for line in head.split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            return int(value)
    return 0


def transfer_all(job: dict[str, Any]) -> dict[str, Any]:
    """Do all transfers of a job, on so many connections; seconds, and the answers in order."""
    with Path(job["source"]).open("rb") as source:
        connections = [Connection(job, source.fileno()) for _ in range(job["connections"])]
        waiting = deque(enumerate(job["transfers"]))
        bodies = [""] * len(waiting)

        def work(connection: Connection) -> None:
            for place, transfer in taken(waiting):
                bodies[place] = connection.do(transfer)

        started = perf_counter()
        with ThreadPoolExecutor(len(connections)) as pool:
            list(pool.map(work, connections))
        return {"seconds": perf_counter() - started, "bodies": bodies}


def taken(waiting: deque[tuple[int, Transfer]]) -> Iterator[tuple[int, Transfer]]:
    while True:
        try:
            yield waiting.popleft()
        except IndexError:
            return


if __name__ == "__main__":
    print(json.dumps(transfer_all(json.load(sys.stdin))))
