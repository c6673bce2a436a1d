"""Somebody who guesses passwords, at a pace, from as many addresses as there are on 127.0.0.0/8.

A program of its own, so that what it costs is not counted as the server's
slowness: ``python -m tests.integration.clients.guesser PORT GUESSES PER_SECOND OWNER…``.
It hangs up where the answer takes long, as guessers do, and says at the end how
often it got which code; 0 stands for no answer in time.
"""

from __future__ import annotations

import selectors
import socket
import sys
import time
from base64 import b64encode
from collections import Counter, deque
from collections.abc import Iterator
from itertools import count

import orjson
from attrs import define, field

PATIENCE = 0.3
NETWORK = 200
"""Addresses of the many."""

ALONE = "127.66.6.6"


@define
class Line:
    """A connection from one address, and the guesses that are to go through it.

    :ivar asked_at: when the guess under way was sent; ``None``: there is none.
    """

    address: str
    waiting: deque[bytes] = field(factory=deque)
    connection: socket.socket | None = None
    asked_at: float | None = None


def guesses(owners: list[str]) -> Iterator[tuple[str, bytes]]:
    """Address and request: many addresses at the owners, one at everybody, many at everybody."""
    for number in count():
        many = f"127.77.{number // 3 % NETWORK}.1"
        address = (many, ALONE, many)[number % 3]
        email = f"user{number % 3000}@example.org"
        if number % 3 == 0:
            email = owners[number // 3 % len(owners)]
        told = b64encode(f"{email}:guess {number}".encode()).decode()
        yield (
            address,
            f"GET /api/account HTTP/1.1\r\nHost: x\r\nAuthorization: Basic {told}\r\n\r\n".encode(),
        )


class Guesser:
    """Sends guesses and counts the codes of the answers."""

    def __init__(self, port: int) -> None:
        self.codes: Counter[int] = Counter()
        self._port = port
        self._lines: dict[str, Line] = {}
        self._selector = selectors.DefaultSelector()

    def guess(self, address: str, request: bytes) -> None:
        line = self._lines.setdefault(address, Line(address))
        line.waiting.append(request)
        self._send(line)

    def listen(self, until: float) -> None:
        """Take answers until then, and give up on those that take too long."""
        while (left := until - time.monotonic()) > 0:
            for key, _ in self._selector.select(min(left, 0.01)):
                self._answered(key.data)
            self._give_up()

    def is_done(self) -> bool:
        return all(line.asked_at is None and not line.waiting for line in self._lines.values())

    def _send(self, line: Line) -> None:
        if line.asked_at is not None or not line.waiting:
            return
        if line.connection is None:
            line.connection = socket.create_connection(
                ("127.0.0.1", self._port), timeout=10, source_address=(line.address, 0)
            )
            self._selector.register(line.connection, selectors.EVENT_READ, line)
        line.asked_at = time.monotonic()
        line.connection.sendall(line.waiting.popleft())

    def _answered(self, line: Line) -> None:
        assert line.connection is not None
        try:
            told = line.connection.recv(65536)
        except ConnectionError:
            told = b""
        if not told:
            self._hang_up(line)
        if line.asked_at is None:
            # No answer, but the end of a connection that was of no use for too long.
            return
        self.codes[int(told.split(b" ", 2)[1]) if told else 0] += 1
        line.asked_at = None
        self._send(line)

    def _give_up(self) -> None:
        late = time.monotonic() - PATIENCE
        for line in self._lines.values():
            if line.asked_at is not None and line.asked_at < late:
                self.codes[0] += 1
                self._hang_up(line)
                line.asked_at = None
                self._send(line)

    def _hang_up(self, line: Line) -> None:
        assert line.connection is not None
        self._selector.unregister(line.connection)
        line.connection.close()
        line.connection = None


def main(port: int, number: int, per_second: float, owners: list[str]) -> None:
    guesser = Guesser(port)
    began = time.monotonic()
    for place, (address, request) in zip(range(number), guesses(owners), strict=False):
        guesser.guess(address, request)
        if place % 10 == 9:
            guesser.listen(began + place / per_second)
    while not guesser.is_done():
        guesser.listen(time.monotonic() + 0.1)
    print(orjson.dumps({str(code): times for code, times in guesser.codes.items()}).decode())


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3]), sys.argv[4:])
