"""``/healthz`` and ``/readyz``: is the process alive, and can it do its work?

For load balancers and operators: open to all, and bounded in time whatever
state the parts are in.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from http import HTTPStatus
from typing import TYPE_CHECKING

from attrs import define, field
from twisted.internet.defer import CancelledError, Deferred, DeferredList
from twisted.logger import Logger

from stacksync.errors import Unavailable
from stacksync.protocols.http.answer import Answer, json_answer
from stacksync.protocols.http.resource import JSONResource

if TYPE_CHECKING:
    from twisted.internet.interfaces import IReactorTime

    from stacksync.interfaces import IHealthCheck
    from stacksync.protocols.http.request import ApiRequest

CHECK_SECONDS = 2.0
OK = "ok"


class LivenessResource(JSONResource):
    """``GET /healthz``: 200 as long as the process answers at all."""

    is_rated = False

    def __init__(self) -> None:
        super().__init__({b"GET": self._show})

    async def _show(self, request: ApiRequest) -> Answer:
        return json_answer({"status": OK})


class ReadinessResource(JSONResource):
    """``GET /readyz``: each part with ``ok`` or its problem; 503 when there is one."""

    is_rated = False

    def __init__(self, readiness: Readiness) -> None:
        super().__init__({b"GET": self._show})
        self._readiness = readiness

    async def _show(self, request: ApiRequest) -> Answer:
        parts = await self._readiness.ask()
        if all(state == OK for state in parts.values()):
            return json_answer(parts)
        return json_answer(parts, HTTPStatus.SERVICE_UNAVAILABLE)


@define(eq=False)
class Readiness:
    """Asks all parts at once; whoever asks meanwhile gets the same answer.

    :param checks: the parts.
    """

    _clock: IReactorTime
    _checks: Sequence[IHealthCheck]
    _waiting: list[Deferred[dict[str, str]]] = field(init=False, factory=list)
    _log = Logger()

    def ask(self) -> Deferred[dict[str, str]]:
        """The parts by name with ``ok`` or what is wrong, within ``CHECK_SECONDS``."""
        waiter: Deferred[dict[str, str]] = Deferred()
        self._waiting.append(waiter)
        if len(self._waiting) == 1:
            states = [Deferred.fromCoroutine(self._state_of(check)) for check in self._checks]
            DeferredList(states).addCallback(self._tell)
        return waiter

    def _tell(self, states: Iterable[tuple[bool, str]]) -> None:
        waiting, self._waiting = self._waiting, []
        parts = {check.part: state for check, (_, state) in zip(self._checks, states, strict=True)}
        for waiter in waiting:
            waiter.callback(parts)

    async def _state_of(self, check: IHealthCheck) -> str:
        asked = Deferred.fromCoroutine(check.check())
        limit = self._clock.callLater(CHECK_SECONDS, asked.cancel)
        try:
            await asked
        except Unavailable as error:
            return error.problem
        except CancelledError:
            return f"no answer within {CHECK_SECONDS:g} s"
        except Exception:
            self._log.failure("the health check of {part} failed", part=check.part)
            return "its check failed; see the server's log"
        finally:
            if limit.active():
                limit.cancel()
        return OK
