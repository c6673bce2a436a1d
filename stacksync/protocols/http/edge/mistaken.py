"""Answers to who speaks TLS where there is none, or none where it has to be."""

from __future__ import annotations

from http import HTTPStatus

from stacksync.protocols.http.errors import told


def _refusal(description: str) -> bytes:
    body = told(HTTPStatus.BAD_REQUEST, description).body
    return (
        b"HTTP/1.1 400 Bad Request\r\n"
        b"Server: StackSync\r\n"
        b"Connection: close\r\n"
        b"Content-Type: application/json\r\n"
        b"Content-Length: %d\r\n\r\n%s" % (len(body), body)
    )


PLAIN_TO_TLS = _refusal("this port speaks TLS: https://")
TLS_TO_PLAIN = _refusal("this port does not speak TLS: http://")
"""A client that expects TLS shows at best that this is none."""
