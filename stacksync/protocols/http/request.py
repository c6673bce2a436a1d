"""One HTTP request, from its first header to its answer.

Extends twisted.web's request by what the resources need: the variable parts
of the path, one way to answer, and cancelling the work when the client goes.
"""

from __future__ import annotations

from io import BytesIO
from typing import TYPE_CHECKING, Any

from twisted.internet.defer import Deferred
from twisted.python.failure import Failure
from twisted.web import server
from twisted.web.http import RESPONSES

from stacksync.protocols.http.answer import PIECE, Answer, PacedBody

if TYPE_CHECKING:
    from stacksync.protocols.http.channel import ApiChannel
    from stacksync.protocols.http.site import ApiSite

SERVER_NAME = [b"StackSync"]
JSON = [b"application/json"]
NO_STORE = [b"no-store"]


class ApiRequest(server.Request):
    """A request to the API.

    :ivar segments: the variable parts of the path, percent-decoded, by name
        (``{"workspace": b"1b4e…"}``).
    :ivar work: what computes the answer.
    """

    site: ApiSite
    channel: ApiChannel
    content: BytesIO
    work: Deferred[None] | None = None

    def __init__(self, channel: ApiChannel, *args: Any, **options: Any) -> None:
        super().__init__(channel, *args, **options)
        self.segments: dict[str, bytes] = {}
        self._in_flight = channel.site.in_flight

    @property
    def gone(self) -> bool:
        """Whether the client has hung up."""
        return self._disconnected

    @property
    def peer(self) -> str:
        """The address that the request came from; ``local`` for a UNIX socket."""
        return getattr(self.client, "host", "local")

    @property
    def summary(self) -> str:
        """Method and path, without the query, which may hold what should not be kept."""
        return f"{self.method.decode('latin-1')} {self.location}"

    @property
    def location(self) -> str:
        """The path, as it was sent."""
        return self.path.decode("latin-1")

    def gotLength(self, length: int | None) -> None:
        # Bodies are bounded (see channel), and wanted in memory in one piece anyway.
        self.content = BytesIO()

    def handleContentChunk(self, data: bytes) -> None:
        if self.finished:
            # Refused already: what the decoder has at hand still comes this way.
            return
        if self.content.tell() + len(data) > self.channel.site.max_body:
            self.channel.refuse_body()
        else:
            self.content.write(data)

    def connectionLost(self, reason: Failure) -> None:
        super().connectionLost(reason)
        self._in_flight.ended(self)
        if self.work is not None:
            self.work.cancel()

    def begin(self) -> None:
        """The time for the answer runs from now."""
        self._in_flight.began(self)

    def take_over(self) -> None:
        """The answer has no end: it is under no time limit any more."""
        self._in_flight.ended(self)

    def finish(self) -> None:
        self._in_flight.ended(self)
        super().finish()

    def time_out(self) -> None:
        """The time for the answer is over: say so, or hang up where it has begun."""
        if self.startedWriting or self.work is None or self.work.called:
            self.abort()
        else:
            self.work.cancel()

    def abort(self) -> None:
        """Drop the connection at once."""
        if self.channel is not None:
            self.channel.forceAbortClient()

    def send(self, answer: Answer) -> None:
        """Answer; a large body goes at the client's pace.  Nothing may be written after it."""
        body = answer.body
        headers = self.responseHeaders
        self.code = answer.code
        self.code_message = RESPONSES.get(answer.code, b"")
        headers.setRawHeaders(b"Server", SERVER_NAME)
        headers.setRawHeaders(b"Content-Type", JSON)
        headers.setRawHeaders(b"Cache-Control", NO_STORE)
        headers.setRawHeaders(b"Content-Length", [b"%d" % len(body)])
        for name, value in answer.headers:
            headers.setRawHeaders(name, [value])
        if len(body) > PIECE and self.method != b"HEAD":
            paced = PacedBody(self, body, self._in_flight.progressed)
            self.registerProducer(paced, True)
            paced.resumeProducing()
        else:
            self.write(body)
            self.finish()
