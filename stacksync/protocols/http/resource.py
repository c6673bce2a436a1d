"""What every resource of the API does alike.

Looks for the handler of the method, asks who is there, runs the handler as a
coroutine and sends what comes of it, an answer or an error.  Resources add
handlers; they hold no state of a request, so one tree serves all of them.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import unquote_to_bytes

from twisted.internet.defer import CancelledError, Deferred
from twisted.logger import Logger
from twisted.web.resource import Resource
from twisted.web.server import NOT_DONE_YET

from stacksync.engine.access import check_scope
from stacksync.errors import StackSyncError
from stacksync.protocols.http.answer import StreamedAnswer
from stacksync.protocols.http.errors import Refusal, error_answer, told
from stacksync.protocols.http.sign_in import acting, signed_in

if TYPE_CHECKING:
    from stacksync.interfaces import IAuthenticator
    from stacksync.model import Principal
    from stacksync.protocols.http.answer import Answer
    from stacksync.protocols.http.request import ApiRequest

Handler = Callable[..., Awaitable["Answer | StreamedAnswer | None"]]

READING = frozenset([b"GET", b"HEAD"])

VERSION_HEADERS = (b"StackSync-API", b"X-StackSync-API")
VERSION = b"v2"


class JSONResource(Resource):
    """A resource that anybody may use.

    A handler takes the request and returns an answer, or ``None`` where it
    sees to the rest itself (event streams).

    :param handlers: by method; ``GET`` answers ``HEAD`` too.
    :cvar streamed_methods: those whose handlers take the body while it
        arrives, from :attr:`ApiRequest.body <...request.ApiRequest.body>`.
    :cvar is_rated: whether requests count among those that an address may make.
    :ivar variable: name and resource of the path segment below that may be anything.
    """

    streamed_methods: frozenset[bytes] = frozenset()
    is_rated = True
    _log = Logger()

    def __init__(self, handlers: Mapping[bytes, Handler]) -> None:
        super().__init__()
        self.variable: tuple[str, JSONResource] | None = None
        self._handlers = dict(handlers)
        if b"GET" in self._handlers:
            self._handlers[b"HEAD"] = self._handlers[b"GET"]

    @property
    def methods(self) -> frozenset[bytes]:
        """What may be asked of this resource."""
        return frozenset(self._handlers)

    def put_variable(self, name: str, resource: JSONResource) -> None:
        """Hang a resource under every path segment that nothing else is under.

        :param name: under which the segment is found in the request's ``segments``.
        """
        self.variable = (name, resource)

    def find(self, path: bytes) -> tuple[JSONResource, dict[str, bytes]]:
        """The resource that stands under a path, and the path's variable parts by their names.

        :param path: percent-encoded, without a slash in front.
        """
        found = self
        variables: dict[str, bytes] = {}
        segments = path.split(b"/")
        for segment in map(unquote_to_bytes, segments) if b"%" in path else segments:
            child: JSONResource | None = found.children.get(segment)
            if child is not None:
                found = child
            elif found.variable is not None and segment:
                name, found = found.variable
                variables[name] = segment
            else:
                return UNKNOWN, {}
        return found, variables

    def render(self, request: ApiRequest) -> int:
        request.begin()
        request.work = Deferred.fromCoroutine(self._respond(request))
        return NOT_DONE_YET

    async def _respond(self, request: ApiRequest) -> None:
        answer: Answer | StreamedAnswer | None
        try:
            if self.is_rated:
                request.site.allowance.request_from(request.peer)
            handler = self._handlers.get(request.method)
            if not self._handlers:
                raise nothing_at(request)
            if request.site.cross_origin.is_preflight(request):
                # Before signing in: the browser asks by itself, without credentials.
                answer = request.site.cross_origin.preflight(self.methods)
            elif handler is None:
                raise self._wrong_method(request)
            else:
                answer = await self._run(handler, request)
        except CancelledError:
            answer = told(
                HTTPStatus.SERVICE_UNAVAILABLE,
                "this took too long; what was asked may still be carried out",
                ((b"Retry-After", b"1"),),
            )
        except Exception as error:
            answer = self._error_answer(error, request)
        if request.gone:
            if isinstance(answer, StreamedAnswer) and answer.stream is not None:
                await answer.stream.close()
        elif isinstance(answer, StreamedAnswer):
            await self._stream(request, answer)
        elif answer is not None:
            request.send(answer)

    def _error_answer(self, error: Exception, request: ApiRequest) -> Answer:
        """What the client is told of an error."""
        return error_answer(error, request.summary, self._log)

    async def _stream(self, request: ApiRequest, answer: StreamedAnswer) -> None:
        try:
            await request.send_streamed(answer)
        except CancelledError:
            # The client has gone, or does not take what it asked for.
            pass
        except StackSyncError as error:
            self._log.error(
                "{request} was broken off: {problem}", request=request.summary, problem=str(error)
            )
        except Exception:
            self._log.failure("{request} was broken off", request=request.summary)

    async def _run(self, handler: Handler, request: ApiRequest) -> Answer | StreamedAnswer | None:
        return await handler(request)

    def _wrong_method(self, request: ApiRequest) -> Refusal:
        allowed = b", ".join(sorted(self._handlers))
        return Refusal(
            HTTPStatus.METHOD_NOT_ALLOWED,
            f"{request.summary}: allowed here: {allowed.decode()}",
            ((b"Allow", allowed),),
        )


class ApiResource(JSONResource):
    """A resource for those who have signed in.

    A handler takes the request and the principal.

    :cvar unscoped_methods: those that a token may use which is for reading alone.
    """

    unscoped_methods = READING

    def __init__(self, authenticator: IAuthenticator, handlers: Mapping[bytes, Handler]) -> None:
        super().__init__(handlers)
        self._authenticator = authenticator

    async def _run(self, handler: Handler, request: ApiRequest) -> Answer | StreamedAnswer | None:
        check_version(request)
        principal = acting(request, await signed_in(request, self._authenticator))
        if request.method not in self.unscoped_methods:
            check_scope(principal)
        site = request.site
        site.allowance.request_of(principal)
        if not request.gone:
            request.count_for(principal)
            site.connections.works(request.channel)
        if principal.device_id is not None:
            await site.check_device(principal)
        if request.method in self.streamed_methods:
            with site.allowance.body_of(principal.account_id):
                site.transfers.begin(request, principal)
                return await self._handle(handler, request, principal)
        answer = await self._handle(handler, request, principal)
        if isinstance(answer, StreamedAnswer) and answer.stream is not None:
            site.transfers.begin(request, principal)
        return answer

    async def _handle(
        self, handler: Handler, request: ApiRequest, principal: Principal
    ) -> Answer | StreamedAnswer | None:
        return await handler(request, principal)


class UnknownResource(JSONResource):
    """Whatever stands nowhere in the tree."""

    def __init__(self) -> None:
        super().__init__({})


UNKNOWN = UnknownResource()


def nothing_at(request: ApiRequest) -> Refusal:
    return Refusal(HTTPStatus.NOT_FOUND, f"there is nothing at {request.location}")


def check_version(request: ApiRequest) -> None:
    """Refuse a request that means another version of the API (contracts/rest.md)."""
    headers = request.requestHeaders
    for name in VERSION_HEADERS:
        values = headers.getRawHeaders(name)
        if values is not None and values != [VERSION]:
            raise Refusal(
                HTTPStatus.BAD_REQUEST, f"{name.decode()}: this is version v2 of the API, no other"
            )
