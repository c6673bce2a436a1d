"""One client's connection: what twisted.web's channel leaves open.

A body that is too large is refused before it is read; one that is to be
streamed goes to its resource as soon as the headers are there; a client that
sends or reads too slowly is not waited for; a connection can be asked to end
after the request under way.  Nothing here knows what a resource does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from twisted.python.failure import Failure
from twisted.web.http import HTTPChannel, datetimeToString

from stacksync.errors import IncompleteBody
from stacksync.protocols.http.errors import told

if TYPE_CHECKING:
    from stacksync.protocols.http.request import ApiRequest
    from stacksync.protocols.http.site import ApiSite

# A client must send at least this much in each timeout that its request takes
# to arrive: slow networks do, one byte at a time does not.
PROGRESS = 16 * 1024

# The rest of a body that was answered early is read and dropped if it is no
# more than this; else the connection is closed.
DRAINED = 64 * 1024

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
        self._streamed: ApiRequest | None = None
        self._answered_early = False

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
        if self.length != 0 and self.site.streams_body(self._command, self._path):
            self._begin_streamed()
        elif self.length is not None and self.length > self.site.max_body:
            self.refuse_body()
        else:
            super().allHeadersReceived()

    def _begin_streamed(self) -> None:
        request: ApiRequest = self.requests[-1]
        self._streamed = request
        self.persistent = self.checkPersistence(request, self._version)
        # What is restored after the answer, even if the connection is paused until the body's end.
        self._savedTimeOut = self.site.timeOut
        request.gotLength(self.length)
        request.stream_body(self.length, self._version)
        request.requestReceived(self._command, self._path, self._version)

    def allContentReceived(self) -> None:
        if self._lingering:
            return
        self._receiving = False
        streamed, self._streamed = self._streamed, None
        super().allContentReceived()
        if streamed is not None and self._answered_early:
            self._answered_early = False
            super().requestDone(streamed)

    def requestDone(self, request: ApiRequest) -> None:
        if request is self._streamed and not self._lingering:
            # Its body is not at its end yet, and what follows is the next request.
            self._answered_early = True
        else:
            super().requestDone(request)

    def answers_early(self, request: ApiRequest, remaining: int | None) -> None:
        """A request is about to be answered before all of its body is there.

        :param remaining: bytes that are still to come, ``None`` if nobody
            knows, or if they may never come.
        """
        if remaining is None or remaining > DRAINED:
            request.setHeader(b"Connection", b"close")
            self._linger()

    def pause_reading(self) -> None:
        """The client is ahead of us: its silence is of our making."""
        self._networkProducer.pauseProducing()
        self.setTimeout(None)

    def resume_reading(self) -> None:
        # Pausing has taken the timeout away; a body that is all there needs none.
        if self._streamed is not None and not self._lingering:
            self.setTimeout(self.site.timeOut)
        if not self._waitingForTransport:
            self._networkProducer.resumeProducing()

    def lineLengthExceeded(self, line: bytes) -> None:
        self._linger()
        self.write(LINE_TOO_LONG)

    def refuse_body(self) -> None:
        """Answer that the body is too large, and read no more of it."""
        self._answer_and_linger(413, f"a body may have {self.site.max_body} bytes at most")

    def timeoutConnection(self) -> None:
        if self._lingering or self._answered_early:
            self.forceAbortClient()
        elif self._streamed is not None:
            self._streamed.body_fails(IncompleteBody("the body stopped coming before its end"))
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
