"""What an HTML page of ours tells the browser, so that nobody can make anything else of it.

Nothing is loaded but a style sheet of our own, nothing runs, nothing frames
it, and nothing keeps it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from urllib.parse import urlsplit

from stacksync.protocols.http.answer import Headers

NOSNIFF = (b"X-Content-Type-Options", b"nosniff")

_SCHEME = re.compile(r"[a-z][a-z0-9+.-]*")
_HOST = re.compile(r"[a-z0-9.-]+(?::[0-9]{1,5})?")


def html_headers(form_targets: Sequence[str] = ()) -> Headers:
    """The headers of an HTML page (Content Security Policy level 3, RFC 7034, RFC 9111).

    :param form_targets: URLs of other sites to which a form of the page may lead, also by a
        redirect; only their origins are told.  Our own site is always among them.
    """
    targets = dict.fromkeys(_sources(form_targets))
    policy = (
        "default-src 'none'",
        "style-src 'self'",
        " ".join(["form-action 'self'", *targets]),
        "frame-ancestors 'none'",
        "base-uri 'none'",
    )
    return (
        (b"Content-Type", b"text/html; charset=utf-8"),
        (b"Content-Security-Policy", "; ".join(policy).encode("ascii")),
        (b"X-Frame-Options", b"DENY"),
        NOSNIFF,
        (b"Referrer-Policy", b"no-referrer"),
        (b"Permissions-Policy", b"camera=(), geolocation=(), microphone=()"),
        (b"Cross-Origin-Opener-Policy", b"same-origin"),
        (b"Cache-Control", b"no-store"),
    )


def _sources(urls: Sequence[str]) -> Iterator[str]:
    """Origins, as a policy has them; what can't be one is left out, and so not let through."""
    for url in urls:
        try:
            parts = urlsplit(url)
        except ValueError:
            continue
        scheme, host = parts.scheme.lower(), parts.netloc.rpartition("@")[2].lower()
        if not _SCHEME.fullmatch(scheme):
            continue
        if scheme in ("http", "https") and _HOST.fullmatch(host):
            yield f"{scheme}://{host}"
        else:
            # An application's own scheme has no host, and a policy has no word for [::1].
            yield f"{scheme}:"
