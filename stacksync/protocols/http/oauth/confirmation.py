"""Proof that a form comes from a page that this browser was shown for this very purpose.

The page sets a cookie that no script can read and no foreign page makes the
browser send, and holds what follows from it; both have to come back.  Nothing
is kept here, so any instance may answer.
"""

from __future__ import annotations

import hmac
import re
import secrets
from hashlib import sha256
from typing import TYPE_CHECKING

from stacksync.errors import Forbidden
from stacksync.protocols.http.answer import Headers

if TYPE_CHECKING:
    from stacksync.protocols.http.request import ApiRequest

LASTS = 86400
"""Seconds that a browser keeps the cookie; a request for access expires earlier."""

VALUE_BYTES = 24
VALUE = re.compile(rb"[A-Za-z0-9_-]{32}")


def cookie_name(purpose: str) -> str:
    """One for each purpose, so that two pages in two tabs do not meet."""
    return f"stacksync_oauth_{sha256(purpose.encode()).hexdigest()[:16]}"


def new_confirmation(request: ApiRequest, purpose: str) -> tuple[str, Headers]:
    """What the form is to hold, and the headers that set the cookie.

    :param purpose: what the page is for: the key of a request for access, or a word of ours.
    """
    name = cookie_name(purpose)
    # What the browser has stays, or the same page in another tab could not be sent any more.
    known = request.getCookie(name.encode("ascii"))
    if known is not None and VALUE.fullmatch(known):
        value = known.decode("ascii")
    else:
        value = secrets.token_urlsafe(VALUE_BYTES)
    # Without Path: what is sent is sent to this directory, whatever a proxy calls it.
    cookie = f"{name}={value}; Max-Age={LASTS}; HttpOnly; SameSite=Strict"
    if request.is_secure:
        cookie += "; Secure"
    return confirmation_of(value, purpose), ((b"Set-Cookie", cookie.encode("ascii")),)


def check_confirmation(request: ApiRequest, purpose: str, told: str) -> None:
    """:raises Forbidden: the form is not from a page that this browser was shown."""
    cookie = request.getCookie(cookie_name(purpose).encode("ascii"))
    if cookie is None:
        raise Forbidden(
            "this browser has not sent back the cookie of the page; allow cookies for this site,"
            " and load the page again"
        )
    expected = confirmation_of(cookie.decode("latin-1"), purpose)
    if not hmac.compare_digest(expected.encode(), told.encode("utf-8", "replace")):
        raise Forbidden("this form does not belong to the page; load the page again")


def confirmation_of(value: str, purpose: str) -> str:
    return hmac.new(value.encode(), purpose.encode(), sha256).hexdigest()
