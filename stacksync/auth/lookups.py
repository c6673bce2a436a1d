"""Looking up who somebody might be: strangers a few at a time, each network in its turn.

Each sign-in costs a question to the database, whose connections are few, and
strangers may have very many under way.  All at once those would fill the queue
for the connections, in which everybody stands.  What is looked up is not known
here.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeVar

from attrs import define, field
from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from stacksync.auth.line import network_of
from stacksync.auth.turns import Lane, TakingTurns, Turn, Waiting
from stacksync.errors import TooManyRequests

AT_ONCE = 2
"""Half of the connections that there are (``database.pool_size``), unless the operator has more."""

WAITING_MAX = 1000

Found = TypeVar("Found")


def stranger(address: str) -> Turn:
    """The turn of somebody at this address who has proved nothing yet."""
    return Turn(Lane.STRANGER, network_of(address))


@define(eq=False)
class Lookups:
    """Asks for known people at once, and for strangers when it is their turn."""

    _waiting: TakingTurns = field(init=False, factory=TakingTurns)
    _running: int = field(init=False, default=0)

    async def run(self, turn: Turn, look: Callable[[], Awaitable[Found]]) -> Found:
        """What is found.

        :raises TooManyRequests: too many wait already; those go first of whom there are most.
        :raises Exception: what the look raised.
        """
        if turn.lane is Lane.KNOWN:
            return await look()
        waiting = Waiting(look)
        self._waiting.add(turn.who, waiting)
        if len(self._waiting) > WAITING_MAX:
            self._waiting.drop_one().answer.errback(
                TooManyRequests("too many sign-ins at once", retry_after=1.0)
            )
        self._go_on()
        found: Found = await waiting.answer
        return found

    def _go_on(self) -> None:
        while self._waiting and self._running < AT_ONCE:
            self._running += 1
            Deferred.fromCoroutine(self._look(self._waiting.next()))

    async def _look(self, waiting: Waiting) -> None:
        found: object
        try:
            found = await waiting.work()
        except Exception:
            found = Failure()
        self._running -= 1
        self._go_on()
        # A Failure fires the errbacks.
        waiting.answer.callback(found)
