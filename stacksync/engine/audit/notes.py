"""Sign-ins and refusals that wait to be written to the audit: alike ones as one, and so many.

Anybody can make refusals, as many as the network carries, with names that he
makes up.  What is kept here is bounded whatever he does, and what can't be
kept is counted.  It must not write anything itself.
"""

from __future__ import annotations

from collections import Counter
from typing import Any
from uuid import UUID

import orjson
from attrs import define, evolve, field

from stacksync.model import AuditEvent, AuditKind, SignIn

MOST = 1000
"""Different lines gathered at a time; refusals beyond that are told as one line."""

STRANGERS = 20
"""Lines about the names that one address has tried and nobody has, in each :data:`STRETCH`."""

STRANGERS_IN_ALL = 200
"""The same of all addresses together: an IPv6 network alone has more of them than can be listed."""

STRETCH = 60.0
"""Seconds; what is taken away each second would else grow the audit by a million lines a day."""

Key = tuple[AuditKind, UUID | None, str | None, str | None, SignIn | None, bytes]


@define(eq=False)
class Gathered:
    """Lines alike.

    :ivar since: when the first of them was, in seconds of the clock.
    """

    event: AuditEvent
    since: float


@define(eq=False)
class AuditNotes:
    """What was noted since it was last taken away.

    :ivar dropped: how many events there was no room for since then.
    """

    dropped: int = 0
    _gathered: dict[Key, Gathered] = field(init=False, factory=dict)
    _strangers: Counter[str | None] = field(init=False, factory=Counter)
    _counted_since: float = field(init=False, default=0.0)

    def __len__(self) -> int:
        return len(self._gathered)

    def add(self, event: AuditEvent, now: float) -> None:
        """Note an event, as one more of its like if there are any."""
        if now - self._counted_since >= STRETCH:
            self._strangers.clear()
            self._counted_since = now
        event = self._fitting(event)
        key = key_of(event)
        known = self._gathered.get(key)
        if known is not None:
            known.event = evolve(known.event, count=known.event.count + event.count)
        elif event.kind is not AuditKind.REFUSED and len(self._gathered) >= MOST:
            self.dropped += event.count
        else:
            self._gathered[key] = Gathered(event, now)

    def take(self) -> list[Gathered]:
        """Take away what was noted, oldest first."""
        taken = list(self._gathered.values())
        self._gathered.clear()
        return taken

    def _fitting(self, event: AuditEvent) -> AuditEvent:
        """The event; or, where there are too many already, that it was one more of them."""
        if event.kind is not AuditKind.REFUSED or key_of(event) in self._gathered:
            return event
        if len(self._gathered) >= MOST:
            return one_of_many(evolve(event, address=None, sign_in=None))
        if event.account_id is None:
            if self._strangers[event.address] >= STRANGERS:
                event = one_of_many(event)
                if key_of(event) in self._gathered:
                    return event
            if self._strangers.total() >= STRANGERS_IN_ALL:
                return one_of_many(evolve(event, address=None, sign_in=None))
            self._strangers[event.address] += 1
        return event


def one_of_many(event: AuditEvent) -> AuditEvent:
    """A refusal of somebody among too many to be told apart."""
    return evolve(event, account_id=None, email=None, detail={"names": "too many to be listed"})


def key_of(event: AuditEvent) -> Key:
    """What events have in common that are told as one."""
    detail: dict[str, Any] = event.detail
    return (
        event.kind,
        event.account_id,
        event.email,
        event.address,
        event.sign_in,
        orjson.dumps(detail, option=orjson.OPT_SORT_KEYS),
    )
