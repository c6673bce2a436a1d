"""A network that breaks connections after so many bytes."""

from __future__ import annotations

import socket
import threading
from collections import deque
from collections.abc import Iterable
from contextlib import suppress

LOOPBACK = "127.0.0.1"
PIECE = 64 * 1024
PATIENCE = 30.0


class TornWire:
    """Passes on what comes to it; its threads end with :meth:`close`.

    What the program has sent before the break arrives, as it mostly does.

    :param target: the server's port on the loopback interface.
    :param breaks: after how many bytes from the program each connection
        breaks, in turn; those after them last.
    :ivar port: where to connect on the loopback interface.
    :ivar broken: how many connections broke.
    """

    def __init__(self, target: int, breaks: Iterable[int]) -> None:
        self._target = target
        self._breaks = deque(breaks)
        self.broken = 0
        self._listener = socket.create_server((LOOPBACK, 0))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        # Closing alone would not wake the thread that waits for connections.
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            allowed = self._breaks.popleft() if self._breaks else None
            try:
                far = socket.create_connection((LOOPBACK, self._target), PATIENCE)
            except OSError:
                near.close()
                continue
            near.settimeout(PATIENCE)
            threading.Thread(target=self._requests, args=(near, far, allowed), daemon=True).start()
            threading.Thread(target=self._answers, args=(far, near), daemon=True).start()

    def _requests(self, near: socket.socket, far: socket.socket, allowed: int | None) -> None:
        with suppress(OSError):
            while allowed is None or allowed > 0:
                piece = near.recv(PIECE if allowed is None else min(PIECE, allowed))
                if not piece:
                    break
                far.sendall(piece)
                allowed = None if allowed is None else allowed - len(piece)
        if allowed == 0:
            self.broken += 1
            with suppress(OSError):
                near.shutdown(socket.SHUT_RDWR)
        with suppress(OSError):
            far.shutdown(socket.SHUT_WR)

    def _answers(self, far: socket.socket, near: socket.socket) -> None:
        with suppress(OSError):
            while piece := far.recv(PIECE):
                near.sendall(piece)
        near.close()
        far.close()
