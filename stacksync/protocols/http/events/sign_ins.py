"""By which sign-in each stream was opened; ends those whose sign-in holds no more.

A stream of events, or of a file's content, is opened once and may stay for
weeks, or hours: what ends a sign-in has to end it as well, and so has the time
until which it holds.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Protocol
from uuid import UUID

from attrs import define, field
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.task import deferLater
from twisted.logger import Logger
from twisted.python.failure import Failure

from stacksync.errors import StackSyncError

if TYPE_CHECKING:
    from twisted.internet.interfaces import IDelayedCall, IReactorTime

    from stacksync.model import Principal

Holds = Callable[["Principal"], Awaitable[bool]]

RETRY = 1.0
"""Seconds to the next try where nobody can say whether a sign-in holds."""


def now_in_utc() -> datetime:
    return datetime.now(UTC)


class Stream(Protocol):
    """What is open because somebody has signed in."""

    @property
    def account_id(self) -> UUID: ...

    def cut(self) -> None:
        """The sign-in holds no more."""


@define(eq=False)
class AccountSignIns:
    """The streams of one account.

    :ivar again: something has changed since the look that is under way began.
    """

    opened_by: dict[Stream, Principal] = field(factory=dict)
    looking: Deferred[None] | None = None
    again: bool = False


@define(eq=False)
class StreamSignIns:
    """The sign-ins of all open streams.

    :param holds: whether a sign-in is still right.
    """

    _clock: IReactorTime
    holds: Holds
    _now: Callable[[], datetime] = now_in_utc
    _accounts: dict[UUID, AccountSignIns] = field(init=False, factory=dict)
    _ends: dict[Stream, IDelayedCall] = field(init=False, factory=dict)
    _log = Logger()

    def add(self, stream: Stream, principal: Principal) -> None:
        """The principal has opened this stream."""
        account = self._accounts.setdefault(principal.account_id, AccountSignIns())
        account.opened_by[stream] = principal
        if principal.expires_at is not None:
            left = max(0.0, (principal.expires_at - self._now()).total_seconds())
            self._ends[stream] = self._clock.callLater(left, self._expired, stream)

    def drop(self, stream: Stream) -> None:
        """The stream is over."""
        end = self._ends.pop(stream, None)
        if end is not None:
            end.cancel()
        account = self._accounts[stream.account_id]
        del account.opened_by[stream]
        if not account.opened_by:
            del self._accounts[stream.account_id]
            if account.looking is not None:
                account.looking.cancel()

    def changed(self, account_id: UUID) -> None:
        """Some sign-ins of this account hold no more: look which of its streams that ends."""
        account = self._accounts.get(account_id)
        if account is None:
            return
        account.again = True
        if account.looking is None:
            looking = Deferred.fromCoroutine(self._look(account))
            if not looking.called:
                account.looking = looking
            looking.addErrback(self._failed)

    async def _look(self, account: AccountSignIns) -> None:
        try:
            while account.again and account.opened_by:
                account.again = False
                try:
                    for principal in set(account.opened_by.values()):
                        if not await self.holds(principal):
                            self._cut(account, principal)
                except StackSyncError as error:
                    self._log.info("streams: {problem}; looking again", problem=str(error))
                    account.again = True
                    await deferLater(self._clock, RETRY)
        finally:
            account.looking = None

    def _cut(self, account: AccountSignIns, principal: Principal) -> None:
        # A copy, because a stream that ends takes itself out.
        for stream, opener in list(account.opened_by.items()):
            if opener == principal:
                stream.cut()

    def _expired(self, stream: Stream) -> None:
        del self._ends[stream]
        stream.cut()

    def _failed(self, failure: Failure) -> None:
        if not failure.check(CancelledError):
            self._log.failure("streams: sign-ins could not be looked at", failure)
