"""Work that goes on when nobody waits for it any more.

What was begun in the database is answered there: to cancel it halfway would
leave the client, who may have gone for a moment, with less than it can repeat.
"""

from __future__ import annotations

from typing import TypeVar

from twisted.internet.defer import Deferred
from twisted.logger import Logger
from twisted.python.failure import Failure

from stacksync.errors import StackSyncError

T = TypeVar("T")

log = Logger()


def carried_out(work: Deferred[T]) -> Deferred[T]:
    """Wait for work in a way that cancelling ends the wait but not the work."""
    waiter: Deferred[T] = Deferred()

    def tell(outcome: T | Failure) -> None:
        if not isinstance(outcome, Failure):
            waiter.callback(outcome)
        elif waiter.called and not outcome.check(StackSyncError):
            log.failure("what nobody waited for any more failed", outcome)
        else:
            waiter.errback(outcome)

    work.addBoth(tell)
    return waiter
