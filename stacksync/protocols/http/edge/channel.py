"""One client's connection: what twisted.web's channel leaves open.

A head or a body that is too large is refused before it is read; a body that
is to be streamed goes to its resource as soon as the headers are there; a
client that sends or reads too slowly is not waited for; a connection can be
asked to end after the request under way.  Nothing here knows what a resource
does.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

from twisted.python.failure import Failure
from twisted.web.http import HTTPChannel

from stacksync.errors import IncompleteBody
from stacksync.protocols.http.edge.mistaken import TLS_TO_PLAIN
from stacksync.protocols.http.errors import told
from stacksync.tls import looks_like_tls

if TYPE_CHECKING:
    from twisted.internet.interfaces import IAddress

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

# What the head of a request may have.  Browsers and proxies stay far below it.
LINE_BYTES = 16 * 1024
FIELDS_MAX = 100
FIELDS_BYTES = 32 * 1024

REFUSED_HEAD = (
    b"HTTP/1.1 %d %b\r\nServer: StackSync\r\nConnection: close\r\n"
    b"Content-Type: application/json\r\nContent-Length: %d\r\n\r\n%b"
)


class ApiChannel(HTTPChannel):
    """A connection of the API."""

    site: ApiSite
    MAX_LENGTH = LINE_BYTES
    # Ours are told with their reason, so these are out of reach.
    maxHeaders = FIELDS_MAX + 1  # noqa: N815
    totalHeadersSize = LINE_BYTES + FIELDS_BYTES + 1  # noqa: N815

    def __init__(self) -> None:
        super().__init__()
        self._fields = 0
        self._fields_bytes = 0
        self._head_is_timed = False
        self._closing = False
        self._is_lost = False
        self._receiving = False
        self._unaccounted = 0
        self._lingering = False
        self._has_begun = False
        self._streamed: ApiRequest | None = None
        self._answered_early = False

    def connectionMade(self) -> None:
        # Each request asks, and the transport would ask the system and look up interfaces.
        self._peer: IAddress = super().getPeer()
        self._host: IAddress = super().getHost()
        self._is_secure: bool = super().isSecure()
        super().connectionMade()
        self.site.connections.opened(self)

    def getPeer(self) -> IAddress:
        return self._peer

    def getHost(self) -> IAddress:
        return self._host

    def isSecure(self) -> bool:
        return self._is_secure

    def connectionLost(self, reason: Failure) -> None:  # type: ignore[override]
        self._is_lost = True
        super().connectionLost(reason)
        self.site.channel_lost(self)

    def dataReceived(self, data: bytes) -> None:
        if self._lingering:
            self._unaccounted += len(data)
            if self._unaccounted > LINGER_BYTES:
                self.forceAbortClient()
            return
        has_begun, self._has_begun = self._has_begun, True
        if not has_begun and looks_like_tls(data):
            self._linger()
            self.write(TLS_TO_PLAIN)
            return
        self._unaccounted += len(data)
        has_progressed = self._unaccounted >= PROGRESS and not self._head_is_timed
        if has_progressed or not self._receiving:
            self._receiving = True
            self._unaccounted = 0
            self.resetTimeout()
        # Not HTTPChannel's, which would give each single byte a new timeout.
        super(HTTPChannel, self).dataReceived(data)
        if not self._head_is_timed and self._has_part_of_a_head():
            self._head_is_timed = True
            self.setTimeout(self.site.header_timeout)

    def _has_part_of_a_head(self) -> bool:
        if not self.line_mode or self._handlingRequest or self._lingering or self._is_lost:
            return False
        return bool(self._buffer or self.requests)

    def lineReceived(self, line: bytes) -> None:
        if self._lingering:
            return
        if not self.requests:
            self._fields = self._fields_bytes = 0
        elif line:
            self._fields += 1
            self._fields_bytes += len(line)
            if self._fields > FIELDS_MAX:
                self._refuse_head(431, f"more than {FIELDS_MAX} header fields")
                return
            if self._fields_bytes > FIELDS_BYTES:
                self._refuse_head(431, f"header fields of more than {FIELDS_BYTES} bytes together")
                return
        super().lineReceived(line)

    def headerReceived(self, line: bytes) -> bool:
        # A field may go over several lines (RFC 9112 §5.2), each short enough.
        if len(line) > LINE_BYTES:
            self._refuse_field()
            return False
        return bool(super().headerReceived(line))

    def lineLengthExceeded(self, line: bytes) -> None:
        if self.requests:
            self._refuse_field()
        else:
            self._refuse_head(414, f"a request line of more than {LINE_BYTES} bytes")

    def _refuse_field(self) -> None:
        self._refuse_head(431, f"a header field of more than {LINE_BYTES} bytes")

    def _refuse_head(self, code: int, description: str) -> None:
        """Answer a request whose head is not read to its end."""
        self.clearLineBuffer()
        self._linger()
        body = told(code, description).body
        self.write(REFUSED_HEAD % (code, HTTPStatus(code).phrase.encode(), len(body), body))

    def allHeadersReceived(self) -> None:
        if self._head_is_timed:
            self._head_is_timed = False
            self.setTimeout(self.site.timeOut)
        if self.length != 0 and self.site.streams_body(self._command, self._path):
            self._begin_streamed()
        elif self.length is not None and self.length > self.site.max_body:
            self.refuse_body()
        else:
            super().allHeadersReceived()

    def _begin_streamed(self) -> None:
        request: ApiRequest = self.requests[-1]
        self.site.connections.arrived(self)
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
        if streamed is None:
            self.site.connections.arrived(self)
        super().allContentReceived()
        if streamed is not None and self._answered_early:
            self._answered_early = False
            self._has_answered(streamed)

    def requestDone(self, request: ApiRequest) -> None:
        if request is self._streamed and not self._lingering:
            # Its body is not at its end yet, and what follows is the next request.
            self._answered_early = True
        else:
            self._has_answered(request)

    def _has_answered(self, request: ApiRequest) -> None:
        self.site.connections.waits(self)
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

    def refuse_body(self) -> None:
        """Answer that the body is too large, and read no more of it."""
        self._answer_and_linger(413, f"a body may have {self.site.max_body} bytes at most")

    def setTimeout(self, period: float | None) -> float | None:
        if period is None and not self._is_lost:
            # The timer stays, for the next request needs one: it finds that there is no timeout.
            before, self.timeOut = self.timeOut, None
            return before
        told: float | None = super().setTimeout(period)
        return told

    def timeoutConnection(self) -> None:
        if self.timeOut is None:
            return
        if self._lingering or self._answered_early or self._closing:
            self.forceAbortClient()
        elif self._streamed is not None:
            self._streamed.body_fails(IncompleteBody("the body stopped coming before its end"))
        elif self._receiving and self.requests:
            self._answer_and_linger(408, "the request took too long to arrive")
        else:
            self.loseConnection()

    def forceAbortClient(self) -> None:
        # Not HTTPChannel's, which tells the log of each: strangers could fill it.
        self._abortingCall = None
        self.transport.abortConnection()  # type: ignore[union-attr]

    def end(self) -> None:
        """Close the connection as soon as no request is under way."""
        self.persistent = False
        if not self.requests:
            self.loseConnection()

    def loseConnection(self) -> None:
        self._receiving = False
        if not self._lingering and not self._is_lost:
            # Who does not read the last answer would keep it open for ever.
            self._closing = True
            self.setTimeout(self.site.timeOut)
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
