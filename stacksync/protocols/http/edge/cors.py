"""Which web pages may use the API from a browser (Fetch standard, CORS).

Pages sign in as any client does, with ``Authorization``: the browser is never
told to add what it knows of the user, and never that any page may.  Without
settings nothing of this is said at all.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from http import HTTPStatus
from typing import TYPE_CHECKING

from stacksync.protocols.http.answer import Headers, StreamedAnswer

if TYPE_CHECKING:
    from stacksync.protocols.http.request import ApiRequest

REQUEST_HEADERS = (
    *("Authorization", "Content-Type", "Content-Disposition", "If-Match", "If-None-Match"),
    *("If-Modified-Since", "If-Range", "Range", "Idempotency-Key", "X-Auth-Token"),
    *("StackSync-API", "X-StackSync-API", "StackSync-Device", "Last-Event-ID"),
    *("Tus-Resumable", "Upload-Length", "Upload-Metadata", "Upload-Offset", "Upload-Checksum"),
    *("Upload-Defer-Length", "X-HTTP-Method-Override"),
)
"""What a page may send that a form could not."""

ANSWER_HEADERS = (
    *("ETag", "Location", "Link", "Last-Modified", "Content-Disposition", "Content-Length"),
    *("Content-Range", "Accept-Ranges", "Retry-After", "WWW-Authenticate", "Allow"),
    *("Tus-Resumable", "Tus-Version", "Tus-Extension", "Tus-Max-Size", "Tus-Checksum-Algorithm"),
    *("Upload-Offset", "Upload-Length", "Upload-Metadata", "Upload-Expires"),
    *("Upload-Defer-Length", "Content-Location", "StackSync-File"),
)
"""What a page may read besides the few headers that browsers always show."""

REMEMBERED = b"600"
"""Seconds for which a browser need not ask again."""

VARIES = (b"Vary", b"Origin")


class CrossOrigin:
    """What the browser is told of pages of these origins.

    :param origins: ``https://app.example.org``; none: nothing is ever told.
    """

    def __init__(self, origins: Sequence[str] = ()) -> None:
        self._origins = frozenset(origin.encode("ascii") for origin in origins)

    def lets_in(self, request: ApiRequest) -> bool:
        """Whether a page that may use the API is behind this."""
        return self._origin(request) is not None

    def is_preflight(self, request: ApiRequest) -> bool:
        """Whether a browser asks beforehand what such a page may send."""
        return (
            request.method == b"OPTIONS"
            and request.requestHeaders.hasHeader(b"Access-Control-Request-Method")
            and self.lets_in(request)
        )

    def preflight(self, methods: Iterable[bytes]) -> StreamedAnswer:
        """The answer to that; :meth:`headers` has the rest of it.

        :param methods: what may be asked of the resource.
        """
        allowed = b", ".join(sorted(methods))
        return StreamedAnswer(
            None,
            0,
            HTTPStatus.NO_CONTENT,
            (
                (b"Allow", allowed),
                (b"Access-Control-Allow-Methods", allowed),
                (b"Access-Control-Allow-Headers", ", ".join(REQUEST_HEADERS).encode()),
                (b"Access-Control-Max-Age", REMEMBERED),
            ),
        )

    def headers(self, request: ApiRequest) -> Headers:
        """What goes with every answer."""
        if not self._origins:
            return ()
        origin = self._origin(request)
        if origin is None:
            return (VARIES,)
        return (
            VARIES,
            (b"Access-Control-Allow-Origin", origin),
            (b"Access-Control-Expose-Headers", ", ".join(ANSWER_HEADERS).encode()),
        )

    def _origin(self, request: ApiRequest) -> bytes | None:
        told = request.requestHeaders.getRawHeaders(b"Origin")
        return told[0] if told is not None and len(told) == 1 and told[0] in self._origins else None
