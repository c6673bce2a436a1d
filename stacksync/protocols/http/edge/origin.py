"""Whether a web page of somebody else's is behind a request.

A browser adds the user's credentials to whatever a page sends, and asks nobody
for a ``POST`` of plain text or of nothing.  Writes that need no JSON are
therefore refused where the browser says that they come from elsewhere.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from stacksync.errors import Forbidden

if TYPE_CHECKING:
    from stacksync.protocols.http.request import ApiRequest

OUR_OWN = ([b"same-origin"], [b"none"])


def check_origin(request: ApiRequest) -> None:
    """Refuse what a foreign page has made a browser send.

    ``Sec-Fetch-Site`` (W3C Fetch Metadata) says it; where a browser has none
    ``Origin`` (RFC 6454 §7) does.  What is no browser sends neither.

    Pages that the settings let in may do as they like: they sign in themselves.

    :raises Forbidden: a page of another origin is behind it.
    """
    if not request.site.cross_origin.lets_in(request):
        check_own_page(request)


def check_own_page(request: ApiRequest) -> None:
    """Refuse what any page but one of our own has made a browser send.

    :raises Forbidden: a page of another origin is behind it.
    """
    headers = request.requestHeaders
    site = headers.getRawHeaders(b"Sec-Fetch-Site")
    if site is not None:
        is_foreign = site not in OUR_OWN
    else:
        origin, host = headers.getRawHeaders(b"Origin"), headers.getRawHeaders(b"Host", [b""])
        is_foreign = origin is not None and hosts(origin) != [host[0].lower()]
    if is_foreign:
        raise Forbidden("this comes from a page of another site, which may not write here")


def hosts(origins: Sequence[bytes]) -> list[bytes]:
    return [origin.partition(b"://")[2].lower() for origin in origins]
