"""How many files and sockets this process may have open, and how many of them are connections.

And how many connections may wait to be accepted.

The system's soft limit is raised as far as the settings need it, not further:
what we start inherits it, and Erlang takes memory for each.
"""

from __future__ import annotations

import resource

from twisted.internet.interfaces import IListeningPort
from twisted.logger import Logger

log = Logger()

RESERVE = 512
"""Open files for all but HTTP's connections: the database, the broker, the store, the log, and
connections that have to go and are not gone yet."""

QUEUE = 1024
"""Connections that the system keeps until we accept them; of more, some wait a second and longer.
Twisted's own 50 are soon there when thousands come at once."""


def connections_bound(wanted: int) -> int:
    """Make room for so many connections; how many there may be.

    :param wanted: as the operator has it.
    :returns: fewer, where the system's hard limit of open files is lower.
    """
    limit = raised_limit(wanted + RESERVE)
    # Half of what there is, where it is so little that the reserve would be most of it.
    bound = min(wanted, max(limit - RESERVE, limit // 2))
    if bound < wanted:
        log.warn(
            "HTTP: {bound} connections may be open, not {wanted} as http.connections_max wants:"
            " the system's limit of open files is {limit}",
            bound=bound,
            wanted=wanted,
            limit=limit,
        )
    else:
        log.info(
            "HTTP: {bound} connections may be open; the limit of open files is {limit}",
            bound=bound,
            limit=limit,
        )
    return bound


def raised_limit(needed: int) -> int:
    """Raise the soft limit of open files to what is needed, if the hard one lets us; what it is."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY:
        return needed
    allowed = needed if hard == resource.RLIM_INFINITY else min(needed, hard)
    if allowed <= soft:
        return soft
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, hard))
    except (ValueError, OSError) as error:
        log.warn("the limit of open files stays at {soft}: {error}", soft=soft, error=str(error))
        return soft
    return allowed


def widen_queue(port: IListeningPort) -> None:
    """Let more connections wait at a port, whichever way its endpoint came about."""
    listening = getattr(port, "socket", None)
    if listening is not None:
        # A second time is allowed and changes the number alone (listen(2)).
        listening.listen(QUEUE)
