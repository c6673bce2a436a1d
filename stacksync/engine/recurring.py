"""What an instance does again and again in its background.

A turn that fails is told in the log, and the next one comes all the same.
What is done in it is not known here.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.task import LoopingCall
from twisted.logger import Logger

from stacksync.errors import Unavailable

log = Logger()


class Recurring:
    """One turn after the other, until it is stopped.

    :param part: what to call it in the log.
    :param interval: seconds from one turn's beginning to the next one's.
    """

    def __init__(
        self, reactor: Any, part: str, interval: float, turn: Callable[[], Awaitable[None]]
    ) -> None:
        self._part = part
        self._interval = interval
        self._turn = turn
        self._loop = LoopingCall(lambda: Deferred.fromCoroutine(self._quietly()))
        self._loop.clock = reactor

    def start(self, *, now: bool = False) -> None:
        """Begin, with the first turn at once or after an interval."""
        self._loop.start(self._interval, now=now)

    def stop(self) -> None:
        """Begin no further turn; harmless when there is nothing to stop."""
        if self._loop.running:
            self._loop.stop()

    def soon(self) -> None:
        """Have a turn at once, unless it is stopped; the next one is an interval later."""
        if self._loop.running:
            self._loop.reset()
            Deferred.fromCoroutine(self._quietly())

    async def _quietly(self) -> None:
        try:
            await self._turn()
        except Unavailable as error:
            log.debug("{part}: {problem}", part=self._part, problem=str(error))
        except Exception:
            log.failure("{part}: a turn failed, the next one comes", part=self._part)
