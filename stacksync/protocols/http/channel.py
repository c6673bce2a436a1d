"""One client's connection: what twisted.web's channel leaves open.

A body that is too large is refused before it is read; a client that sends or
reads too slowly is not waited for; a connection can be asked to end after
the request under way.  Nothing here knows resources.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from twisted.python.failure import Failure
from twisted.web.http import HTTPChannel, datetimeToString

from stacksync.protocols.http.errors import told

if TYPE_CHECKING:
    from stacksync.protocols.http.site import ApiSite

# A client must send at least this much in each timeout that its request takes
# to arrive: slow networks do, one byte at a time does not.
PROGRESS = 16 * 1024

LINGER_SECONDS = 2.0
LINGER_BYTES = 64 * 1024**2

LINE_TOO_LONG = (
    b"HTTP/1.1 431 Request Header Fields Too Large\r\n"
    b"Connection: close\r\nContent-Length: 0\r\n\r\n"
)


class ApiChannel(HTTPChannel):
    """A connection of the API."""

    site: ApiSite

    def __init__(self) -> None:
        super().__init__()
        self._receiving = False
        self._unaccounted = 0
        self._lingering = False

    def connectionMade(self) -> None:
        super().connectionMade()
        self.site.channels.add(self)

    def connectionLost(self, reason: Failure) -> None:  # type: ignore[override]
        super().connectionLost(reason)
        self.site.channel_lost(self)

    def dataReceived(self, data: bytes) -> None:
        if self._lingering:
            self._unaccounted += len(data)
            if self._unaccounted > LINGER_BYTES:
                self.forceAbortClient()
            return
        self._unaccounted += len(data)
        if not self._receiving or self._unaccounted >= PROGRESS:
            self._receiving = True
            self._unaccounted = 0
            self.resetTimeout()
        # Not HTTPChannel's, which would give each single byte a new timeout.
        super(HTTPChannel, self).dataReceived(data)

    def allHeadersReceived(self) -> None:
        if self.length is not None and self.length > self.site.max_body:
            self.refuse_body()
        else:
            super().allHeadersReceived()

    def allContentReceived(self) -> None:
        if self._lingering:
            return
        self._receiving = False
        super().allContentReceived()

    def lineLengthExceeded(self, line: bytes) -> None:
        self._linger()
        self.write(LINE_TOO_LONG)

    def refuse_body(self) -> None:
        """Answer that the body is too large, and read no more of it."""
        self._answer_and_linger(413, f"a body may have {self.site.max_body} bytes at most")

    def timeoutConnection(self) -> None:
        if self._lingering:
            self.forceAbortClient()
        elif self._receiving and self.requests:
            self._answer_and_linger(408, "the request took too long to arrive")
        else:
            super().timeoutConnection()

    def end(self) -> None:
        """Close the connection as soon as no request is under way."""
        self.persistent = False
        if not self.requests:
            self.loseConnection()

    def loseConnection(self) -> None:
        self._receiving = False
        if not self._lingering:
            super().loseConnection()

    def _answer_and_linger(self, code: int, description: str) -> None:
        if self._lingering:
            return
        self._linger()
        request = self.requests[-1]
        request.method = self._command
        request.clientproto = self._version
        request.uri = request.path = self._path
        request.site = self.site
        request.setHeader(b"Date", datetimeToString())
        request.setHeader(b"Connection", b"close")
        request.send(told(code, description))

    def _linger(self) -> None:
        # Closing while the client still sends would reset the connection, and
        # with it the answer that is on its way: so the rest is read and
        # dropped until the client has read the answer and closes, or for a
        # bounded time.
        self._lingering = True
        self._unaccounted = 0
        self.persistent = False
        self.setTimeout(LINGER_SECONDS)
