"""Where an application may send people back to, with the verifier of what they have allowed.

Whoever gets the verifier may act for the person, so an application says once,
to the operator, where that is (RFC 5849, section 4.7).
"""

from __future__ import annotations

import re
from urllib.parse import SplitResult, urlsplit

from stacksync.errors import InvalidRequest

OUT_OF_BAND = "oob"
"""Nowhere: the person is shown the verifier and types it (RFC 5849, section 2.1)."""

CHARACTERS = 2000
DEFAULT_PORTS = {"http": 80, "https": 443}

_URL = re.compile(r"[!#-;=?-\[\]_a-z~]+")
"""What RFC 3986 lets stand in a URL: no blanks, quotes, angle brackets, braces or backslashes."""

_HOST = re.compile(r"(?:\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(?::[0-9]{1,5})?")


def check_registered(callback: str) -> None:
    """Check what the operator says where an application may send people.

    :raises InvalidRequest: it is no absolute URL that a browser goes to.
    """
    try:
        _split(callback)
    except InvalidRequest as error:
        # The operator has written no parameter of OAuth's.
        raise InvalidRequest("callback", error.problem) from None


def check_asked(registered: str | None, asked: str) -> None:
    """Check where an application wants to send one person now.

    Scheme, host, port and path have to be those of the registered URL.  The
    query is the application's own, in which it finds its way: it may be
    another one each time.

    :param registered: ``None``: the application has no place of its own.
    :raises InvalidRequest: it may not send anybody there.
    """
    if registered is None:
        if asked != OUT_OF_BAND:
            raise InvalidRequest(
                "oauth_callback",
                "must be oob: no URL is registered for this application, so the person types"
                " the verifier",
            )
        return
    if asked == OUT_OF_BAND:
        raise InvalidRequest(
            "oauth_callback", "must be the URL that is registered for this application, not oob"
        )
    if _place(_split(asked)) != _place(_split(registered)):
        raise InvalidRequest(
            "oauth_callback",
            "scheme, host, port and path must be those of the URL that is registered for this"
            " application",
        )


def _split(url: str) -> SplitResult:
    if len(url) > CHARACTERS:
        raise InvalidRequest("oauth_callback", f"has more than {CHARACTERS} characters")
    if not _URL.fullmatch(url) or "#" in url:
        raise InvalidRequest(
            "oauth_callback",
            "must be a URL in ASCII, percent-encoded, without a fragment (#)",
        )
    try:
        parts = urlsplit(url)
        parts.port  # noqa: B018, the property is what checks it
    except ValueError:
        raise InvalidRequest("oauth_callback", "host and port can't be told from it") from None
    if parts.scheme in DEFAULT_PORTS:
        if not _HOST.fullmatch(parts.netloc):
            raise InvalidRequest("oauth_callback", "needs a host, and no user before it")
    elif "." not in parts.scheme or "@" in parts.netloc:
        # RFC 8252, section 7.1.  Others mean something to the browser: javascript, data, file.
        raise InvalidRequest(
            "oauth_callback",
            "must be an http or https URL, or have a scheme of the application's own with its"
            " domain in it (org.example.app:/done)",
        )
    return parts


def _place(parts: SplitResult) -> tuple[str, str | None, int | None, str]:
    port = parts.port or DEFAULT_PORTS.get(parts.scheme)
    return parts.scheme, parts.hostname, port, parts.path or "/"
