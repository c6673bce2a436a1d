"""Names of containers and objects as they stand in URLs and headers of Swift's API.

The rule for names is :class:`~stacksync.interfaces.IBlobStore`'s, which is
stricter than Swift's own (256 bytes for a container, 1024 for an object).
"""

from __future__ import annotations

from urllib.parse import quote, urlencode

from stacksync.storage.names import checked


def container_path(container: str) -> str:
    """What follows the account's URL.

    :raises stacksync.errors.InvalidRequest: not a name that a container can have.
    """
    return "/" + _quoted(checked("container", container))


def object_path(container: str, name: str) -> str:
    """What follows the account's URL; also what ``X-Copy-From`` takes.

    :raises stacksync.errors.InvalidRequest: not names that an object can have.
    """
    encoded = checked("name", name)
    return f"{container_path(container)}/{_quoted(encoded)}"


def page_query(after: str, limit: int) -> str:
    """The query for a page of a listing.

    :raises stacksync.errors.InvalidRequest: ``after`` is no name.
    """
    query = {"format": "json", "limit": str(limit)}
    if after:
        checked("after", after)
        query["marker"] = after
    return "?" + urlencode(query, quote_via=quote, safe="")


def _quoted(name: bytes) -> str:
    return quote(name, safe="")
