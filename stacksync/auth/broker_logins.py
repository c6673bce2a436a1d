"""Logging in to the broker: the account's id or e-mail, and a token of one of its devices.

A token for reading alone is refused: messages do not tell by which token their
sender has logged in.  The answer to a wrong login is held back, longer each
time that the same name is tried; a right one never waits and is never refused,
however many guess meanwhile: the broker does not tell us where they are, and
who could use up an account's attempts could lock its owner out.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Protocol
from uuid import UUID

from attrs import define, field
from twisted.internet.task import deferLater
from zope.interface import implementer

from stacksync.auth.bearer import is_possible
from stacksync.auth.noting import NO_EMAIL
from stacksync.auth.throttle import EMAIL_KEPT, FORGET_AFTER
from stacksync.db.tokens import FoundToken
from stacksync.interfaces import IBrokerLogins
from stacksync.model import AuditEvent, AuditKind, Scope, SignIn

LONGEST_DELAY = 4.0
"""Seconds; RabbitMQ gives a client 10 for the whole of its login (``handshake_timeout``)."""

HELD_MAX = 1000
"""How many answers are held back at the same time."""

NAMES_MAX = 10_000


class ShownTokens(Protocol):
    """Knows devices' tokens; :class:`stacksync.engine.sign_in.tokens.Tokens` does."""

    async def shown(self, secret: str) -> FoundToken | None: ...


class KnownLogins(Protocol):
    """Knows whose login is which.

    :class:`stacksync.engine.sign_in.broker_access.BrokerAccess` does.
    """

    async def account_of(self, login: str) -> UUID | None: ...


def refusal(login: str) -> AuditEvent:
    """Somebody was not let in; told by what looks like an id or e-mail, else it may be a secret."""
    detail: dict[str, Any] = {"problem": "this password is no token that synchronises"}
    account_id, email = None, None
    with suppress(ValueError):
        account_id = UUID(login)
    if account_id is None and "@" in login:
        email = login[:EMAIL_KEPT]
    elif account_id is None:
        detail["name"] = NO_EMAIL
    return AuditEvent(
        AuditKind.REFUSED, account_id, email=email, sign_in=SignIn.BROKER, detail=detail
    )


@implementer(IBrokerLogins)
@define(eq=False)
class BrokerLogins:
    """The :class:`~stacksync.interfaces.IBrokerLogins` of devices' tokens.

    :param failure_delay: seconds that the first wrong answer waits.
    :param note: takes what is for the audit.
    """

    _clock: Any
    _tokens: ShownTokens
    _logins: KnownLogins
    _failure_delay: float
    _note: Callable[[AuditEvent], None]
    _failures: OrderedDict[str, tuple[int, float]] = field(init=False, factory=OrderedDict)
    _held: int = field(init=False, default=0)

    async def allows(self, login: str, password: str) -> bool:
        """See :class:`~stacksync.interfaces.IBrokerLogins`."""
        # Passwords, above all, need not even be looked up.
        found = await self._tokens.shown(password) if is_possible(password) else None
        token = found.token if found is not None else None
        if (
            token is not None
            and token.scope is Scope.SYNC
            and token.account_id == await self._logins.account_of(login)
        ):
            self._failures.pop(login, None)
            self._note(AuditEvent(AuditKind.SIGNED_IN, token.account_id, sign_in=SignIn.BROKER))
            return True
        self._note(refusal(login))
        await self._hold_back(login[:EMAIL_KEPT])
        return False

    async def _hold_back(self, login: str) -> None:
        delay = self._delay(login)
        if self._held < HELD_MAX:
            self._held += 1
            try:
                await deferLater(self._clock, delay)
            finally:
                self._held -= 1

    def _delay(self, login: str) -> float:
        now = self._clock.seconds()
        failures, latest = self._failures.pop(login, (0, now))
        failures = 1 if now - latest > FORGET_AFTER else failures + 1
        self._failures[login] = (failures, now)
        if len(self._failures) > NAMES_MAX:
            self._failures.popitem(last=False)
        delay: float = min(LONGEST_DELAY, self._failure_delay * 2.0 ** min(failures - 1, 30))
        return delay
