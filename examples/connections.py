"""What a client can ask of a StackSync server, however it reaches it.

To learn how to write a client, read this file, then ``amqp_connection.py``
beside docs/amqp.rst and ``http_connection.py`` beside docs/http.rst.  Nothing
of the server's own package is used: the protocols are enough.

Items are dictionaries in the spelling of HTTP (``parent_id``, ``is_folder``);
that of AMQP (``parentId``, ``isFolder``) differs from it in nothing else.

A request whose answer does not come, because the connection broke or a part of
the server is away, is sent again with the same id: the server answers a repeat
as it answered the first time, and does nothing twice.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

Item = dict[str, Any]
Result = TypeVar("Result")

PATIENCE = 300.0
"""Seconds for which a request is sent again and again before it is given up."""

PAUSE, LONGEST_PAUSE = 0.25, 5.0


class Refused(Exception):
    """The server has said no; the same request would be refused again."""


class Lost(Exception):
    """No answer: the connection broke, or the server asks to come again later."""


@dataclass(frozen=True)
class Event:
    """What the server tells a device unasked, by ``kind``.

    ``hello``, at the start and after each reconnection: ``workspaces``, each
    with its ``id`` and ``revision``.

    ``commit``: ``workspace_id``, ``revision`` and ``items``, each of which has
    ``committed`` and ``metadata``.  Without ``items`` it is a bare hint to ask
    for the changes.

    ``workspace``, when it was renamed: its ``id`` and ``name``.
    """

    kind: str
    told: dict[str, Any]


class Connection(Protocol):
    """What both connections can do.

    Every method raises :class:`Refused`, or :class:`Lost` when its patience is over.

    :ivar account: ``id``, ``email``, ``name``, ``quota_limit``, ``quota_used``.
    """

    account: dict[str, Any]

    def workspaces(self) -> list[dict[str, Any]]:
        """The account's workspaces: ``id``, ``name``, ``latest_revision`` and more."""

    def register_device(self, name: str) -> str:
        """Make this device known; returns its id, to be kept."""

    def changes(self, workspace_id: str, since: int) -> tuple[int, list[Item]]:
        """What changed after a revision, and the revision to ask with next time.

        Parents come before their children.  Since 0: everything there is.
        """

    def commit(self, workspace_id: str, device_id: str, items: list[Item]) -> dict[str, Any]:
        """Commit a batch.

        The answer has the ``revision`` and ``items``: for each of ours, in
        their order, ``committed``, the ``reason`` if it was refused, and
        ``metadata``, the item as the server has it now (or null).  Items that
        were deleted with their folder come after those.
        """

    def notifications(self) -> Iterator[Event]:
        """Events from now on, without end; reconnects by itself."""


def again_and_again(attempt: Callable[[], Result]) -> Result:
    """Do it until it is not lost, with growing pauses, within :data:`PATIENCE` seconds."""
    started = time.monotonic()
    pause = PAUSE
    while True:
        try:
            return attempt()
        except Lost as lost:
            if time.monotonic() - started > PATIENCE:
                raise
            if pause == PAUSE:
                complain(lost)
        time.sleep(pause)
        pause = min(2 * pause, LONGEST_PAUSE)


def complain(lost: Lost) -> None:
    print(f"{lost}; trying again", file=sys.stderr, flush=True)
