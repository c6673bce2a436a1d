"""Bounds for the queues of clients, which could fill the broker's memory and disk without.

An operator policy wins over whatever a client declares, and clients can't change it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from attrs import frozen

NAME = "stacksync-clients"

_SERVER_NAMED = "amq[.]gen-"
_WITH_ID = ".*[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"


@frozen
class ClientQueueLimits:
    """What one queue of a client's may be.

    :ivar unused: seconds after which a queue goes that nobody consumes.
    :ivar messages: how many may wait; the oldest go first.
    :ivar size: bytes of these.
    :ivar age: seconds after which a message goes.
    """

    unused: float = 1800.0
    messages: int = 10_000
    size: int = 64 * 1024**2
    age: float = 3600.0

    def policy(self, spared: Iterable[str]) -> dict[str, Any]:
        """The document to set.

        Its pattern fits the names that clients may give (``engine/sign_in/broker_access.py``).

        :param spared: queues of the service's own, whatever they are called.
        """
        own = "|".join(map(quoted, spared))
        return {
            "pattern": f"^(?!({own})$)({_SERVER_NAMED}|{_WITH_ID})",
            "apply-to": "queues",
            "priority": 0,
            "definition": {
                "expires": int(self.unused * 1000),
                "max-length": self.messages,
                "max-length-bytes": self.size,
                "message-ttl": int(self.age * 1000),
            },
        }


def quoted(name: str) -> str:
    """A regular expression (PCRE's) for exactly this name."""
    return re.sub(r"([^\w-])", r"\\\1", name, flags=re.ASCII)
