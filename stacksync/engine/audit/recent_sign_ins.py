"""Which sign-ins are news to the audit.

Clients sign in with each request, and what they prove is remembered for a
minute at the most: written down each time, a year of one device would be half
a million lines.  It must not forget refusals: a right guess after wrong ones is
what an audit is read for.
"""

from __future__ import annotations

from collections import OrderedDict
from uuid import UUID

from attrs import define, field, frozen

from stacksync.model import AuditEvent, SignIn

NEWS_AGAIN = 3600.0
"""Seconds after which the same sign-in is news again."""

REMEMBERED_MAX = 10_000


@frozen
class Way:
    """How somebody has signed in."""

    account_id: UUID | None
    address: str | None
    sign_in: SignIn | None
    detail: str


@define(eq=False)
class RecentSignIns:
    """Sign-ins of the last hour, and whose refusals there were."""

    _seen: OrderedDict[Way, tuple[float, int]] = field(init=False, factory=OrderedDict)
    _refused: OrderedDict[UUID, int] = field(init=False, factory=OrderedDict)
    _turn: int = field(init=False, default=0)

    def is_news(self, event: AuditEvent, now: float) -> bool:
        """Whether to write this sign-in down; it is seen from now on.

        :param now: seconds of a clock.
        """
        way = Way(event.account_id, event.address, event.sign_in, repr(event.detail))
        seen_at, turn = self._seen.get(way, (None, 0))
        refused = self._refused.get(event.account_id, 0) if event.account_id is not None else 0
        if seen_at is not None and now - seen_at < NEWS_AGAIN and refused <= turn:
            return False
        self._turn += 1
        self._seen[way] = (now, self._turn)
        self._seen.move_to_end(way)
        if len(self._seen) > REMEMBERED_MAX:
            self._seen.popitem(last=False)
        return True

    def refused(self, account_id: UUID) -> None:
        """Somebody was refused as this account: whatever way it signs in next is news."""
        self._turn += 1
        self._refused[account_id] = self._turn
        self._refused.move_to_end(account_id)
        if len(self._refused) > REMEMBERED_MAX:
            self._refused.popitem(last=False)
