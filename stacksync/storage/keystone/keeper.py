"""The present token, made anew before it expires, by one request however many wait for it.

Knows nothing of how a token is made.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from twisted.internet.defer import CancelledError, Deferred
from twisted.logger import Logger

from stacksync.errors import StackSyncError, Unavailable
from stacksync.storage.keystone.failures import PART, KeystoneRefuses
from stacksync.storage.keystone.token import Token

log = Logger()

PAUSE = 10.0
"""Seconds before the next try after our credentials were refused, which might lock the user,
or while a token that is due for renewal is still good."""


class TokenKeeper:
    """Hands out tokens.

    :param clock: an ``IReactorTime``.
    :param make: makes a token.
    """

    def __init__(self, clock: Any, make: Callable[[], Awaitable[Token]]) -> None:
        self._clock = clock
        self._make = make
        self._token: Token | None = None
        self._waiting: list[Deferred[Token]] = []
        self._renewal: Deferred[None] | None = None
        self._renewing = False
        self._stopped = False
        self._refusal = ""
        self._not_before = 0.0

    async def current(self) -> Token:
        """A token that is good for a while yet.

        Who is cancelled while waiting for one cancels it for nobody else.

        :raises KeystoneRefuses: our credentials are not right.
        :raises Unavailable: Keystone is away, or this was stopped.
        """
        now = self._clock.seconds()
        if self._stopped:
            raise Unavailable(PART, "is being stopped")
        if self._token is not None and now < self._token.spent_at:
            if now >= max(self._token.renew_at, self._not_before):
                self._renew()
            return self._token
        if self._refusal and now < self._not_before:
            raise KeystoneRefuses(self._refusal)
        waiter: Deferred[Token] = Deferred(self._waiting.remove)
        self._waiting.append(waiter)
        self._renew()
        return await waiter

    def reject(self, value: str) -> None:
        """Forget the token, if it is still this one."""
        if self._token is not None and self._token.value == value:
            self._token = None

    def stop(self) -> None:
        """Give up; who waits gets :class:`Unavailable`."""
        self._stopped = True
        self._token = None
        if self._renewal is not None:
            self._renewal.cancel()

    def _renew(self) -> None:
        if self._renewing:
            return
        self._renewing = True
        self._renewal = Deferred.fromCoroutine(self._renewed())

    async def _renewed(self) -> None:
        """Make a token and tell everybody who waits what came of it; never raises."""
        try:
            token = await self._make()
        except CancelledError:
            self._failed(Unavailable(PART, "is being stopped"))
        except StackSyncError as error:
            self._failed(error)
        except Exception as error:
            log.failure("no token of Keystone")
            self._failed(error)
        else:
            self._token, self._refusal, self._not_before = token, "", 0.0
            for waiter in self._relieved():
                waiter.callback(token)

    def _failed(self, error: Exception) -> None:
        refused = isinstance(error, KeystoneRefuses)
        self._refusal = error.problem if isinstance(error, KeystoneRefuses) else ""
        self._not_before = self._clock.seconds() + PAUSE
        if refused or self._token is not None:
            log.warn("no new token of Keystone: {problem}", problem=str(error))
        for waiter in self._relieved():
            waiter.errback(error)

    def _relieved(self) -> list[Deferred[Token]]:
        self._renewing = False
        waiting, self._waiting = self._waiting[:], []
        return waiting
