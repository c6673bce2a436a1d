"""One HTTP request, from its first header to its answer.

Extends twisted.web's request by what the resources need: the variable parts
of the path, the body as a stream, one way to answer, and cancelling the work
when the client goes.
"""

from __future__ import annotations

from io import BytesIO
from typing import TYPE_CHECKING, Any

from twisted.internet.defer import Deferred
from twisted.python.failure import Failure
from twisted.web import server
from twisted.web.http import NO_BODY_CODES

from stacksync.errors import IncompleteBody
from stacksync.interfaces import IByteStream
from stacksync.protocols.http.answer import (
    PIECE,
    Answer,
    Headers,
    PacedBody,
    StreamedAnswer,
    StreamPump,
)
from stacksync.protocols.http.content.body_stream import BodyStream
from stacksync.protocols.http.edge.proxies import LOCAL, Client, external_host
from stacksync.protocols.http.head import head_of
from stacksync.streams import BytesStream

if TYPE_CHECKING:
    from stacksync.model import Principal
    from stacksync.protocols.http.edge.channel import ApiChannel
    from stacksync.protocols.http.site import ApiSite

JSON_TYPE = (b"Content-Type", b"application/json")


class ApiRequest(server.Request):
    """A request to the API.

    :ivar segments: the variable parts of the path, percent-decoded, by name
        (``{"workspace": b"1b4e…"}``).
    :ivar work: what computes the answer.
    :ivar body_length: bytes of the body, ``None`` if the client doesn't say
        (chunked); of a streamed one only.
    """

    site: ApiSite
    channel: ApiChannel
    content: BytesIO
    work: Deferred[None] | None = None
    # It says the same as twisted.web's, without being Python.
    __hash__ = object.__hash__

    def __init__(self, channel: ApiChannel, *args: Any, **options: Any) -> None:
        super().__init__(channel, *args, **options)
        self.segments: dict[str, bytes] = {}
        self.body_length: int | None = 0
        self._in_flight = channel.site.in_flight
        self._proxies = channel.site.proxies
        self._is_tls = channel.isSecure()
        self._other_end: Client | None = None
        self._counted_for: Principal | None = None
        self._stream: BodyStream | None = None
        self._put_back: bytes | None = None
        self._begun = False
        self._expects_continue = False

    @property
    def gone(self) -> bool:
        """Whether the client has hung up."""
        return self._disconnected

    @property
    def peer(self) -> str:
        """The client's address, as our own proxies tell it; ``local`` for a UNIX socket."""
        return self._client_side.address

    @property
    def is_secure(self) -> bool:
        """Whether the client speaks TLS, with us or with a proxy of ours."""
        return self._client_side.is_secure

    @property
    def is_secure_for_secrets(self) -> bool:
        """Whether nobody on the way can read it: TLS, or from this very machine."""
        return self._client_side.is_secure_for_secrets

    @property
    def external_url(self) -> str:
        """Scheme, host and port by which the client found us: ``https://cloud.example.org``."""
        scheme = "https" if self.is_secure else "http"
        return f"{scheme}://{external_host(self.requestHeaders, getattr(self, 'host', None))}"

    @property
    def _client_side(self) -> Client:
        if self._other_end is None:
            # Before the request is there as a whole, only the channel knows.
            address = getattr(self, "client", None) or self.channel.getPeer()
            peer = getattr(address, "host", LOCAL)
            self._other_end = self._proxies.client_of(peer, self._is_tls, self.requestHeaders)
        return self._other_end

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

    def stream_body(self, length: int | None, version: bytes) -> None:
        """The body is for :attr:`body`, not for :attr:`content`."""
        self._stream = BodyStream(self)
        self.body_length = length
        expected = self.requestHeaders.getRawHeaders(b"Expect", ())
        self._expects_continue = version == b"HTTP/1.1" and b"100-continue" in [
            value.lower() for value in expected
        ]

    @property
    def is_streamed(self) -> bool:
        """Whether the body is taken while it arrives, and is not in :attr:`content`."""
        return self._stream is not None

    @property
    def is_coming(self) -> bool:
        """Whether there is still to come of the body, which is taken while it arrives."""
        return self._stream is not None and not self._stream.complete

    @property
    def body(self) -> IByteStream:
        """The body, to be read once."""
        if self._put_back is not None:
            return BytesStream(self._put_back)
        return self._stream or BytesStream(self.content.getvalue())

    def put_back(self, body: bytes) -> None:
        """Let a streamed body that was read to its end be read once more."""
        self._put_back = body

    def requestReceived(self, command: bytes, path: bytes, version: bytes) -> None:
        if self._stream is None or not self._begun:
            self._begun = True
            super().requestReceived(command, path, version)
        elif not self.finished:
            # The channel says it a second time, when the body is at its end.
            self._in_flight.progressed(self)
            self._stream.end()

    def process(self) -> None:
        if self.path == b"*":
            super().process()
            return
        self.site = self.channel.site
        resource, self.segments = self.site.resource.find(self.path[1:])
        resource.render(self)

    def handleContentChunk(self, data: bytes) -> None:
        if self.finished:
            # Refused already: what the decoder has at hand still comes this way.
            return
        if self._stream is not None:
            self._stream.feed(data)
        elif self.content.tell() + len(data) > self.channel.site.max_body:
            self.channel.refuse_body()
        else:
            self.content.write(data)
            self.channel.site.connections.holds(self.channel, len(data))

    def connectionLost(self, reason: Failure) -> None:
        super().connectionLost(reason)
        self._has_ended()
        if self._stream is not None and not self._stream.complete:
            # Not cancelled: whoever takes the body may want to keep what has come.
            self._stream.fail(IncompleteBody("the client hung up before the end of the body"))
        elif self.work is not None:
            self.work.cancel()

    def body_wanted(self) -> None:
        """See :class:`~stacksync.protocols.http.content.body_stream.BodySource`.

        From now on the channel sees to it that the client does not stop.
        """
        self._in_flight.ended(self)
        if self._expects_continue and not self.gone:
            self._expects_continue = False
            self.channel._send100Continue()

    def body_pauses(self) -> None:
        if not self.gone and not self.finished:
            self.channel.pause_reading()

    def body_resumes(self) -> None:
        if not self.gone and not self.finished:
            self.channel.resume_reading()

    def body_fails(self, error: Exception) -> None:
        """The rest of the body will not come."""
        if self._stream is not None:
            self._stream.fail(error)

    def begin(self) -> None:
        """The time for the answer runs from now."""
        self._in_flight.began(self)

    def take_over(self) -> None:
        """The answer has no end: it is under no time limit any more."""
        self._in_flight.ended(self)

    def count_for(self, principal: Principal) -> None:
        """:raises TooManyRequests: as many of this account's are under way as may be."""
        self.site.allowance.begin(principal)
        self._counted_for = principal

    def finish(self) -> None:
        self._has_ended()
        super().finish()

    def _has_ended(self) -> None:
        self._in_flight.ended(self)
        if self._counted_for is not None:
            self.site.allowance.end(self._counted_for)
            self._counted_for = None

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
        headers = (JSON_TYPE, *answer.headers)
        if len(body) > PIECE and self.method != b"HEAD":
            self._begin_answer(answer.code, len(body), headers)
            paced = PacedBody(self, body, self._in_flight.progressed)
            self.registerProducer(paced, True)
            paced.resumeProducing()
        else:
            self._begin_answer(answer.code, len(body), headers, body)
            self.finish()

    async def send_streamed(self, answer: StreamedAnswer) -> None:
        """Answer with what a stream gives, at the client's pace.

        A stream that fails or has another length drops the connection: the
        client must not take part of the content for all of it.
        """
        try:
            self._begin_answer(answer.code, answer.length, answer.headers)
            if answer.stream is not None and self.method != b"HEAD":
                await StreamPump(self, self._in_flight.progressed).send(answer)
        except BaseException:
            self.abort()
            raise
        finally:
            if answer.stream is not None:
                await answer.stream.close()
        if not self.gone:
            self.finish()

    def _begin_answer(self, code: int, length: int, more: Headers, body: bytes = b"") -> None:
        """Write the head, and in one piece with it a body that is short, if there may be one."""
        if self._stream is not None and not self._stream.complete:
            may_come = not self._expects_continue and not self._stream.has_failed
            known = self.body_length is not None and may_come
            rest = (self.body_length or 0) - self._stream.received if known else None
            # Work that goes on regardless must not wait for more of it, nor a
            # client that was made to wait for its reader.
            self._stream.fail(IncompleteBody("it was answered before the end of the body"))
            self._stream.drop()
            self.channel.answers_early(self, rest)
        self.code = code
        self.startedWriting = 1
        if self.method == b"HEAD" or code in NO_BODY_CODES:
            body = b""
        self.sentLength = len(body)
        if not self.gone:
            self.channel.write(head_of(self, code, length, more) + body)
