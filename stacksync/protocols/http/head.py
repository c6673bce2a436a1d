"""The head of an answer: its status and headers, as the bytes that go in front of the body.

Made in one piece: twisted.web writes a head in several pieces for each header.
What the answer is about is not known here, and nothing is sent.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from twisted.web.http import NO_BODY_CODES, RESPONSES, datetimeToString

from stacksync.protocols.http.edge.html_headers import NOSNIFF

if TYPE_CHECKING:
    from stacksync.protocols.http.answer import Headers
    from stacksync.protocols.http.request import ApiRequest

COMMON: Headers = ((b"Server", b"StackSync"), (b"Cache-Control", b"no-store"), NOSNIFF)


def common_headers(request: ApiRequest) -> dict[bytes, bytes]:
    """What goes with every answer, unless it says otherwise itself."""
    site = request.site
    headers = dict(COMMON)
    headers[b"Date"] = datetimeToString()
    headers.update(site.cross_origin.headers(request))
    # RFC 6797, section 7.2: never without TLS.
    if site.hsts and request.is_secure:
        headers[b"Strict-Transport-Security"] = site.hsts
    return headers


def head_of(request: ApiRequest, code: int, length: int, more: Headers) -> bytes:
    """Status line, headers and the empty line after them (RFC 9112, sections 4 and 5).

    :param length: what ``Content-Length`` says, where there may be one.
    :param more: headers, instead of others where they have the same names.
    """
    headers = common_headers(request)
    for name, values in request.responseHeaders.getAllRawHeaders():
        headers[name] = b", ".join(values)
    if code not in NO_BODY_CODES:
        headers[b"Content-Length"] = b"%d" % length
    headers.update(more)
    status = b"%b %d %b\r\n" % (request.clientproto, code, RESPONSES.get(code, b""))
    # No value may begin a line of its own, whoever it comes from.
    lines = [
        b"%b: %b\r\n" % (name, b" ".join(value.splitlines())) for name, value in headers.items()
    ]
    return b"".join((status, *lines, b"\r\n"))
