"""The requests under way, and their deadlines.

All requests get the same time, so the order in which they began is the order
in which they end: one timer for all of them instead of one for each.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import define, field
from twisted.internet.task import LoopingCall

if TYPE_CHECKING:
    from twisted.internet.interfaces import IReactorTime

    from stacksync.protocols.http.request import ApiRequest

CHECKS_PER_TIMEOUT = 20


@define(eq=False)
class InFlight:
    """Keeps an eye on requests between their arrival and their last byte.

    :param timeout: seconds that an answer may take, or a piece of a large one.
    """

    _clock: IReactorTime
    _timeout: float
    _deadlines: dict[ApiRequest, float] = field(init=False, factory=dict)
    _timer: LoopingCall = field(init=False)

    def __attrs_post_init__(self) -> None:
        self._timer = LoopingCall(self._end_late_ones)
        self._timer.clock = self._clock

    def __len__(self) -> int:
        return len(self._deadlines)

    def start(self) -> None:
        self._timer.start(self._timeout / CHECKS_PER_TIMEOUT, now=False)

    def stop(self) -> None:
        if self._timer.running:
            self._timer.stop()

    def began(self, request: ApiRequest) -> None:
        self._deadlines[request] = self._clock.seconds() + self._timeout

    def progressed(self, request: ApiRequest) -> None:
        """The client is slow but takes what it gets: count from now on."""
        self._deadlines.pop(request, None)
        self.began(request)

    def ended(self, request: ApiRequest) -> None:
        self._deadlines.pop(request, None)

    def _end_late_ones(self) -> None:
        now = self._clock.seconds()
        late = []
        for request, deadline in self._deadlines.items():
            if deadline > now:
                break
            late.append(request)
        for request in late:
            self.ended(request)
            request.time_out()
