"""Whether what somebody has signed in by still holds, and who has to know when it does not.

Whoever ends a sign-in says so in the same transaction; every instance hears of
it from the database and tells those who remember sign-ins or keep something
open because of one.  What nobody could be told of is found by looking, every
few seconds, which is also when tokens end whose time is over.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from attrs import frozen

from stacksync.db.database import Transaction
from stacksync.db.sign_ins import SignInTable
from stacksync.engine.recurring import Recurring
from stacksync.errors import AccountNotFound, NotAuthenticated
from stacksync.model import Principal, SignIn

INTERVAL = 5.0
"""Seconds between two looks."""

OVERLAP = 60.0
"""Seconds looked back beyond the last look: a transaction tells when it began to end something."""

CHANGED = "the password has just been changed: sign in with the new one"

HANDSHAKE = 12.0
"""Seconds after which nobody is on the way in whom the broker has asked about before.

It gives a client 10 from connecting to being in (``handshake_timeout``), asks about the password
early in that time, and can close a connection only when that is in.
"""

Subscriber = Callable[[UUID], None]


@frozen
class BrokerAnswers:
    """What becomes of an account's connections to the broker when its sign-ins change.

    :ivar asked: the broker asks us, so that connections stand for what we have answered.
    :ivar remembered: seconds for which it remembers our answers.
    """

    asked: bool = False
    remembered: float = 0.0

    @property
    def let_in(self) -> float:
        """Seconds for which somebody may still get in by what we have answered."""
        return self.remembered + HANDSHAKE


class SignIns:
    """The sign-ins of all accounts."""

    def __init__(
        self,
        reactor: Any,
        table: SignInTable,
        announce: Subscriber,
        wake: Callable[[], None],
        broker: BrokerAnswers,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._reactor = reactor
        self._table = table
        self._announce = announce
        self._wake = wake
        self._broker = broker
        self._now = now
        self._subscribers: list[Subscriber] = []
        self._seen: dict[UUID, datetime] = {}
        self._looked_at = reactor.seconds()
        self._recurring = Recurring(reactor, "sign-ins", INTERVAL, self.look)

    def start(self) -> None:
        self._looked_at = self._reactor.seconds()
        self._recurring.start()

    def stop(self) -> None:
        self._recurring.stop()

    def subscribe(self, callback: Subscriber) -> None:
        """Call with each account some of whose sign-ins may hold no more."""
        self._subscribers.append(callback)

    async def lock(
        self, transaction: Transaction, principal: Principal, renewed: UUID | None = None
    ) -> None:
        """To be called first in a transaction that gives out or ends sign-ins of an account.

        Others wait.  Whom a password has let in that was changed meanwhile is too late: what
        he made now would outlive it.

        :param renewed: what this very transaction gives the password, should it have been
            committed without our hearing of it.
        :raises AccountNotFound: the principal's account is gone.
        :raises NotAuthenticated: its password is another one by now.
        """
        password_id = await self._table.lock(transaction, principal.account_id)
        if password_id is None:
            raise AccountNotFound(principal.account_id)
        if (
            principal.sign_in is SignIn.PASSWORD
            and principal.grant_id is not None
            and password_id not in (principal.grant_id, renewed)
        ):
            raise NotAuthenticated(CHANGED)

    async def changed(self, transaction: Transaction, account_id: UUID) -> None:
        """To be called in the transaction that ends sign-ins of an account.

        Connections to the broker go with it: it does not tell by what each was made.
        """
        await self._table.changed(transaction, account_id, self._broker.asked, self._broker.let_in)
        # The database tells us as well, a moment later: who asked for it might be back before.
        transaction.after_commit(lambda: self.heard(account_id))

    async def renamed(self, transaction: Transaction, account_id: UUID, old_email: str) -> None:
        """To be called in the transaction that gives an account another e-mail.

        Nothing is over but what somebody has signed in to by the old one.
        """
        await self.changed(transaction, account_id)
        if self._broker.asked:
            await self._table.close_connections(
                transaction, account_id, old_email, self._broker.let_in
            )

    async def may_do_less(self, transaction: Transaction, account_id: UUID, email: str) -> None:
        """To be called in the transaction that takes rights from an account.

        Its sign-ins hold, but connections to the broker stand for what it could do before.
        """
        if self._broker.asked:
            await self._table.close_connections(
                transaction, account_id, email, self._broker.remembered
            )

    async def holds(self, principal: Principal) -> bool:
        """Whether what the principal has signed in by is still right.

        :raises Unavailable: the database is away.
        """
        if principal.expires_at is not None and principal.expires_at <= self._now():
            return False
        return await self._table.holds(principal)

    def heard(self, account_id: UUID) -> None:
        """Some sign-ins of this account hold no more, whichever instance has ended them."""
        for callback in self._subscribers:
            callback(account_id)
        self._announce(account_id)
        # The connections to the broker are closed by a job that came with it.
        self._wake()

    def missed(self) -> None:
        """It may be that nobody could tell us: look at once."""
        self._recurring.soon()

    async def look(self) -> None:
        """End the tokens whose time is over, and find what nobody has told us of.

        :raises Unavailable: the database is away.
        """
        started = self._reactor.seconds()
        await self._table.end_expired(self._broker.asked, self._broker.let_in)
        found = await self._table.changed_since(started - self._looked_at + OVERLAP)
        for account_id, changed_at in found:
            if self._seen.get(account_id) != changed_at:
                self.heard(account_id)
        self._seen = dict(found)
        self._looked_at = started
