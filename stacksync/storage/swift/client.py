"""Requests to Swift: with a token, again when they failed for a while, with clear errors.

Knows what HTTP statuses mean to everybody; what 404 means, the caller knows.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Container
from typing import Any

from attrs import field, frozen
from twisted.internet.task import deferLater
from twisted.logger import Logger

from stacksync.errors import QuotaExceeded, StackSyncError, TooLarge, Unavailable
from stacksync.http_client import seconds_of
from stacksync.storage.keystone import Keystone
from stacksync.storage.swift.answer import Answer
from stacksync.storage.swift.connections import Connections
from stacksync.storage.swift.exchange import Broken
from stacksync.storage.swift.request_body import RequestBody
from stacksync.storage.threads import PART

log = Logger()

TRIES = 5
FIRST_DELAY = 0.1
LONGEST_DELAY = 2.0
SILENCE = 60.0
"""Seconds for which the same trouble is not logged again."""

PASSING = frozenset({408, 429, 498, 500, 502, 503, 504, 507})
"""Statuses that may be others at the next try; 498 is what Swift's rate limit answers."""

TROUBLES = {
    401: "it refuses a token that was just made",
    403: "it refuses what the service's user asks: has it a role of Swift's operator_roles?",
    408: "it waited too long for us",
    429: "it is asked too often",
    498: "it is asked too often",
    507: "it is full",
}


@frozen
class Request:
    """What is asked of Swift.

    :ivar path: what follows the account's URL.
    :ivar body: makes the body, anew for each try.
    :ivar expected: the statuses that the caller understands.
    :ivar passing: other statuses that are worth another try.
    :ivar tries: how often it may be sent.
    :ivar within: seconds for the answer, where less than usual is enough.
    """

    method: str
    path: str
    expected: Container[int]
    headers: dict[str, str] = field(factory=dict)
    body: Callable[[], RequestBody] | None = None
    passing: Container[int] = ()
    tries: int = TRIES
    within: float | None = None

    @property
    def name(self) -> str:
        """What to call it in a message."""
        return f"{self.method} {self.path}" if self.path else f"{self.method} of the account"


class SwiftClient:
    """Requests of the service's own user.

    :param timeout: seconds in which a request and its repetitions must begin to be answered;
        a Swift that asks for a longer pause (``Retry-After``) is not asked again.
    """

    def __init__(
        self, reactor: Any, keystone: Keystone, connections: Connections, timeout: float
    ) -> None:
        self._reactor = reactor
        self._keystone = keystone
        self._connections = connections
        self._timeout = timeout
        self._logged: dict[str, float] = {}

    async def ask(self, request: Request) -> Answer:
        """Swift's answer, whose status is one of those expected.

        :raises Unavailable: there is none, or another.
        :raises QuotaExceeded: the container's quota does not allow the size.
        :raises TooLarge: no object may have that size.
        """
        deadline = self._reactor.seconds() + self._timeout
        is_renewed = False
        tries = 0
        while True:
            after = 0.0
            account, token = await self._access()
            body = request.body() if request.body is not None else None
            headers = {"X-Auth-Token": token, **request.headers}
            try:
                answer = await self._connections.ask(
                    request.method, account + request.path, headers, body, request.within
                )
            except Broken as error:
                problem = str(error)
                if error.is_final:
                    raise self._trouble(request, problem) from None
                if body is not None and error.was_sent:
                    await self._prove(account, token)
            else:
                if answer.code in request.expected:
                    return answer
                problem = await self._problem(request, answer)
                if answer.code == 401 and not is_renewed:
                    is_renewed = True
                    self._keystone.reject(token)
                    continue
                if answer.code not in PASSING and answer.code not in request.passing:
                    raise self._trouble(request, problem)
                after = seconds_of(answer.header("Retry-After"))
            tries += 1
            delay = min(LONGEST_DELAY, FIRST_DELAY * 2.0 ** (tries - 1)) * random.uniform(0.5, 1.0)
            delay = max(delay, after)
            if tries >= request.tries or self._reactor.seconds() + delay >= deadline:
                raise self._trouble(request, problem)
            await deferLater(self._reactor, delay)

    async def done(self, request: Request) -> Answer:
        """Like :meth:`ask`, where nobody wants the answer's body."""
        answer = await self.ask(request)
        await answer.text()
        return answer

    async def _access(self) -> tuple[str, str]:
        try:
            return await self._keystone.object_store(), await self._keystone.token()
        except Unavailable as error:
            raise Unavailable(PART, f"no access to Swift: {error}") from error

    async def _prove(self, account: str, token: str) -> None:
        """See whether the token is why a request with a body was broken off.

        Swift refuses it before it has read the body, and the answer may get
        lost in a connection that is closed under what is still being sent.
        """
        try:
            answer = await self._connections.ask("HEAD", account, {"X-Auth-Token": token})
        except (Broken, Unavailable):
            return
        await answer.text()
        if answer.code == 401:
            self._keystone.reject(token)

    async def _problem(self, request: Request, answer: Answer) -> str:
        """What an unexpected status means.

        :raises QuotaExceeded: it means that.
        :raises TooLarge: it means that.
        """
        remark = await answer.text()
        if answer.code == 413 and "quota" in remark.lower():
            raise QuotaExceeded(f"the object store's quota does not allow {request.name}")
        if answer.code == 413:
            raise TooLarge(f"the object store allows no {request.name} of this size")
        return f"{answer.code}, " + TROUBLES.get(answer.code, "which was not to be expected")

    def _trouble(self, request: Request, problem: str) -> StackSyncError:
        told = f"Swift did not answer {request.name} as it should: {problem}"
        now = self._reactor.seconds()
        if now >= self._logged.get(problem, now):
            self._logged[problem] = now + SILENCE
            log.error("storage: {problem}", problem=told)
        return Unavailable(PART, told)
