"""Bounds for what clients fill: they could have the broker's memory and disk without.

That is their own queues, and the dead letters, which their requests become.

An operator policy wins over whatever a client declares, and clients can't change it.
"""

from __future__ import annotations

import re
from typing import Any

from attrs import frozen

NAME = "stacksync-clients"
STREAMS = "stacksync-client-streams"
DEAD_LETTERS = "stacksync-dead-letters"

_SERVER_NAMED = "amq[.]gen-"
_WITH_ID = ".*[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"


@frozen
class ClientQueueLimits:
    """What one queue of a client's may be.

    :ivar unused: seconds after which a queue goes that nobody consumes.
    :ivar messages: how many may wait; the oldest go first.
    :ivar size: bytes of these.
    :ivar age: seconds after which a message goes.
    :ivar dead: bytes of all dead letters together.
    """

    unused: float = 1800.0
    messages: int = 10_000
    size: int = 64 * 1024**2
    age: float = 3600.0
    dead: int = 512 * 1024**2

    def policies(self, request_queue: str, dead_letters: str) -> dict[str, dict[str, Any]]:
        """The documents to set, by name.

        The pattern for clients fits the names that they may give
        (``engine/sign_in/broker_access.py``), unless the service's own queues are called so.
        Of a policy that has something which a kind of queue does not know, RabbitMQ applies
        nothing to that: streams, which know of their size alone, need one of their own.
        """
        own = f"{quoted(request_queue)}|{quoted(dead_letters)}"
        whose = {
            "pattern": f"^(?!({own})$)({_SERVER_NAMED}|{_WITH_ID})",
            "apply-to": "queues",
        }
        size = {"max-length-bytes": self.size}
        bounds = size | {
            "expires": int(self.unused * 1000),
            "max-length": self.messages,
            "message-ttl": int(self.age * 1000),
        }
        return {
            NAME: whose | {"priority": 0, "definition": bounds},
            STREAMS: whose | {"priority": -1, "definition": size},
            DEAD_LETTERS: {
                "pattern": f"^{quoted(dead_letters)}$",
                "apply-to": "queues",
                "priority": 0,
                "definition": {"max-length-bytes": self.dead},
            },
        }


def quoted(name: str) -> str:
    """A regular expression (PCRE's) for exactly this name."""
    return re.sub(r"([^\w-])", r"\\\1", name, flags=re.ASCII)
