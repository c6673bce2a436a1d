"""Connections that are kept for the next request to the same host."""

from __future__ import annotations

from typing import Any

from twisted.web.client import HTTPConnectionPool

IDLE = 30
"""Seconds that an unused connection is kept: less than servers keep theirs (Swift's proxy 60)."""


class QuietFactory(HTTPConnectionPool._factory):  # type: ignore[misc, valid-type]
    """Makes connections without a line in the log for each."""

    noisy = False


def connection_pool(reactor: Any, size: int) -> HTTPConnectionPool:
    """A pool that keeps so many connections to each host."""
    pool = HTTPConnectionPool(reactor)
    pool.maxPersistentPerHost = size
    pool.cachedConnectionTimeout = IDLE
    # Twisted has no public switch for it, and logs at the level of what operators read.
    pool._factory = QuietFactory
    return pool
