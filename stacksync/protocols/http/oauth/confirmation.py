"""Proof that a form comes from a page that this browser was shown for this very request.

The page sets a cookie that no script can read and no foreign page makes the
browser send, and holds what follows from it; both have to come back.  Nothing
is kept here, so any instance may answer.
"""

from __future__ import annotations

import hmac
import secrets
from hashlib import sha256
from typing import TYPE_CHECKING

from stacksync.errors import Forbidden
from stacksync.protocols.http.answer import Headers

if TYPE_CHECKING:
    from stacksync.protocols.http.request import ApiRequest

LASTS = 86400
"""Seconds that a browser keeps the cookie; the request for access expires earlier."""


def cookie_name(request_key: str) -> str:
    """One for each request for access, so that two pages in two tabs do not meet."""
    return f"stacksync_oauth_{sha256(request_key.encode()).hexdigest()[:16]}"


def new_confirmation(request: ApiRequest, request_key: str) -> tuple[str, Headers]:
    """What the form is to hold, and the headers that set the cookie."""
    value = secrets.token_urlsafe(24)
    # Without Path: what is sent is sent to this directory, whatever a proxy calls it.
    cookie = f"{cookie_name(request_key)}={value}; Max-Age={LASTS}; HttpOnly; SameSite=Strict"
    if request.is_secure:
        cookie += "; Secure"
    return confirmation_of(value, request_key), ((b"Set-Cookie", cookie.encode("ascii")),)


def check_confirmation(request: ApiRequest, request_key: str, told: str) -> None:
    """:raises Forbidden: the form is not from a page that this browser was shown."""
    cookie = request.getCookie(cookie_name(request_key).encode("ascii"))
    if cookie is None:
        raise Forbidden(
            "this browser has not sent back the cookie of the page; allow cookies for this site,"
            " and load the page again"
        )
    expected = confirmation_of(cookie.decode("latin-1"), request_key)
    if not hmac.compare_digest(expected.encode(), told.encode("utf-8", "replace")):
        raise Forbidden("this form does not belong to the page; load the page again")


def confirmation_of(value: str, request_key: str) -> str:
    return hmac.new(value.encode(), request_key.encode(), sha256).hexdigest()
